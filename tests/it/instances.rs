//! Several servers over one database, behind a real proxy, coming and going.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use linkedin_targets::{app::Ids, demo::World};
use reqwest::{Client, Method};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::{JoinSet, spawn_blocking};

use crate::support::{
    app::{Ask, Person, TestApp, TestClock},
    database::{Backend, Database},
    dump::strings,
    eventually::eventually,
    member::{long_lived, serve, settled},
    port::free_port,
    process::Serving,
    skip::skip,
};

/// How many ask at the same time, each one request after the other.
const ASKERS: usize = 8;

/// How many requests of each are answered between two changes: whoever has found one server gone is over with the other
/// one before that goes too.
const BETWEEN: usize = 13;

const SETTINGS: [(&str, &str); 1] = [("RATE_LIMIT_USER", "off")];

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_restarted_and_killed_in_turn_and_no_request_fails() {
    let Some(database) = Database::migrated(Backend::Postgres).await else {
        return;
    };
    let session = session(&database).await;
    let ports = [free_port(), free_port()];
    let Some(proxy) = Nginx::start(ports).await else {
        return;
    };
    let url = database.url.clone();
    let start = async |port: u16| {
        let url = url.clone();
        spawn_blocking(move || Serving::start_at(port, &url, &SETTINGS))
            .await
            .unwrap()
    };
    let mut servers = [Some(start(ports[0]).await), Some(start(ports[1]).await)];
    let load = Load::start(proxy.url(), session);
    load.goes_on().await;

    for turn in 0..4 {
        let place = turn % 2;
        let stopped = servers[place].take().unwrap();
        stopped.ask_to_stop();
        load.goes_on().await;
        let (_, code) = spawn_blocking(|| stopped.end()).await.unwrap();
        assert_eq!(code, Some(0));
        servers[place] = Some(start(ports[place]).await);
        load.goes_on().await;
    }
    for place in [0, 1] {
        servers[place].take().unwrap().kill();
        load.goes_on().await;
        servers[place] = Some(start(ports[place]).await);
        load.goes_on().await;
    }

    assert_eq!(load.end().await, [""; 0], "{}", proxy.log());
}

/// As when servers are replaced one after the other: the newer version's first one brings tables and columns of its own,
/// and so does the web application.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_beside_a_newer_one_that_has_migrated_the_database(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    settled(&app, &ada).await;
    let at_work = serve(&app, &[("LINKEDIN_SYNC_INTERVAL", "1ms")]);
    assert_eq!(served(&at_work, &ada).await, SERVED);

    for table in tables(&app, on).await {
        let sql = format!(r#"ALTER TABLE "{table}" ADD COLUMN "newer" text DEFAULT 'newer'"#);
        app.db.execute_unprepared(&sql).await.unwrap();
    }
    for sql in [
        r#"CREATE TABLE "linkedin_newer" ("id" text PRIMARY KEY)"#,
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_newer', 0)",
    ] {
        app.db.execute_unprepared(sql).await.unwrap();
    }
    let started = serve(&app, &[("LINKEDIN_SYNC_INTERVAL", "1ms")]);

    for server in [&at_work, &started] {
        assert_eq!(served(server, &ada).await, SERVED);
    }
}

/// Whether it is ready, and what comes of a read, a save and a sync.
async fn served(server: &Serving, person: &Person) -> [String; 4] {
    let client = Client::new();
    let gql = async |query: &str| {
        let post = client.post(server.url("/graphql")).by(person);
        let reply = post.json(&json!({ "query": query })).reply().await;
        reply.data()["it"]["__typename"].to_string()
    };
    [
        client
            .get(server.url("/readyz"))
            .reply()
            .await
            .status
            .to_string(),
        gql("{ it: linkedInPostingPreferences { __typename targets { id } } }").await,
        gql(
            "mutation { it: setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }",
        )
        .await,
        gql("mutation { it: syncLinkedInPages { __typename } }").await,
    ]
}

const SERVED: [&str; 4] = [
    "200 OK",
    r#""LinkedInPostingPreferences""#,
    r#""SetLinkedInPostingPreferencesSuccess""#,
    r#""SyncLinkedInPagesSuccess""#,
];

