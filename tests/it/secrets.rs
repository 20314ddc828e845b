//! The program with everything logged that it and its libraries have to say: no secret is in it.

use std::fmt::Write;

use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, COOKIE},
};
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::json;
use sha2::{Digest, Sha256};
use stand_in_linkedin::{Endpoint, Fault, When, World};
use url::Url;

use linkedin_targets::storage::entity::linked_identity;

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::Backend,
    member::{SYNC, Stored, long_lived, meanwhile, reconnect, settled},
    process::{Serving, program, run},
};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_everything_tells_no_secret(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values("json", "pretty")] format: &str,
) {
    let Some(mut run) = Run::start(on, format).await else {
        return;
    };

    // Whatever deals with secrets has its line here.
    run.read_and_save().await;
    run.sync().await;
    run.sync_in_vain().await;
    run.be_refused().await;
    run.other_commands(format);

    run.check();
}

/// One run of the program, and what it may not tell.
struct Run {
    app: TestApp,
    server: Serving,
    client: Client,
    database_url: String,
    ada: Person,
    identity: String,
    bearer: &'static str,
    secrets: Vec<(String, String)>,
    /// What other commands have written.
    written: String,
}

impl Run {
    async fn start(on: Backend, format: &str) -> Option<Self> {
        let app = TestApp::new(on).await?;
        let ada = long_lived(&app, "ada").await;
        let identity = settled(&app, &ada).await;
        let bearer = "bearer-of-ada-0123456789";
        app.world().token(&ada.id, bearer).await.unwrap();
        let (database_url, password) = with_password(&app.database.url);
        let linkedin = app.linkedin.base_url().as_str();
        let settings = [
            ("RUST_LOG", "trace"),
            ("LOG_FORMAT", format),
            ("LINKEDIN_API_URL", linkedin),
            ("LINKEDIN_CLIENT_SECRET", "client-secret-0123456789"),
            ("LINKEDIN_SYNC_INTERVAL", "1ms"),
            ("LINKEDIN_DEADLINE", "2s"),
        ];
        let mut run = Self {
            server: Serving::start(&database_url, &settings),
            client: Client::new(),
            secrets: Vec::new(),
            written: String::new(),
            app,
            database_url,
            ada,
            identity,
            bearer,
        };
        run.hide("the client secret", "client-secret-0123456789");
        run.hide("the session", &run.ada.session.clone());
        run.hide("the bearer token", bearer);
        run.hide("the bearer token's hash", &hash(bearer));
        if let Some(password) = password {
            run.hide("the database password", &password);
        }
        run.hide_access_token().await;
        Some(run)
    }

    /// Says what may not be in the log.
    fn hide(&mut self, what: &str, secret: &str) {
        self.secrets.push((what.to_owned(), secret.to_owned()));
    }

