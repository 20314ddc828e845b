//! The server under test: the real routes on a real socket, with a clock and ids that the test knows.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use futures_util::future::try_join_all;
use linkedin_targets::{
    app::{App, Clock, Ids, Random, Settings},
    config::Limits,
    demo::World,
    linkedin,
    metrics::Metrics,
    rate_limits::Rates,
    seal,
    server::{self, Bounds},
    storage,
    streams::Streams,
};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{COOKIE, HeaderMap},
    redirect,
};
use sea_orm::{DatabaseConnection, DatabaseTransaction, TransactionTrait};
use secrecy::SecretString;
use serde_json::{Value, json};
use stand_in_linkedin::StandIn;
use tokio::sync::watch;
use url::Url;

use super::{
    database::{Backend, CONNECTIONS, Database},
    description,
};

pub(crate) struct TestApp {
    /// The test's own way to the rows. The server's statements alone are counted.
    pub(crate) db: DatabaseConnection,
    /// What the server takes for LinkedIn.
    pub(crate) linkedin: StandIn,
    pub(crate) metrics: Metrics,
    pub(crate) clock: TestClock,
    pub(crate) ids: TestIds,
    address: SocketAddr,
    client: Client,
    /// The server's own way to the rows.
    server_db: storage::Database,
    statements: Arc<Mutex<Vec<String>>>,
    /// Lives as long as the test.
    pub(crate) database: Arc<Database>,
}

impl TestApp {
    /// `None` when the database to test on is not there.
    pub(crate) async fn new(on: Backend) -> Option<Self> {
        Self::with(on, |_| {}).await
    }

    /// With settings other than the usual.
    pub(crate) async fn with(on: Backend, change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let database = Database::migrated(on).await?;
        Some(Self::on(database, change).await)
    }

    /// On a database that is there already.
    pub(crate) async fn on(database: Database, change: impl FnOnce(&mut Settings)) -> Self {
        let (clock, ids) = (TestClock::new(), TestIds::new());
        let linkedin = linkedin(&clock).await;
        let change = |settings: &mut Settings, _: &mut linkedin::Settings| change(settings);
        Self::start(Arc::new(database), linkedin, clock, ids, change).await
    }

    /// Another server, on the same database and with the same LinkedIn.
    pub(crate) async fn another(&self) -> Self {
        self.another_with(|_| {}).await
    }

