//! The database fails in every way that databases do, under a server that is at work.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use linkedin_targets::{app::Ids, demo::World, storage::entity::posting_preference};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rstest::rstest;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as SeaOrm, DatabaseConnection, EntityTrait,
    TransactionTrait,
};
use serde_json::json;

use crate::support::{
    app::TestApp,
    database::{Backend, Database},
    eventually::eventually,
    postgres::Postgres,
    process::Serving,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Stopped, and started again later.
    Restarted,
    Killed,
    /// Silent on every connection, old and new.
    Paused,
    /// It takes no connection of the server's any more.
    OutOfConnections,
    /// A failover has made it a standby.
    ReadOnly,
}

/// Short, so that a fault shows soon.
const SETTINGS: [(&str, &str); 4] = [
    ("REQUEST_TIMEOUT", "3s"),
    ("LINKEDIN_DEADLINE", "2s"),
    ("DATABASE_ACQUIRE_TIMEOUT", "1s"),
    ("DATABASE_STATEMENT_TIMEOUT", "2s"),
];

/// `REQUEST_TIMEOUT`, and what a busy machine adds.
const DEADLINE: Duration = Duration::from_secs(10);

#[rstest]
#[case(Fault::Restarted)]
#[case(Fault::Killed)]
#[case(Fault::Paused)]
#[case(Fault::OutOfConnections)]
#[case(Fault::ReadOnly)]
#[tokio::test]
async fn whatever_happens_to_postgresql_requests_are_answered_and_service_comes_back(
    #[case] fault: Fault,
) {
    let Some(mut postgres) = Postgres::start().await else {
        return;
    };
    let db = connect(&postgres.url()).await;
    migration::up(&db).await.unwrap();
    let session = session(&db).await;
    db.close().await.unwrap();
    let server = Serving::start(&postgres.url(), &SETTINGS);
    let ada = Asker {
        server: &server,
        client: client(),
        session,
    };
    ada.is_served().await;

    begin(fault, &mut postgres).await;
    soon("it says that it is not ready", async || {
        ada.ready().await == 503
    })
    .await;
    for _ in 0..3 {
        ada.is_told_that_it_cannot_be(fault == Fault::ReadOnly)
            .await;
    }
    end(fault, &mut postgres).await;

    soon("it is ready again", async || ada.ready().await == 200).await;
    ada.is_served().await;
}

#[tokio::test]
async fn statements_that_take_too_long_are_given_up() {
    let Some(database) = Database::migrated(Backend::Postgres).await else {
        return;
    };
    let db = database.connect().await;
    let session = session(&db).await;
    let server = Serving::start(&database.url, &SETTINGS);
    let ada = Asker {
        server: &server,
        client: client(),
        session,
    };
    ada.is_served().await;

    let held = db.begin().await.unwrap();
    let lock = r#"LOCK TABLE "sessions""#;
    held.execute_unprepared(lock).await.unwrap();
    ada.is_told_that_it_cannot_be(false).await;
    held.rollback().await.unwrap();

    ada.is_served().await;
}

#[tokio::test]
async fn a_sqlite_file_that_another_process_writes_to_is_waited_for_and_then_given_up() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let db = database.connect().await;
    let session = session(&db).await;
    let server = Serving::start(&database.url, &SETTINGS);
    let ada = Asker {
        server: &server,
        client: client(),
        session,
    };
    ada.is_served().await;

    let options = sea_orm::TransactionOptions {
        sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let held = db.begin_with_options(options).await.unwrap();
    ada.is_told_that_it_cannot_be(true).await;
    assert_eq!(ada.ready().await, 503);
    held.rollback().await.unwrap();

    ada.is_served().await;
    assert_eq!(ada.ready().await, 200);
}

/// A full disk, as far as a limit on the size of files is one: nothing fits into the file that takes what is written first.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_lost() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let db = database.connect().await;
    let session = session(&db).await;
    let saved = async || {
        let rows = posting_preference::Entity::find().all(&db).await.unwrap();
        rows.len()
    };
    let limited = [
        "env",
        "--ignore-signal=XFSZ",
        "prlimit",
        "--fsize=4000:",
        "--",
    ];
    let server = Serving::start_by(&limited, &database.url, &SETTINGS);
    let ada = Asker {
        server: &server,
        client: client(),
        session,
    };
    // Often enough for every connection to have failed.
    for _ in 0..10 {
        ada.is_told_that_it_cannot_be(true).await;
        assert_eq!(ada.ready().await, 503);
    }
    assert_eq!(saved().await, 0);

    let pid = server.id().to_string();
    let mut freed = Command::new("prlimit");
    freed.args(["--pid", &pid, "--fsize=unlimited:"]);
    assert!(freed.status().unwrap().success());

    assert_eq!(ada.ready().await, 200);
    ada.is_served().await;
    assert_eq!(saved().await, 1);
}