async fn tables(app: &TestApp, on: Backend) -> Vec<String> {
    let all = match on {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        Backend::Postgres => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
        }
    };
    strings(&app.db, all).await
}

/// People who read and save, without a pause.
struct Load {
    /// How many requests of each.
    answered: Arc<[AtomicUsize; ASKERS]>,
    ends: Arc<AtomicBool>,
    askers: JoinSet<Vec<String>>,
}

impl Load {
    fn start(base: String, session: String) -> Self {
        let (answered, ends) = (
            Arc::<[AtomicUsize; ASKERS]>::default(),
            Arc::new(AtomicBool::new(false)),
        );
        let mut askers = JoinSet::new();
        for number in 0..ASKERS {
            let (answered, ends) = (answered.clone(), ends.clone());
            let (base, session) = (base.clone(), session.clone());
            askers.spawn(async move {
                let client = Client::builder()
                    .timeout(Duration::from_secs(30))
                    .build()
                    .unwrap();
                let mut failed = Vec::new();
                while !ends.load(Ordering::Relaxed) {
                    let targets = "/api/linkedin/posting-targets";
                    let (method, path, body) = match number % 3 {
                        0 => (Method::GET, targets, None),
                        1 => (Method::PUT, targets, Some(json!({ "targets": [] }))),
                        _ => (
                            Method::POST,
                            "/graphql",
                            Some(json!({ "query": "{ linkedInTargets { __typename } }" })),
                        ),
                    };
                    let mut request = client.request(method.clone(), format!("{base}{path}"));
                    request = request.header("cookie", format!("session={session}"));
                    if let Some(body) = body {
                        request = request.json(&body);
                    }
                    match request.send().await {
                        Ok(answer) if answer.status() == 200 => {
                            answered[number].fetch_add(1, Ordering::Relaxed);
                        }
                        other => failed.push(format!("{method} {path}: {other:?}")),
                    }
                }
                failed
            });
        }
        Self {
            answered,
            ends,
            askers,
        }
    }

    async fn goes_on(&self) {
        let so_far = self.answered();
        eventually("everybody's requests are answered", async || {
            let more = self.answered();
            so_far
                .iter()
                .zip(more)
                .all(|(before, now)| now >= before + BETWEEN)
        })
        .await;
    }

    fn answered(&self) -> [usize; ASKERS] {
        self.answered
            .each_ref()
            .map(|of| of.load(Ordering::Relaxed))
    }

    async fn end(self) -> Vec<String> {
        self.ends.store(true, Ordering::Relaxed);
        self.askers.join_all().await.concat()
    }
}

/// As the README sets it up, for two servers.
struct Nginx {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Nginx {
    async fn start(servers: [u16; 2]) -> Option<Self> {
        let found = Command::new("nginx")
            .arg("-v")
            .stderr(Stdio::null())
            .status();
        if found.is_err() {
            skip(
                "Servers behind a proxy",
                "nginx is missing: install your system's package (nginx-light)",
            );
            return None;
        }
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let path = folder.path().join("nginx.conf");
        fs::write(&path, configuration(folder.path(), port, servers)).unwrap();
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .arg("-c")
            .arg(&path)
            .spawn()
            .unwrap();
        let nginx = Self {
            process,
            port,
            folder,
        };
        eventually("nginx listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        Some(nginx)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Why it had to ask another server, or could not.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(folder: &Path, port: u16, [first, second]: [u16; 2]) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
        master_process off;
        pid {folder}/nginx.pid;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            upstream linkedin_targets {{
                server 127.0.0.1:{first} max_fails=0;
                server 127.0.0.1:{second} max_fails=0;
                keepalive 16;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://linkedin_targets;
                    proxy_http_version 1.1;
                    proxy_set_header Connection \"\";
                    proxy_set_header Host $host;
                    proxy_next_upstream error timeout non_idempotent;
                }}
            }}
        }}"
    )
}

async fn session(database: &Database) -> String {
    let (db, ids) = (database.connect().await, Ids::random());
    let world = World {
        db: &db,
        ids: &ids,
        now: TestClock::new().now(),
    };
    let ada = world.user("ada", "ada").await.unwrap();
    world
        .session(&ada, world.now + chrono::TimeDelta::days(100_000))
        .await
        .unwrap()
}