    /// Another one, with settings other than the usual.
    pub(crate) async fn another_with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        self.another_asking(|settings, _| change(settings)).await
    }

    /// Another one, which also asks LinkedIn in another way than usual.
    pub(crate) async fn another_asking(
        &self,
        change: impl FnOnce(&mut Settings, &mut linkedin::Settings),
    ) -> Self {
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        let (database, linkedin) = (self.database.clone(), self.linkedin.clone());
        Self::start(database, linkedin, clock, ids, change).await
    }

    async fn start(
        database: Arc<Database>,
        linkedin: StandIn,
        clock: TestClock,
        ids: TestIds,
        change: impl FnOnce(&mut Settings, &mut linkedin::Settings),
    ) -> Self {
        let db = database.connect().await;
        let statements = Arc::new(Mutex::new(Vec::new()));
        let seen = statements.clone();
        let metrics = Metrics::new().observed_by(move |info| {
            seen.lock().unwrap().push(info.statement.sql.clone());
        });
        let server_db = storage::Database::new(database.connect().await, metrics.statements());
        let mut settings = settings();
        let mut linkedin_settings = linkedin_settings(linkedin.base_url());
        change(&mut settings, &mut linkedin_settings);
        let app = App {
            db: server_db.clone(),
            linkedin: linkedin::Client::new(linkedin_settings)
                .unwrap()
                .observed_by(metrics.calls()),
            settings,
            clock: clock.clock(),
            ids: ids.ids.clone(),
            random: random(),
            streams: Streams::new(1_000),
            metrics: metrics.clone(),
        };
        let streams = app.streams.clone();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let routes = server::router(app).unwrap();
        let bounds = Bounds {
            max_connections: 1_000,
            shutdown_timeout: Duration::from_secs(1),
        };
        tokio::spawn(server::run(
            routes,
            listener,
            streams,
            bounds,
            metrics.clone(),
            std::future::pending(),
        ));
        Self {
            db,
            linkedin,
            metrics,
            clock,
            ids,
            address,
            client: client(),
            server_db,
            statements,
            database,
        }
    }

    /// Makes rows, at the time that the clock shows.
    pub(crate) fn world(&self) -> World<'_, DatabaseConnection> {
        World {
            db: &self.db,
            ids: &self.ids.ids,
            now: self.clock.now(),
        }
    }

    /// Somebody with a session for a month.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let world = self.world();
        let id = world.user(name, name).await.unwrap();
        let session = world
            .session(&id, world.now + TimeDelta::days(30))
            .await
            .unwrap();
        Person { id, session }
    }

    /// LinkedIn as the person connected it: active, with all scopes. Returns the identity's id.
    pub(crate) async fn connect_linkedin(&self, person: &Person, name: &str) -> String {
        self.world()
            .identity(&person.id, Some(name), Some(connection_data()))
            .await
            .unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request by nobody.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str, person: &Person) -> Reply {
        self.request(Method::GET, path).by(person).reply().await
    }

    pub(crate) async fn put(&self, path: &str, person: &Person, body: &Value) -> Reply {
        self.request(Method::PUT, path)
            .by(person)
            .json(body)
            .reply()
            .await
    }

    /// A GraphQL operation without variables.
    pub(crate) async fn gql(&self, person: &Person, query: &str) -> Reply {
        self.gql_with(person, query, json!({})).await
    }

    pub(crate) async fn gql_with(&self, person: &Person, query: &str, variables: Value) -> Reply {
        let body = json!({ "query": query, "variables": variables });
        self.request(Method::POST, "/graphql")
            .by(person)
            .json(&body)
            .reply()
            .await
    }

    /// From now on the server cannot reach its database.
    pub(crate) async fn lose_database(&self) {
        self.server_db.close_by_ref().await.unwrap();
        self.server_db.writers().close_by_ref().await.unwrap();
    }

    /// What the server has counted under this name, with these labels.
    pub(crate) fn counted(&self, series: &str) -> Option<f64> {
        let text = self.metrics.text().unwrap();
        let start = format!("linkedin_targets_{series} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&start))?;
        Some(value.parse().unwrap())
    }

    /// How many ids were made so far. Every request gets one when it arrives.
    pub(crate) fn ids_made(&self) -> u64 {
        self.ids.next.load(Ordering::Relaxed)
    }

    /// Takes all connections that read from the server: until they are rolled back, its questions wait.
    pub(crate) async fn take_connections(&self) -> Vec<DatabaseTransaction> {
        let connections = (0..CONNECTIONS).map(|_| self.server_db.begin());
        try_join_all(connections).await.unwrap()
    }

    /// The statements that the server has run since this was last asked.
    pub(crate) fn take_statements(&self) -> Vec<String> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }
}

/// Somebody who is signed in.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) session: String,
}

/// Requests as people send them.
pub(crate) trait Ask: Sized {
    /// With the person's session cookie.
    fn by(self, person: &Person) -> Self;
    /// Sends it, and reads the whole answer, which must be one that the server describes.
    async fn reply(self) -> Reply;
}

impl Ask for RequestBuilder {
    fn by(self, person: &Person) -> Self {
        self.header(COOKIE, format!("session={}", person.session))
    }