#[rstest]
#[case::not_serializable("40001")]
#[case::a_deadlock("40P01")]
#[tokio::test]
async fn a_transaction_that_another_was_in_the_way_of_is_begun_again_but_not_for_ever(
    #[case] code: &str,
) {
    let Some(app) = TestApp::new(Backend::Postgres).await else {
        return;
    };
    let ada = app.person("ada").await;
    let save = async || {
        let body = json!({ "targets": [] });
        app.put("/api/linkedin/posting-targets", &ada, &body).await
    };
    let begun = || {
        let statements = app.take_statements();
        let locks = statements
            .iter()
            .filter(|sql| sql.contains("pg_advisory_xact_lock"));
        locks.count()
    };
    // Of a sequence, nothing is rolled back.
    let trigger = format!(
        "CREATE SEQUENCE tries;
        CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('tries') < 3 THEN RAISE 'another one is in the way' USING ERRCODE = '{code}'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER give_up BEFORE INSERT ON linkedin_posting_target_preferences
        FOR EACH ROW EXECUTE FUNCTION give_up()"
    );
    app.db.execute_unprepared(&trigger).await.unwrap();
    app.take_statements();

    let saved = save().await;
    let attempts = begun();
    let always = "ALTER SEQUENCE tries MINVALUE -1000 RESTART WITH -1000";
    app.db.execute_unprepared(always).await.unwrap();
    let given_up = save().await;

    assert_eq!(saved.status, 200);
    assert_eq!(attempts, 3);
    assert_eq!(given_up.status, 503);
    assert_eq!(given_up.json(), json!({ "error": "Service unavailable" }));
    assert_eq!(begun(), 4);
}

/// As soon as anybody could ask for.
async fn soon(what: &str, is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    eventually(what, is_so).await;
    assert!(began.elapsed() < DEADLINE, "{what}: {:?}", began.elapsed());
}

async fn begin(fault: Fault, postgres: &mut Postgres) {
    match fault {
        Fault::Restarted => postgres.stop(),
        Fault::Killed => postgres.kill(),
        Fault::Paused => postgres.pause(),
        Fault::OutOfConnections => {
            postgres.execute("ALTER ROLE app CONNECTION LIMIT 0").await;
            end_connections(postgres).await;
        }
        Fault::ReadOnly => {
            postgres
                .execute("ALTER ROLE app SET default_transaction_read_only = on")
                .await;
            end_connections(postgres).await;
        }
    }
}

async fn end(fault: Fault, postgres: &mut Postgres) {
    match fault {
        Fault::Restarted | Fault::Killed => postgres.resume().await,
        Fault::Paused => postgres.go_on(),
        Fault::OutOfConnections => postgres.execute("ALTER ROLE app CONNECTION LIMIT -1").await,
        Fault::ReadOnly => {
            postgres
                .execute("ALTER ROLE app RESET default_transaction_read_only")
                .await;
            end_connections(postgres).await;
        }
    }
}

async fn end_connections(postgres: &Postgres) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'";
    postgres.execute(sql).await;
}

/// Somebody with a session.
struct Asker<'a> {
    server: &'a Serving,
    client: Client,
    session: String,
}

impl Asker<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.server.url(path));
        request.header("cookie", format!("session={}", self.session))
    }

    async fn ready(&self) -> StatusCode {
        self.request(Method::GET, "/readyz")
            .send()
            .await
            .unwrap()
            .status()
    }

    async fn rest(&self, request: RequestBuilder) -> (StatusCode, String) {
        let began = Instant::now();
        let answer = request.send().await.unwrap();
        let (status, has_retry) = (
            answer.status(),
            answer.headers().contains_key("retry-after"),
        );
        assert_eq!(has_retry, status == 503);
        let text = answer.text().await.unwrap();
        assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
        (status, text)
    }

    async fn read(&self) -> (StatusCode, String) {
        self.rest(self.request(Method::GET, "/api/linkedin/posting-targets"))
            .await
    }

    async fn save(&self) -> (StatusCode, String) {
        let put = self.request(Method::PUT, "/api/linkedin/posting-targets");
        self.rest(put.json(&json!({ "targets": [] }))).await
    }

    async fn graphql(&self, query: &str) -> serde_json::Value {
        let began = Instant::now();
        let post = self
            .request(Method::POST, "/graphql")
            .json(&json!({ "query": query }));
        let answer = post.send().await.unwrap().json().await.unwrap();
        assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
        answer
    }

    async fn is_served(&self) {
        assert_eq!(self.read().await.0, 200);
        assert_eq!(self.save().await.0, 200);
        assert!(self.graphql(READ).await.get("errors").is_none());
        assert!(self.graphql(SAVE).await.get("errors").is_none());
    }

    /// All at the same time, as they come.
    async fn is_told_that_it_cannot_be(&self, only_to_save: bool) {
        let (read, save, asked, changed) = tokio::join!(
            self.read(),
            self.save(),
            self.graphql(READ),
            self.graphql(SAVE)
        );
        let unavailable = (
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"error":"Service unavailable"}"#.to_owned(),
        );
        assert_eq!(save, unavailable);
        assert!(is_unavailable(&changed), "{changed}");
        if only_to_save {
            assert_eq!(read.0, 200);
            assert!(asked.get("errors").is_none(), "{asked}");
        } else {
            assert_eq!(read, unavailable);
            assert!(is_unavailable(&asked), "{asked}");
        }
    }
}

const READ: &str = "{ linkedInTargets { __typename } }";
const SAVE: &str =
    "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";

fn is_unavailable(answer: &serde_json::Value) -> bool {
    let code = &answer["errors"][0]["extensions"]["code"];
    code == "UNAVAILABLE" || code == "TIMEOUT"
}

fn client() -> Client {
    Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2);
    SeaOrm::connect(options).await.unwrap()
}

/// Of somebody new, for a long time.
async fn session(db: &impl ConnectionTrait) -> String {
    let ids = Ids::random();
    let world = World {
        db,
        ids: &ids,
        now: crate::support::app::TestClock::new().now(),
    };
    let ada = world.user("ada", "ada").await.unwrap();
    let far_away = world.now + chrono::TimeDelta::days(100_000);
    world.session(&ada, far_away).await.unwrap()
}
