//! What surrounds the routes: health, headers, logs, deadlines, and how the program starts and stops.

use std::{net::Ipv4Addr, time::Duration};

use linkedin_targets::server;
use reqwest::{
    Client, Method,
    header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE},
};
use rstest::rstest;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use serde_json::json;

use crate::support::{
    app::{Ask, Reply, TestApp},
    database::{Backend, Database},
    eventually::eventually,
    member::long_lived,
    process::{HalfSent, Serving, parsed, program, run},
};

const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

#[rstest]
#[tokio::test]
async fn a_server_that_can_answer_is_ready(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };

    let alive = get(&app, "/healthz").await;
    let ready = get(&app, "/readyz").await;

    assert_eq!(alive.json(), json!({ "status": "ok" }));
    assert_eq!(ready.json(), json!({ "status": "ready" }));
    assert_eq!(ready.header("cache-control"), Some("no-store"));
}

#[rstest]
#[tokio::test]
async fn without_tables_it_is_alive_and_says_why_it_is_not_ready(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let app = TestApp::on(database, |_| {}).await;

    let alive = get(&app, "/healthz").await;
    let ready = get(&app, "/readyz").await;

    assert_eq!(alive.status, 200);
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["status"], "unavailable");
    let reason = ready.json()["reason"].to_string();
    assert!(reason.contains("table \\\"sessions\\\""), "{reason}");
    assert!(reason.contains("`linkedin-targets migrate up`"), "{reason}");
}

#[rstest]
#[case::a_uuid("5f0c4c3e-0c8e-4a5c-8b57-0d3f5d0e1a2b")]
#[case::a_trace("Root=1-67891233-abcdef012345678912345678")]
#[case::the_longest(&"a".repeat(128))]
#[tokio::test]
async fn a_clients_own_request_id_comes_back(#[case] id: &str) {
    let app = app().await;

    let reply = with_header(&app, "x-request-id", id).await;

    assert_eq!(reply.header("x-request-id"), Some(id));
}

#[rstest]
#[case::empty("")]
#[case::too_long(&"a".repeat(129))]
#[case::words("two words")]
#[case::markup("<b>")]
#[case::quotes("\"id\"")]
#[tokio::test]
async fn an_unfit_request_id_is_replaced(#[case] id: &str) {
    let app = app().await;

    let reply = with_header(&app, "x-request-id", id).await;

    let made = reply.header("x-request-id").unwrap();
    assert_eq!(made.len(), 36);
    assert!(!id.contains(made));
}

#[tokio::test]
async fn every_request_gets_an_id_of_its_own() {
    let app = app().await;

    let first = get(&app, "/healthz").await;
    let second = get(&app, "/healthz").await;

    let id = |reply: &Reply| reply.header("x-request-id").unwrap().to_owned();
    assert_ne!(id(&first), id(&second));
}

#[rstest]
#[tokio::test]
async fn browsers_are_told_to_be_careful_with_every_answer(
    #[values(
        "/",
        "/healthz",
        "/graphql",
        "/api/linkedin/targets",
        "/api/nothing",
        "/nothing"
    )]
    path: &str,
) {
    let app = app().await;

    let reply = get(&app, path).await;

    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    assert!(reply.header("x-request-id").is_some());
}

#[rstest]
#[case("gzip", Some("gzip"))]
#[case("gzip;q=0.5, br", Some("gzip"))]
#[case("br", None)]
#[case("identity", None)]
#[case("gzip;q=0", None)]
#[tokio::test]
async fn long_answers_are_compressed_as_the_client_can_read_them(
    #[case] accepted: &str,
    #[case] encoding: Option<&str>,
) {
    let app = app().await;

    let request = app.request(Method::GET, "/schema.graphql");
    let response = request
        .header(ACCEPT_ENCODING, accepted)
        .send()
        .await
        .unwrap();

    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header("content-encoding").as_deref(), encoding);
    assert_eq!(header("vary").as_deref(), Some("accept-encoding"));
    let length = response.bytes().await.unwrap().len();
    let plain = linkedin_targets::sdl().len();
    assert_eq!(length < plain, encoding.is_some());
}

#[tokio::test]
async fn an_answer_that_fits_into_a_packet_is_not_compressed() {
    let app = app().await;
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;

    let request = app.request(Method::GET, "/api/linkedin/targets").by(&ada);
    let reply = request.header(ACCEPT_ENCODING, "gzip").reply().await;

    assert_eq!(reply.header("content-encoding"), None);
    assert_eq!(reply.json()["targets"][0]["label"], "Ada");
}