    async fn reply(self) -> Reply {
        let (client, request) = self.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.unwrap();
        let reply = Reply::of(response).await.unwrap();
        description::check(&method, &path, &reply);
        reply
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    /// Fails when the server goes away meanwhile.
    pub(crate) async fn of(response: Response) -> reqwest::Result<Self> {
        Ok(Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The `data` of a GraphQL answer without errors.
    pub(crate) fn data(&self) -> Value {
        let mut json = self.json();
        assert!(json.get("errors").is_none(), "{json}");
        json["data"].take()
    }

    /// `extensions.code` of each error of a GraphQL answer.
    pub(crate) fn codes(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let code = |error: &Value| error["extensions"]["code"].as_str().map(str::to_owned);
        errors
            .iter()
            .map(|error| code(error).unwrap_or_default())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A clock that stands still unless it is set.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<watch::Sender<NaiveDateTime>>);

impl TestClock {
    /// Shows 2026-06-12T12:00:00Z.
    pub(crate) fn new() -> Self {
        let date = NaiveDate::from_ymd_opt(2026, 6, 12).unwrap();
        Self(Arc::new(watch::Sender::new(
            date.and_hms_opt(12, 0, 0).unwrap(),
        )))
    }

    pub(crate) fn now(&self) -> NaiveDateTime {
        *self.0.borrow()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.send_modify(|now| *now += by);
    }

    pub(crate) fn clock(&self) -> Clock {
        Clock::set_by(self.0.subscribe())
    }
}

/// For the one row that is to have this id.
pub(crate) fn one_id(id: &str) -> Ids {
    let id = id.to_owned();
    Ids::new(move || id.clone())
}

/// UUIDs that count up.
#[derive(Clone)]
pub(crate) struct TestIds {
    ids: Ids,
    are_gone: Arc<AtomicBool>,
    next: Arc<AtomicU64>,
}

impl TestIds {
    fn new() -> Self {
        let (next, are_gone) = (
            Arc::new(AtomicU64::new(1)),
            Arc::new(AtomicBool::new(false)),
        );
        let (counter, gone) = (next.clone(), are_gone.clone());
        let ids = Ids::new(move || {
            assert!(!gone.load(Ordering::Relaxed), "there are no more ids");
            let number = counter.fetch_add(1, Ordering::Relaxed);
            format!("00000000-0000-4000-8000-{number:012x}")
        });
        Self {
            ids,
            are_gone,
            next,
        }
    }

    /// Whether the server panics where it needs one.
    pub(crate) fn are_gone(&self, gone: bool) {
        self.are_gone.store(gone, Ordering::Relaxed);
    }
}

fn settings() -> Settings {
    Settings {
        public_url: "https://interlinedlist.example".parse().unwrap(),
        session_cookies: vec!["session".to_owned()],
        allowed_origins: Vec::new(),
        graphiql: true,
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

async fn linkedin(clock: &TestClock) -> StandIn {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let next = AtomicU64::new(1);
    let clock = clock.clone();
    let new_id = move || next.fetch_add(1, Ordering::Relaxed).to_string();
    StandIn::start(listener, move || clock.now(), new_id).unwrap()
}

/// The server, as it is to be registered at LinkedIn.
pub(crate) fn application() -> linkedin::Application {
    linkedin::Application {
        client_id: "app".to_owned(),
        client_secret: SecretString::from("client-secret"),
        redirect_uri: "https://interlinedlist.example/api/auth/linkedin/callback"
            .parse()
            .unwrap(),
    }
}

/// Bytes that count up.
fn random() -> Random {
    let next = AtomicU64::new(1);
    Random::new(move || {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        bytes
    })
}

/// As the program has it; only what may be repeated is repeated at once.
fn linkedin_settings(base_url: &Url) -> linkedin::Settings {
    linkedin::Settings {
        retry_pause: Duration::from_millis(1),
        deadline: Duration::from_secs(8),
        ..linkedin::Settings::new(Some(application()), base_url.clone(), base_url.clone())
    }
}

/// Redirects are answers too.
fn client() -> Client {
    Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

/// What a connection with all scopes and no end looks like in the database.
pub(crate) fn connection_data() -> Value {
    json!({
        "access_token": "secret-token",
        "scope": "openid profile email w_member_social rw_organization_admin w_organization_social",
    })
}
