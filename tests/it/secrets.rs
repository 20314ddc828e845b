//! The program with everything logged that it and its libraries have to say: no secret is in it.

use std::fmt::Write;

use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, COOKIE},
    redirect::Policy,
};
use rstest::rstest;
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};
use stand_in_linkedin::{Consent, Endpoint, Fault, Member, When, World};
use url::Url;

use linkedin_targets::storage::entity::{SecretJson, linked_identity};

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::Backend,
    member::{SYNC, Stored, long_lived, meanwhile, reconnect, settled},
    process::{Serving, program, run},
};

const CLIENT_SECRET: &str = "client-secret-0123456789";
const CALLBACK: &str = "https://interlinedlist.example/api/auth/linkedin/callback";
const KEY: &str = "b2xkLWtleS1vbGQta2V5LW9sZC1rZXktb2xkLWtleS0=";

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
    run.link().await;
    run.link_in_vain().await;
    run.sync().await;
    run.renew().await;
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
        app.linkedin.world(|world| {
            let application = &mut world.applications[0];
            application.client_secret = SecretString::from(CLIENT_SECRET);
            application.redirect_uris = vec![CALLBACK.to_owned()];
            application.partner = true;
            world.members.push(Member::new("eve", "Eve"));
        });
        let settings = [
            ("RUST_LOG", "trace"),
            ("LOG_FORMAT", format),
            ("PUBLIC_URL", "https://interlinedlist.example"),
            ("LINKEDIN_API_URL", linkedin),
            ("LINKEDIN_OAUTH_URL", linkedin),
            ("LINKEDIN_CLIENT_ID", "app"),
            ("LINKEDIN_CLIENT_SECRET", CLIENT_SECRET),
            ("TOKEN_KEYS", KEY),
            ("LINKEDIN_SYNC_INTERVAL", "1ms"),
            ("RATE_LIMIT_SYNC", "off"),
            ("LINKEDIN_DEADLINE", "2s"),
        ];
        let mut run = Self {
            server: Serving::start(&database_url, &settings),
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
            secrets: Vec::new(),
            written: String::new(),
            app,
            database_url,
            ada,
            identity,
            bearer,
        };
        run.hide("the client secret", CLIENT_SECRET);
        run.hide("a key for tokens", KEY);
        // So LinkedIn's secrets begin here.
        for (what, start) in [
            ("an access token", "AQV-"),
            ("a code", "AQT-"),
            ("a refresh token", "AQR-"),
        ] {
            run.hide(what, start);
        }
        run.hide("the session", &run.ada.session.clone());
        run.hide("the bearer token", bearer);
        run.hide("the bearer token's hash", &hash(bearer));
        if let Some(password) = password {
            run.hide("the database password", &password);
        }
        run.hide_tokens().await;
        let mut row = run.identity().await.into_active_model();
        row.provider_user_id = Set("ada".to_owned());
        row.update(&run.app.db).await.unwrap();
        Some(run)
    }

    /// Says what may not be in the log.
    fn hide(&mut self, what: &str, secret: &str) {
        self.secrets.push((what.to_owned(), secret.to_owned()));
    }

    async fn identity(&self) -> linked_identity::Model {
        Stored::of(&self.app, &self.identity).await.identity
    }

    /// Those that the connection has now, as they are stored: sealed, if the server stored them.
    async fn hide_tokens(&mut self) {
        let data = self.identity().await.provider_data;
        let data = data.unwrap().0;
        for what in ["access_token", "refresh_token"] {
            if let Some(token) = data[what].as_str() {
                self.hide(what, token);
                self.hide(&format!("the hash of {what}"), &hash(token));
            }
        }
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

    /// To LinkedIn and back. Where the browser is sent then.
    async fn link_as(&mut self, member: &str, consent: Consent) -> String {
        let session = format!("session={}", self.ada.session);
        let begin = self.request(Method::GET, "/api/auth/linkedin/authorize?link=true");
        let begun = begin.header(COOKIE, &session).reply().await;
        let consent_page: Url = begun.header("location").unwrap().parse().unwrap();
        let back = self.app.linkedin.consent(&consent_page, consent).unwrap();
        let cookie = begun
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let (_, attempt) = cookie.split_once('=').unwrap();
        self.hide(&format!("the cookie of {member}'s attempt"), attempt);
        for (name, value) in consent_page.query_pairs().chain(back.query_pairs()) {
            if ["state", "code"].contains(&&*name) {
                self.hide(&format!("the {name} of {member}'s attempt"), &value);
            }
        }
        let path = format!("{}?{}", back.path(), back.query().unwrap());
        let end = self.request(Method::GET, &path);
        let ended = end
            .header(COOKIE, format!("{session}; {cookie}"))
            .reply()
            .await;
        let question = self.request(Method::GET, "/api/auth/linkedin/confirm");
        for cookie in ended.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            let (_, value) = cookie.split_once('=').unwrap();
            if !value.is_empty() {
                self.hide(&format!("the question to {member}"), value);
                let question = question.try_clone().unwrap();
                let asked = question.header(COOKIE, format!("{session}; {cookie}"));
                assert_eq!(asked.reply().await.status, 200);
            }
        }
        ended.header("location").unwrap_or_default().to_owned()
    }

    async fn link(&mut self) {
        let linked = self.link_as("ada", Consent::approve("ada")).await;
        assert!(linked.ends_with("?linked=linkedin"), "{linked}");
        self.hide_tokens().await;
    }

    /// Cancelled, as somebody else, and with every fault where a code is exchanged and where the member is asked for.
    async fn link_in_vain(&mut self) {
        for consent in [Consent::Cancel, Consent::approve("eve")] {
            let ended = self.link_as("eve", consent).await;
            assert!(!ended.ends_with("?linked=linkedin"), "{ended}");
        }
        for fault in Fault::examples() {
            for endpoint in [Endpoint::AccessToken, Endpoint::UserInfo] {
                self.app
                    .linkedin
                    .world(|world| world.fail(fault.clone(), When::always().at(endpoint)));
                let ended = self.link_as("ada", Consent::approve("ada")).await;
                assert!(!ended.ends_with("?linked=linkedin"), "{ended}");
                self.app.linkedin.world(World::heal);
                self.app.linkedin.release();
            }
        }
    }

    /// The connection has ended, and a refresh token renews it; at first it does not.
    async fn renew(&mut self) {
        let row = self.identity().await;
        let mut data = row.provider_data.clone().unwrap().0;
        data["expires_at"] = json!("2026-06-12T00:00:00.000Z");
        let mut row = row.into_active_model();
        row.provider_data = Set(Some(SecretJson(data)));
        row.update(&self.app.db).await.unwrap();
        let once = When::always().at(Endpoint::AccessToken).times(1);
        self.app
            .linkedin
            .world(|world| world.fail(self.indiscretion(), once));
        self.app.linkedin.forget_calls();
        let [rest, _] = self.syncs();
        let [refused, renewed] = self.ask(rest).await;
        assert_eq!(
            (refused.status.as_u16(), renewed.status.as_u16()),
            (400, 200)
        );
        assert_eq!(self.app.linkedin.calls_to(Endpoint::AccessToken), 2);
        self.hide_tokens().await;
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
            self.hide_tokens().await;
        }
        self.sync().await;
    }

    /// An answer that says, in every place there is, what it was asked with.
    fn indiscretion(&self) -> Fault {
        let (_, token) = self
            .secrets
            .iter()
            .rev()
            .find(|(what, _)| what == "access_token")
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
    let start = &secret.as_bytes()[..secret.len().min(16)];
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