    /// The one that the connection has now.
    async fn hide_access_token(&mut self) {
        let row = linked_identity::Entity::find_by_id(&self.identity);
        let row = row.one(&self.app.db).await.unwrap().unwrap();
        let token = row.provider_data.unwrap().0["access_token"].clone();
        let token = token.as_str().unwrap();
        self.hide("the access token", token);
        self.hide("the access token's hash", &hash(token));
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.server.url(path))
    }

    /// By session, and by token.
    async fn ask(&self, request: RequestBuilder) -> [Reply; 2] {
        let (by_session, by_token) = (request.try_clone().unwrap(), request);
        let by_session = by_session.header(COOKIE, format!("session={}", self.ada.session));
        let by_token = by_token.header(AUTHORIZATION, format!("Bearer {}", self.bearer));
        [by_session.reply().await, by_token.reply().await]
    }

    async fn read_and_save(&self) {
        let stored = Stored::of(&self.app, &self.identity).await;
        let acme = &stored.pages[0].id;
        let targets = json!({ "targets": [{ "kind": "personalPage", "personalPageId": acme }] });
        let save = "mutation($input: SetLinkedInPostingPreferencesInput!) {
            setLinkedInPostingPreferences(input: $input) { __typename } }";
        let input = json!({ "input": { "targets": [{ "personalPageId": acme }] } });
        let read = "{ linkedInTargets { __typename } linkedInConnection { status scopes }
            unavailableLinkedInTargets { id } }";
        let requests = [
            self.request(Method::GET, "/api/linkedin/targets"),
            self.request(Method::GET, "/api/linkedin/posting-targets"),
            self.request(Method::PUT, "/api/linkedin/posting-targets")
                .json(&targets),
            self.request(Method::POST, "/graphql")
                .json(&json!({ "query": read })),
            self.request(Method::POST, "/graphql")
                .json(&json!({ "query": save, "variables": input })),
        ];
        for request in requests {
            for reply in self.ask(request).await {
                assert_eq!(reply.status, 200, "{}", reply.text);
                assert!(!reply.text.contains("errors"), "{}", reply.text);
            }
        }
    }

    fn syncs(&self) -> [RequestBuilder; 2] {
        [
            self.request(Method::POST, "/api/linkedin/sync-pages"),
            self.request(Method::POST, "/graphql")
                .json(&json!({ "query": SYNC })),
        ]
    }

    async fn sync(&self) {
        self.app.linkedin.world(meanwhile);
        for request in self.syncs() {
            for reply in self.ask(request).await {
                assert_eq!(reply.status, 200, "{}", reply.text);
                assert!(reply.text.contains("Fresh"), "{}", reply.text);
            }
        }
    }

    /// Every fault that there is, and one that repeats the token; after each the member connects again.
    async fn sync_in_vain(&mut self) {
        for number in 0..=Fault::examples().len() {
            let fault = Fault::examples().get(number).cloned();
            let fault = fault.unwrap_or_else(|| self.indiscretion());
            let when = When::always().at(Endpoint::OrganizationAcls);
            self.app.linkedin.world(|world| world.fail(fault, when));
            let [rest, graphql] = self.syncs();
            let rest = rest.header(COOKIE, format!("session={}", self.ada.session));
            let graphql = graphql.header(AUTHORIZATION, format!("Bearer {}", self.bearer));
            for request in [rest, graphql] {
                let reply = request.reply().await;
                assert!(!reply.text.contains("Fresh"), "{}", reply.text);
            }
            self.app.linkedin.world(World::heal);
            self.app.linkedin.release();
            reconnect(&self.app, &self.identity, "ada").await;
            self.hide_access_token().await;
        }
        self.sync().await;
    }

    /// An answer that says, in every place there is, what it was asked with.
    fn indiscretion(&self) -> Fault {
        let (_, token) = self
            .secrets
            .iter()
            .rev()
            .find(|(what, _)| what == "the access token")
            .unwrap();
        Fault::Json(
            StatusCode::BAD_REQUEST,
            json!({ "code": token, "serviceErrorCode": token, "message": token, "status": token,
                "error": token, "error_description": token }),
        )
    }

    /// With what proves nothing, which may be somebody's all the same.
    async fn be_refused(&mut self) {
        for path in [
            "/api/linkedin/targets",
            "/api/linkedin/nothing",
            "/graphql?query={linkedInTargets{__typename}}",
        ] {
            let request = self.request(Method::GET, path);
            let request = request.header(COOKIE, "session=mistyped-session-0123456789");
            let request = request.header(AUTHORIZATION, "Bearer mistyped-token-0123456789");
            let reply = request.reply().await;
            assert!(reply.text.contains("error"), "{}", reply.text);
        }
        self.hide("an unknown session", "mistyped-session-0123456789");
        self.hide("an unknown token", "mistyped-token-0123456789");
        self.hide(
            "an unknown token's hash",
            &hash("mistyped-token-0123456789"),
        );
    }

    fn other_commands(&mut self, format: &str) {
        let nowhere = "postgres://user:other-password-0123456789@127.0.0.1:1/db";
        self.hide("another password", "other-password-0123456789");
        for (arguments, url) in [
            (["migrate", "status"], self.database_url.as_str()),
            (["migrate", "up"], self.database_url.as_str()),
            (["migrate", "status"], nowhere),
        ] {
            let mut program = program(&arguments);
            program
                .env("DATABASE_URL", url)
                .env("DATABASE_ACQUIRE_TIMEOUT", "1s");
            let (_, out, told) = run(program.env("RUST_LOG", "trace").env("LOG_FORMAT", format));
            self.written.push_str(&out);
            self.written.push_str(&told);
        }
    }

    fn check(self) {
        let log = self.server.everything() + &self.written;
        std::fs::write(format!("/tmp/secrets-{}.log", log.len()), &log).unwrap();
        assert!(
            log.contains("hyper_util"),
            "not everything is logged: {log}"
        );
        let mut told = Vec::new();
        for (what, secret) in &self.secrets {
            for form in forms(secret) {
                let line = log.lines().find(|line| line.contains(&form));
                told.extend(line.map(|line| format!("{what}: {}", cut(line))));
            }
        }
        assert!(told.is_empty(), "{told:#?}");
    }
}

/// As text, and the beginning as bytes in the ways in which Rust shows them.
fn forms(secret: &str) -> [String; 3] {
    let start = &secret.as_bytes()[..16];
    let mut decimal = String::new();
    for byte in start {
        write!(decimal, "{byte}, ").unwrap();
    }
    [secret.to_owned(), decimal, hex::encode(start)]
}

fn cut(line: &str) -> String {
    line.chars().take(500).collect()
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// The address with a password, and the password; SQLite has none. A server that trusts this machine ignores it.
fn with_password(url: &str) -> (String, Option<String>) {
    let mut url = Url::parse(url).unwrap();
    if url.scheme() == "sqlite" {
        return (url.into(), None);
    }
    if url.password().is_none() {
        url.set_password(Some("database-password-0123456789"))
            .unwrap();
    }
    let password = url.password().map(str::to_owned);
    (url.into(), password)
}
