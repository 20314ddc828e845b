//! The server's routes on one thread, with a SQLite file of their own.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::Request,
};
use chrono::NaiveDateTime;
use linkedin_targets::{
    app::{App, Clock, Ids, Random, Settings},
    config::Limits,
    demo::World,
    linkedin,
    metrics::Metrics,
    rate_limits::Rates,
    seal, server,
    storage::{self, Database, Pool},
    streams::Streams,
};
use sea_orm::{DatabaseConnection, TransactionTrait};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
};
use tower::ServiceExt;

pub(crate) struct Server {
    runtime: Runtime,
    router: Router,
    db: DatabaseConnection,
    ids: Ids,
    now: NaiveDateTime,
    /// Takes the database away when it is dropped.
    _folder: TempDir,
}

/// Somebody who is signed in.
pub(crate) struct Person {
    pub(crate) cookie: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = TempDir::new().unwrap();
        let (ids, now) = (Ids::random(), "2026-06-12T00:00:00".parse().unwrap());
        let (router, db) = runtime.block_on(async {
            let db = database(&folder).await;
            let app = app(db.clone(), ids.clone(), now);
            (server::router(app).unwrap(), db)
        });
        Self {
            runtime,
            router,
            db,
            ids,
            now,
            _folder: folder,
        }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The whole body of the answer.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Bytes {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        to_bytes(answer.into_body(), usize::MAX).await.unwrap()
    }

    pub(crate) fn json(&self, request: Request<Body>) -> Value {
        let answer = self.runtime.block_on(self.answer(request));
        serde_json::from_slice(&answer).unwrap()
    }

    /// Somebody with so many pages, every other of them an organization's.
    pub(crate) fn person(&self, pages: usize) -> Person {
        self.runtime.block_on(async {
            let rows = self.db.begin().await.unwrap();
            let world = World {
                db: &rows,
                ids: &self.ids,
                now: self.now,
            };
            let name = format!("with{pages}");
            let user = world.user(&name, &name).await.unwrap();
            let session = world.session(&user, never()).await.unwrap();
            let identity = world.identity(&user, Some(&name), Some(connection()));
            let identity = identity.await.unwrap();
            let organization = world.organization(&name, &user).await.unwrap();
            for page in 0..pages {
                let (number, name) = (format!("{pages}-{page}"), format!("Page {page}"));
                if page % 2 == 0 {
                    let page = world.personal_page(&identity, &number, &name);
                    page.await.unwrap();
                } else {
                    let page = world.org_page(&organization, &number, &name).await.unwrap();
                    world.assign(&page, &user).await.unwrap();
                }
            }
            rows.commit().await.unwrap();
            Person {
                cookie: format!("session={session}"),
            }
        })
    }
}

async fn database(folder: &TempDir) -> DatabaseConnection {
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let pool = Pool {
        max_connections: 2,
        acquire_timeout: Duration::from_secs(3),
        statement_timeout: Duration::from_secs(5),
        create: true,
    };
    let db = storage::connect(&url.into(), &pool).await.unwrap();
    migration::up(&db).await.unwrap();
    db
}

fn app(db: DatabaseConnection, ids: Ids, now: NaiveDateTime) -> App {
    let nowhere: url::Url = "http://127.0.0.1:9".parse().unwrap();
    let linkedin = linkedin::Settings::new(None, nowhere.clone(), nowhere);
    let metrics = Metrics::new();
    App {
        linkedin: linkedin::Client::new(linkedin).unwrap(),
        settings: settings(),
        clock: Clock::set_by(watch::channel(now).1),
        ids,
        random: Random::system(),
        streams: Streams::new(1_000),
        db: Database::new(db, metrics.statements()),
        metrics,
    }
}

/// As a server has them by default.
fn settings() -> Settings {
    Settings {
        public_url: "https://interlinedlist.example".parse().unwrap(),
        session_cookies: vec!["session".to_owned()],
        allowed_origins: Vec::new(),
        graphiql: false,
        introspection: true,
        limits: Limits::default(),
        trusted_documents: None,
        federation: false,
        sync_interval: Duration::from_secs(10),
        subscription_interval: Duration::from_secs(30),
        token_keys: seal::Keys::default(),
        request_timeout: Duration::from_secs(10),
        rates: Rates::default(),
        max_requests: 1_000,
        trusted_proxies: Vec::new(),
    }
}

/// To LinkedIn, with all scopes and no end.
fn connection() -> Value {
    json!({
        "access_token": "not a token",
        "expires_at": "2100-01-01T00:00:00.000Z",
        "scope": "openid profile email w_member_social rw_organization_admin w_organization_social",
    })
}

fn never() -> NaiveDateTime {
    "2126-06-12T00:00:00".parse().unwrap()
}