#[rstest]
#[tokio::test]
async fn a_request_that_waits_too_long_for_the_database_is_answered_in_time(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::with(on, |settings| settings.request_timeout = SOON).await else {
        return;
    };
    let ada = app.person("ada").await;
    let body = json!({ "targets": [] });
    let save = "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
    let held = hold(&app, on).await;

    let graphql = app.gql(&ada, save).await;
    let rest = app.put("/api/linkedin/posting-targets", &ada, &body).await;

    assert_eq!(graphql.status, 503);
    assert_eq!(graphql.codes(), ["TIMEOUT"]);
    assert!(graphql.json().get("data").is_none());
    assert_eq!(rest.status, 503);
    assert_eq!(rest.json(), json!({ "error": "Service unavailable" }));
    for reply in [graphql, rest] {
        assert!(reply.header("retry-after").is_some());
    }
    held.rollback().await.unwrap();
    assert_eq!(app.gql(&ada, save).await.status, 200);
}

#[tokio::test]
async fn as_many_as_come_at_once_may_wait_to_be_taken() {
    let listener = server::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = listener.local_addr().unwrap();

    // Nobody takes them, so that whoever finds no room now never will.
    let clients = (0..300).map(|_| std::net::TcpStream::connect_timeout(&address, NEVER));
    let connected: Result<Vec<_>, _> = clients.collect();

    assert_eq!(connected.unwrap().len(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_answered_in_time() {
    let app = TestApp::with(Backend::Sqlite, |settings| settings.request_timeout = SOON);
    let app = app.await.unwrap();

    let connection = std::net::TcpStream::connect(app.address()).unwrap();
    let answer = HalfSent::post(connection, "/graphql", TYPENAME).answer();

    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\"TIMEOUT\""), "{answer}");
}

#[rstest]
#[tokio::test]
async fn each_request_leaves_one_line_that_tells_no_secrets(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let world = app.world();
    let far_away = world.now + chrono::TimeDelta::days(100_000);
    let session = world.session(&ada.id, far_away).await.unwrap();
    world.token(&ada.id, "the-token").await.unwrap();
    let mut server = Serving::start(&app.database.url, &[]);

    let query =
        "query Mine($id: ID!) { a: node(id: \\\"the-literal\\\") { id } b: node(id: $id) { id } }";
    let body = format!(r#"{{"query":"{query}","variables":{{"id":"the-variable"}}}}"#);
    let post = Client::new()
        .post(server.url("/graphql?hidden=the-parameter"))
        .header(COOKIE, format!("session={session}"))
        .header("content-type", "application/json")
        .header("x-request-id", "request-1")
        .body(body);
    let posted = post.reply().await;
    let got = Client::new()
        .get(server.url("/api/linkedin/targets?hidden=the-parameter"))
        .header(AUTHORIZATION, "Bearer the-token")
        .header("x-request-id", "request-2");
    let got = got.reply().await;
    let refused = Client::new()
        .post(server.url("/graphql"))
        .header(AUTHORIZATION, "Bearer the-wrong-token")
        .header("content-type", "application/json")
        .header("x-request-id", "request-3")
        .body(r#"{"query":"{ node(id: \"the-literal\") { nothing } }"}"#);
    let refused = refused.reply().await;
    let lines = ["request-1", "request-2", "request-3"].map(|id| server.line_that_says(id));
    server.ask_to_stop();
    let (rest, _) = server.end();

    assert_eq!([posted.status, got.status, refused.status], [200, 200, 200]);
    let [first, second, third] = lines.each_ref().map(|line| parsed(line));
    assert_eq!(first["level"], "INFO");
    assert_eq!(first["message"], "answered");
    assert_eq!(first["http.status"], 200);
    assert!(first["duration_ms"].is_f64());
    let span = json!({
        "name": "request",
        "http.method": "POST",
        "http.route": "/graphql",
        "request.id": "request-1",
        "graphql.operation": "Mine",
        "user.id": ada.id,
    });
    assert_eq!(first["span"], span);
    assert_eq!(second["span"]["http.route"], "/api/linkedin/targets");
    assert_eq!(second["span"]["user.id"], ada.id);
    assert!(third["span"].get("user.id").is_none());
    let log = format!("{}{rest}", lines.concat());
    for secret in [
        &session,
        "the-token",
        "the-wrong-token",
        "the-literal",
        "the-variable",
        "the-parameter",
        "nothing",
    ] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    assert_eq!(log.matches("\"answered\"").count(), 3, "{log}");
}

/// Even where everything is logged that the server and its libraries have to say.
#[tokio::test]
async fn a_log_of_everything_tells_no_secrets_either() {
    let app = app().await;
    let ada = app.person("ada").await;
    app.world().token(&ada.id, "the-token").await.unwrap();
    let mut server = Serving::start(&app.database.url, &[("RUST_LOG", "trace")]);

    let reply = Client::new()
        .post(server.url("/graphql?hidden=the-parameter"))
        .header(COOKIE, format!("session={}", ada.session))
        .header(AUTHORIZATION, "Bearer the-token")
        .header("content-type", "application/json")
        .body(r#"{"query":"{ node(id: \"the-literal\") { id } }"}"#)
        .reply()
        .await;
    let mut log = server.line_that_says("\"answered\"");
    server.ask_to_stop();
    log.push_str(&server.end().0);

    assert_eq!(reply.data(), json!({ "node": null }));
    for secret in [&ada.session, "the-token", "the-literal", "the-parameter"] {
        let told: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{secret}: {told:#?}");
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_stops() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let mut server = Serving::start(&database.url, &[]);
    let request = HalfSent::post(server.connection(), "/graphql", TYPENAME);

    server.ask_to_stop();
    server.line_that_says("stopping");
    let answer = request.finish();
    let (log, code) = server.end();

    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(
        answer.ends_with(r#"{"data":{"__typename":"Query"}}"#),
        "{answer}"
    );
    assert!(log.contains("\"stopped\""), "{log}");
    assert_eq!(code, Some(0));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_that_wait_for_the_database_are_answered_before_the_server_stops(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    const CROWD: usize = 20;
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    let patient = [
        ("DATABASE_ACQUIRE_TIMEOUT", "60s"),
        ("DATABASE_STATEMENT_TIMEOUT", "60s"),
        ("REQUEST_TIMEOUT", "60s"),
        ("SHUTDOWN_TIMEOUT", "60s"),
        ("ADMIN_ADDRESS", "127.0.0.1:0"),
    ];
    let mut server = Serving::start(&app.database.url, &patient);
    let metrics = server.metrics_url();
    let save = || {
        let put = Client::new().put(server.url("/api/linkedin/posting-targets"));
        tokio::spawn(put.by(&ada).json(&json!({ "targets": [] })).reply())
    };

    let held = hold(&app, on).await;
    let saves: Vec<_> = (0..CROWD).map(|_| save()).collect();
    eventually("all are under way", async || {
        let told = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        told.contains(&format!("_http_requests_in_flight {CROWD}\n"))
    })
    .await;
    server.ask_to_stop();
    server.line_that_says("stopping");
    held.rollback().await.unwrap();

    for save in saves {
        assert_eq!(save.await.unwrap().status, 200);
    }
    let (_, code) = tokio::task::spawn_blocking(|| server.end()).await.unwrap();
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_server_from_stopping() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let server = Serving::start(&database.url, &[("SHUTDOWN_TIMEOUT", "100ms")]);
    let _request = HalfSent::post(server.connection(), "/graphql", TYPENAME);

    server.ask_to_stop();
    let (_, code) = server.end();

    assert_eq!(code, Some(0));
}

#[rstest]
#[tokio::test]
async fn it_does_not_start_without_tables(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    database.connect().await.close().await.unwrap();

    let (output, out, told) =
        run(program(&["serve", "--port", "0"]).env("DATABASE_URL", &database.url));

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out, "");
    assert!(
        told.starts_with("error: the database lacks table \""),
        "{told}"
    );
    assert!(
        told.ends_with("; run `linkedin-targets migrate up`, then serve again\n"),
        "{told}"
    );
}

#[rstest]
#[tokio::test]
async fn it_does_not_start_on_half_a_database_and_says_so_in_one_sentence(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    for sql in [
        r#"DROP TABLE "linkedin_page_syncs""#,
        r#"ALTER TABLE "linkedin_personal_pages" DROP COLUMN "pageLogoUrl""#,
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    db.close().await.unwrap();

    let (output, out, told) =
        run(program(&["serve", "--port", "0"]).env("DATABASE_URL", &database.url));

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out, "");
    assert_eq!(
        told,
        "error: the database lacks column \"linkedin_personal_pages\".\"pageLogoUrl\", table \"linkedin_page_syncs\"; \
        run `linkedin-targets migrate up`, then serve again\n"
    );
}

#[rstest]
#[case("BIND", "localhost")]
#[case("PORT", "65536")]
#[case("PUBLIC_URL", "interlinedlist.com")]
#[case("PUBLIC_URL", "ftp://interlinedlist.com")]
#[case("PUBLIC_URL", "https://user:secret@interlinedlist.com")]
#[case("SESSION_COOKIE_NAME", "two words")]
#[case("ALLOWED_ORIGINS", "https://a.example,nonsense")]
#[case("ALLOWED_ORIGINS", "https://a.example/path")]
#[case("GRAPHIQL", "maybe")]
#[case("INTROSPECTION", "maybe")]
#[case("REQUEST_TIMEOUT", "10")]
#[case("REQUEST_TIMEOUT", "0s")]
#[case("SHUTDOWN_TIMEOUT", "soon")]
#[case("DATABASE_URL", "mysql://user:secret@localhost/db")]
#[case("DATABASE_URL", "postgres://user:secret@127.0.0.1:1/db")]
#[case("DATABASE_URL", "sqlite:///nowhere/at/all.db")]
#[case("DATABASE_MAX_CONNECTIONS", "0")]
#[case("DATABASE_ACQUIRE_TIMEOUT", "-1s")]
#[case("DATABASE_STATEMENT_TIMEOUT", "5 parsecs")]
#[case("LOG_FORMAT", "xml")]
#[case("RUST_LOG", "everything=loud")]
#[test]
fn it_does_not_start_with_nonsense_and_names_the_variable(
    #[case] variable: &str,
    #[case] value: &str,
) {
    let quickly = ("DATABASE_ACQUIRE_TIMEOUT", "1s");

    let (output, _, told) = run(program(&["serve"]).envs([quickly]).env(variable, value));

    assert!(!output.status.success());
    let first = told.lines().next().unwrap();
    assert!(first.starts_with("error: "), "{told}");
    assert!(first.contains(variable), "{told}");
    assert!(!told.contains("secret"), "{told}");
}

#[rstest]
#[tokio::test]
async fn migrate_tells_what_it_would_do_does_it_and_tells_that_it_is_done(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    database.connect().await.close().await.unwrap();
    let migrate = |arguments: &[&str]| {
        let arguments = [&["migrate"], arguments].concat();
        let (output, out, told) = run(program(&arguments).env("DATABASE_URL", &database.url));
        (output.status.code(), out, told)
    };

    let before = migrate(&["status"]);
    let plan = migrate(&["up", "--dry-run"]);
    let still = migrate(&["status"]);
    let first = migrate(&["up"]);
    let second = migrate(&["up"]);
    let after = migrate(&["status"]);
    let nothing = migrate(&["up", "--dry-run"]);

    assert_eq!(before.0, Some(1));
    assert!(before.1.ends_with(": not run\n"), "{before:?}");
    assert!(
        before.2.contains("run `linkedin-targets migrate up`"),
        "{before:?}"
    );
    assert_eq!(plan.0, Some(0));
    assert!(plan.1.starts_with("CREATE TABLE \""), "{plan:?}");
    assert!(plan.1.lines().last().unwrap().ends_with(';'), "{plan:?}");
    assert_eq!(still, before);
    assert_eq!(first.0, Some(0));
    assert!(
        first.1.starts_with("Created what was missing, in "),
        "{first:?}"
    );
    assert_eq!(
        second,
        (Some(0), "Nothing was missing.\n".to_owned(), String::new())
    );
    assert_eq!(after.0, Some(0));
    assert!(after.1.contains(": run\n"), "{after:?}");
    assert!(
        after
            .1
            .ends_with("Everything that the server needs is there.\n"),
        "{after:?}"
    );
    assert_eq!(nothing, (Some(0), String::new(), String::new()));
}

#[tokio::test]
async fn what_a_dry_run_prints_makes_the_tables() {
    let database = Database::empty(Backend::Sqlite).await.unwrap();
    let db = database.connect().await;

    let (_, plan, _) =
        run(program(&["migrate", "up", "--dry-run"]).env("DATABASE_URL", &database.url));
    db.execute_unprepared(&plan).await.unwrap();

    assert_eq!(migration::missing(&db).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn migrate_makes_the_file_and_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/data.db");
    let url = format!("sqlite://{}", file.display());

    let (output, _, _) = run(program(&["migrate", "up"]).env("DATABASE_URL", &url));

    assert!(output.status.success());
    assert!(file.exists());
}

#[test]
fn both_faces_are_described_without_a_database() {
    for (command, description) in [
        ("schema", linkedin_targets::sdl()),
        (
            "openapi",
            linkedin_targets::openapi(&["session".to_owned()]),
        ),
    ] {
        let (output, out, told) = run(&mut program(&[command]));

        assert!(output.status.success());
        assert_eq!(out, description);
        assert_eq!(told, "");
    }
}

/// A deadline that passes while a test waits for it.
const SOON: Duration = Duration::from_millis(200);

/// Longer than anything takes that comes to an end.
const NEVER: Duration = Duration::from_secs(20);

/// Keeps the server from writing.
async fn hold(app: &TestApp, on: Backend) -> DatabaseTransaction {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let transaction = app.db.begin_with_options(options).await.unwrap();
    if on == Backend::Postgres {
        let lock = r#"LOCK TABLE "sessions""#;
        transaction.execute_unprepared(lock).await.unwrap();
    }
    transaction
}

async fn app() -> TestApp {
    TestApp::new(Backend::Sqlite).await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> Reply {
    app.request(Method::GET, path).reply().await
}

async fn with_header(app: &TestApp, name: &str, value: &str) -> Reply {
    let request = app.request(Method::GET, "/healthz");
    request.header(name, value).reply().await
}
