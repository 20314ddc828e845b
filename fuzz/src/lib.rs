//! The server that the targets talk to, with one person in its database.

use std::{
    cell::RefCell,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderValue, Request, Response, header},
};
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
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::watch,
};
use tower::ServiceExt;
use url::Url;

/// A server, and the one thread that everything runs on.
pub struct Server {
    runtime: Runtime,
    router: Router,
    /// The cookie of a person who is signed in.
    pub cookie: String,
    /// Takes the database away when it is dropped.
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = TempDir::new().unwrap();
        let (router, session) = runtime.block_on(router(&folder));
        Self {
            runtime,
            router,
            cookie: format!("session={session}"),
            _folder: folder,
        }
    }

    /// Runs something on the server that all inputs share.
    pub fn with<T>(act: impl FnOnce(&Self) -> T) -> T {
        thread_local! {
            static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
        }
        SERVER.with_borrow_mut(|server| act(server.get_or_insert_with(Self::start)))
    }

    /// The answer to a request, with its body.
    pub fn answer(&self, mut request: Request<Body>) -> Response<Bytes> {
        let host = HeaderValue::from_static("interlinedlist.example");
        request.headers_mut().insert(header::HOST, host);
        self.runtime.block_on(async {
            let (head, body) = (self.router.clone().oneshot(request).await.unwrap()).into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            Response::from_parts(head, body)
        })
    }

    /// Runs a client beside the server.
    pub fn block_on<T>(&self, client: impl Future<Output = T>) -> T {
        self.runtime.block_on(client)
    }

    /// Listens on a socket from now on.
    pub async fn listen(&self) -> SocketAddr {
        listen(self.router.clone()).await
    }
}

/// Listens on a free port from now on.
pub async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

async fn router(folder: &TempDir) -> (Router, String) {
    let url = format!("sqlite://{}", folder.path().join("fuzz.db").display());
    let pool = Pool {
        max_connections: 2,
        acquire_timeout: Duration::from_secs(3),
        statement_timeout: Duration::from_secs(5),
        create: true,
    };
    let db = storage::connect(&url.into(), &pool).await.unwrap();
    migration::up(&db).await.unwrap();
    let ids = Ids::random();
    let now = "2026-06-12T00:00:00".parse().unwrap();
    let world = World {
        db: &db,
        ids: &ids,
        now,
    };
    let user = world.user("alice", "Alice Example").await.unwrap();
    let never = "2126-06-12T00:00:00".parse().unwrap();
    let session = world.session(&user, never).await.unwrap();
    let metrics = Metrics::new();
    let app = App {
        linkedin: linkedin::Client::new(linkedin(nowhere())).unwrap(),
        settings: settings(),
        // It stands still, however long a run takes.
        clock: Clock::set_by(watch::channel(now).1),
        ids,
        random: Random::system(),
        streams: Streams::new(1_000),
        db: Database::new(db, metrics.statements()),
        metrics,
    };
    (server::router(app).unwrap(), session)
}

/// As a server has them by default.
pub fn settings() -> Settings {
    Settings {
        public_url: "https://interlinedlist.example".parse().unwrap(),
        session_cookies: vec!["session".to_owned(), "__Host-session".to_owned()],
        allowed_origins: vec!["https://app.example".to_owned()],
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

/// A client's settings that lose no time.
pub fn linkedin(url: Url) -> linkedin::Settings {
    let application = linkedin::Application {
        client_id: "app".to_owned(),
        client_secret: "client-secret".into(),
        redirect_uri: "https://interlinedlist.example/api/auth/linkedin/callback"
            .parse()
            .unwrap(),
    };
    linkedin::Settings {
        // Less than a second, so that no limit is waited for.
        deadline: Duration::from_millis(900),
        retry_pause: Duration::from_nanos(1),
        ..linkedin::Settings::new(Some(application), url.clone(), url)
    }
}

/// An address at which nobody listens.
fn nowhere() -> Url {
    "http://127.0.0.1:9".parse().unwrap()
}
