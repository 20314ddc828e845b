//! The command line and the environment, read here and nowhere else, into types that cannot hold nonsense.

use std::{
    ffi::OsStr,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use clap::{
    Arg, Args, Parser, Subcommand, ValueEnum,
    builder::{BoolishValueParser, RangedU64ValueParser, TypedValueParser},
    error::{ContextKind, ContextValue},
};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    linkedin,
    manifest::Manifest,
    rate_limits::{Rate, Rates},
    seal, storage,
};

/// LinkedIn targets and posting preferences of InterlinedList users, over GraphQL and REST.
#[derive(Debug, Parser)]
#[command(name = "linkedin-targets", version, about, max_term_width = 110)]
#[command(mut_args = from_environment, mut_subcommands = |command| command.mut_args(from_environment))]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to log.
    #[command(flatten)]
    pub log: Log,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer requests until SIGTERM or Ctrl-C.
    Serve(Box<Serve>),
    /// Look at everything that `serve` depends on, with the same settings, and say what to do.
    Doctor(Box<Serve>),
    /// Create what is missing in the database; nothing that exists is ever changed.
    Migrate(Migrate),
    /// Print the GraphQL schema.
    Schema {
        /// As a subgraph of Apollo Federation 2, which `serve --federation` then is.
        #[arg(long)]
        federation: bool,
    },
    /// Print the description of the REST face, as OpenAPI has it.
    Openapi,
    /// Try everything with made-up people, on SQLite, on this machine only.
    Demo(Demo),
}

/// How to log.
#[derive(Clone, Debug, Args)]
pub struct Log {
    /// How log lines look.
    #[arg(
        long,
        env,
        value_name = "LOG_FORMAT",
        default_value = "pretty",
        global = true
    )]
    pub log_format: LogFormat,
    /// Which lines are logged: a level, or a level for each target, as in `info,linkedin_targets=debug`.
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "RUST_LOG",
        default_value = "info,sea_orm_migration=warn,sqlx=warn",
        global = true
    )]
    pub log_filter: String,
    /// Where traces are sent by OTLP over HTTP, such as `http://localhost:4318`. By default nowhere. The other variables
    /// of OpenTelemetry, such as OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER, hold as well.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "OTEL_EXPORTER_OTLP_ENDPOINT",
        global = true,
        value_parser = Unshown(web_address)
    )]
    pub otlp_endpoint: Option<Url>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line, for collectors.
    Json,
}

/// Where the data is and how it is reached.
#[derive(Clone, Debug, Args)]
pub struct Database {
    /// `postgres://…` or `sqlite://<file>`. It may hold a password, so it is never shown.
    #[arg(
        long,
        env,
        value_name = "DATABASE_URL",
        default_value = "sqlite://data/linkedin-targets.db",
        value_parser = secret,
    )]
    pub database_url: SecretString,
    /// Most connections to the database at one time.
    #[arg(long, env, value_name = "DATABASE_MAX_CONNECTIONS", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_max_connections: u32,
    /// How long a request waits for a connection, or on SQLite for the right to write.
    #[arg(long, env, value_name = "DATABASE_ACQUIRE_TIMEOUT", default_value = "3s", value_parser = duration)]
    pub database_acquire_timeout: Duration,
    /// How long PostgreSQL may work on one statement.
    #[arg(long, env, value_name = "DATABASE_STATEMENT_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub database_statement_timeout: Duration,
}

/// Settings of `serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// The database.
    #[command(flatten)]
    pub database: Database,
    /// Address to listen on; `0.0.0.0` or `::` for all.
    #[arg(long, env, value_name = "BIND", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, env, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Address and port at which Prometheus fetches /metrics, such as `127.0.0.1:9090`; it must not be the public one.
    /// By default there is none.
    #[arg(long, env, value_name = "ADMIN_ADDRESS")]
    pub admin_address: Option<SocketAddr>,
    /// InterlinedList's address as browsers see it, such as `https://interlinedlist.com`. Requests from its pages are
    /// trusted, and links to reconnect LinkedIn lead there. The default is `http://localhost:<PORT>`.
    #[arg(long, env, value_name = "PUBLIC_URL", value_parser = Unshown(web_address))]
    pub public_url: Option<Url>,
    /// Name of the session cookie, or several separated by commas, the preferred one first.
    #[arg(long, env, value_name = "SESSION_COOKIE_NAME", default_value = "session", value_delimiter = ',',
        value_parser = cookie_name)]
    pub session_cookie_name: Vec<String>,
    /// Other origins whose pages may call with the visitor's cookie, separated by commas.
    #[arg(long, env, value_name = "ALLOWED_ORIGINS", value_delimiter = ',', value_parser = Unshown(origin))]
    pub allowed_origins: Vec<String>,
    /// Serve GraphiQL at /graphiql/, and Swagger UI for the REST paths at /openapi/.
    #[arg(long, env, value_name = "GRAPHIQL", default_value = "false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub graphiql: bool,
    /// Answer questions about the GraphQL schema; GraphiQL and code generators need it.
    #[arg(long, env, value_name = "INTROSPECTION", default_value = "true", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub introspection: bool,
    /// Answer a gateway of Apollo Federation too: its `_entities` and `_service` are then part of the GraphQL schema.
    #[arg(long, env, value_name = "FEDERATION", default_value = "false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub federation: bool,
    /// Files, separated by commas, with the only documents that run, as graphql-codegen, relay-compiler or Apollo write
    /// them for a front end. Clients send an id from there as `documentId`, or the document. By default any document runs.
    #[arg(long, env, value_name = "TRUSTED_DOCUMENTS", value_delimiter = ',')]
    pub trusted_documents: Vec<PathBuf>,
    /// How often a subscription looks for changes that nobody announces, such as a session that the web application ended.
    #[arg(long, env, value_name = "SUBSCRIPTION_INTERVAL", default_value = "30s", value_parser = duration)]
    pub subscription_interval: Duration,
    /// Most subscriptions and WebSockets that are open at one time.
    #[arg(long, env, value_name = "MAX_SUBSCRIPTIONS", default_value_t = 20_000)]
    pub max_subscriptions: usize,
    /// Proxies, as addresses or networks separated by commas, which say in X-Forwarded-For whose requests they pass on.
    #[arg(long, env, value_name = "TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Most requests of one user, as in `6000/1m`: so many at once or in that time. `off` for no limit.
    #[arg(long, env, value_name = "RATE_LIMIT_USER", default_value = "6000/1m", value_parser = rate)]
    pub rate_limit_user: MaybeRate,
    /// Most requests from one address that is known to be a client's: those of proxies and of this machine are not,
    /// unless TRUSTED_PROXIES names the proxy.
    #[arg(long, env, value_name = "RATE_LIMIT_ADDRESS", default_value = "30000/1m", value_parser = rate)]
    pub rate_limit_address: MaybeRate,
    /// Most syncs with LinkedIn of one user.
    #[arg(long, env, value_name = "RATE_LIMIT_SYNC", default_value = "120/1m", value_parser = rate)]
    pub rate_limit_sync: MaybeRate,
    /// Most requests that are worked on at one time; others are answered with 503 at once.
    #[arg(long, env, value_name = "MAX_REQUESTS", default_value_t = 512,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_requests: u32,
    /// Most connections at one time; others are closed at once. As far as the system lets one process go.
    #[arg(long, env, value_name = "MAX_CONNECTIONS", default_value_t = 16_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// How long a request may take before it is answered with 503.
    #[arg(long, env, value_name = "REQUEST_TIMEOUT", default_value = "10s", value_parser = duration)]
    pub request_timeout: Duration,
    /// How much one GraphQL request may ask for.
    #[command(flatten)]
    pub limits: Limits,
    /// How the server talks to LinkedIn.
    #[command(flatten)]
    pub linkedin: LinkedIn,
    /// Keys that seal LinkedIn's tokens in the database: 32 random bytes in base64, or several such keys separated by
    /// commas, the newest first. The InterlinedList web application cannot read sealed tokens, so set it only where
    /// this server alone uses them. By default tokens are stored as they are.
    #[arg(long, env, value_name = "TOKEN_KEYS", value_parser = secret)]
    pub token_keys: Option<SecretString>,
    /// How long requests that are under way may take to end after SIGTERM.
    #[arg(long, env, value_name = "SHUTDOWN_TIMEOUT", default_value = "20s", value_parser = duration)]
    pub shutdown_timeout: Duration,
}

/// How much one GraphQL request may ask for. Everything is counted before anything is expanded.
#[derive(Clone, Debug, Args)]
pub struct Limits {
    /// Most bytes of a GraphQL request's body, and of a message on a WebSocket.
    #[arg(long = "graphql-max-body-bytes", env = "GRAPHQL_MAX_BODY_BYTES", value_name = "GRAPHQL_MAX_BODY_BYTES",
        default_value_t = Limits::DEFAULT.body_bytes, value_parser = count(1_024..=16 * 1024 * 1024))]
    pub body_bytes: usize,
    /// Most bytes of a GraphQL document.
    #[arg(long = "graphql-max-document-bytes", env = "GRAPHQL_MAX_DOCUMENT_BYTES",
        value_name = "GRAPHQL_MAX_DOCUMENT_BYTES",
        default_value_t = Limits::DEFAULT.bytes, value_parser = count(256..=1024 * 1024))]
    pub bytes: usize,
    /// Most lexical tokens of a document, as the specification names them: blanks, commas and comments are none. As
    /// many values may its variables have: lists, objects and what is in them, each counted.
    #[arg(long = "graphql-max-tokens", env = "GRAPHQL_MAX_TOKENS", value_name = "GRAPHQL_MAX_TOKENS",
        default_value_t = Limits::DEFAULT.tokens, value_parser = count(10..=100_000))]
    pub tokens: usize,
    /// How deep brackets of any kind may stand in each other.
    #[arg(long = "graphql-max-nesting", env = "GRAPHQL_MAX_NESTING", value_name = "GRAPHQL_MAX_NESTING",
        default_value_t = Limits::DEFAULT.syntax_depth, value_parser = count(4..=128))]
    pub syntax_depth: usize,
    /// Most fields and fragments of an operation, each fragment counted as often as it is spread. In a list of the
    /// schema's types or fields each counts twice, in such a list inside another four times.
    #[arg(long = "graphql-max-selections", env = "GRAPHQL_MAX_SELECTIONS", value_name = "GRAPHQL_MAX_SELECTIONS",
        default_value_t = Limits::DEFAULT.selections, value_parser = count(1..=50_000))]
    pub selections: usize,
    /// Most aliases of an operation.
    #[arg(long = "graphql-max-aliases", env = "GRAPHQL_MAX_ALIASES", value_name = "GRAPHQL_MAX_ALIASES",
        default_value_t = Limits::DEFAULT.aliases, value_parser = count(0..=10_000))]
    pub aliases: usize,
    /// Most directives of an operation.
    #[arg(long = "graphql-max-directives", env = "GRAPHQL_MAX_DIRECTIVES", value_name = "GRAPHQL_MAX_DIRECTIVES",
        default_value_t = Limits::DEFAULT.directives, value_parser = count(0..=10_000))]
    pub directives: usize,
    /// How deep fields may stand in each other; fields and fragments together, twice as deep.
    #[arg(long = "graphql-max-depth", env = "GRAPHQL_MAX_DEPTH", value_name = "GRAPHQL_MAX_DEPTH",
        default_value_t = Limits::DEFAULT.depth, value_parser = count(1..=Limits::GREATEST_DEPTH as u64))]
    pub depth: usize,
    /// Most fields at the top of an operation.
    #[arg(long = "graphql-max-root-fields", env = "GRAPHQL_MAX_ROOT_FIELDS", value_name = "GRAPHQL_MAX_ROOT_FIELDS",
        default_value_t = Limits::DEFAULT.root_fields, value_parser = count(1..=1_000))]
    pub root_fields: usize,
    /// Most operations of a document.
    #[arg(long = "graphql-max-operations", env = "GRAPHQL_MAX_OPERATIONS", value_name = "GRAPHQL_MAX_OPERATIONS",
        default_value_t = Limits::DEFAULT.operations, value_parser = count(1..=1_000))]
    pub operations: usize,
    /// How deep lists of fields, types and the like may stand in each other, in questions about the schema.
    #[arg(long = "graphql-max-introspection-lists", env = "GRAPHQL_MAX_INTROSPECTION_LISTS",
        value_name = "GRAPHQL_MAX_INTROSPECTION_LISTS",
        default_value_t = Limits::DEFAULT.introspection_lists, value_parser = count(0..=4))]
    pub introspection_lists: usize,
    /// Most errors of one answer.
    #[arg(long = "graphql-max-errors", env = "GRAPHQL_MAX_ERRORS", value_name = "GRAPHQL_MAX_ERRORS",
        default_value_t = Limits::DEFAULT.errors, value_parser = count(1..=1_000))]
    pub errors: usize,
}

impl Limits {
    /// The standard introspection query, GraphiQL and the usual test suites fit with room to spare.
    pub const DEFAULT: Self = Self {
        body_bytes: 64 * 1024,
        bytes: 16 * 1024,
        tokens: 2_000,
        syntax_depth: 64,
        selections: 1_000,
        aliases: 30,
        directives: 50,
        depth: 16,
        root_fields: 20,
        operations: 20,
        introspection_lists: 2,
        errors: 20,
    };

    /// async-graphql parses no more than 64 selections inside each other, which is twice as many.
    pub(crate) const GREATEST_DEPTH: usize = 32;
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A rate, or none.
#[derive(Clone, Copy, Debug)]
pub struct MaybeRate(pub Option<Rate>);

/// How the server talks to LinkedIn.
#[derive(Clone, Debug, Args)]
pub struct LinkedIn {
    /// The id of your application at LinkedIn. With it and its secret people can link their accounts here.
    #[arg(
        long,
        env,
        value_name = "LINKEDIN_CLIENT_ID",
        requires = "linkedin_client_secret"
    )]
    pub linkedin_client_id: Option<String>,
    /// The secret of your application at LinkedIn. It is never shown.
    #[arg(long, env, value_name = "LINKEDIN_CLIENT_SECRET", requires = "linkedin_client_id",
        value_parser = secret)]
    pub linkedin_client_secret: Option<SecretString>,
    /// Where LinkedIn sends people back to, as it is registered there. The default is
    /// `<PUBLIC_URL>/api/auth/linkedin/callback`.
    #[arg(long, env, value_name = "LINKEDIN_REDIRECT_URI", value_parser = Unshown(web_address))]
    pub linkedin_redirect_uri: Option<Url>,
    /// Where LinkedIn asks people for their consent.
    #[arg(long, env, value_name = "LINKEDIN_OAUTH_URL", default_value = "https://www.linkedin.com",
        value_parser = Unshown(web_address))]
    pub linkedin_oauth_url: Url,
    /// Where LinkedIn's API is.
    #[arg(long, env, value_name = "LINKEDIN_API_URL", default_value = "https://api.linkedin.com",
        value_parser = Unshown(web_address))]
    pub linkedin_api_url: Url,
    /// The month of LinkedIn's API that calls are made for, as YYYYMM. LinkedIn serves a month for about a year.
    #[arg(long, env, value_name = "LINKEDIN_VERSION", default_value = "202607", value_parser = month)]
    pub linkedin_version: String,
    /// How long a connection to LinkedIn may take to open.
    #[arg(long, env, value_name = "LINKEDIN_CONNECT_TIMEOUT", default_value = "3s", value_parser = duration)]
    pub linkedin_connect_timeout: Duration,
    /// How long one attempt at one call to LinkedIn may take.
    #[arg(long, env, value_name = "LINKEDIN_CALL_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub linkedin_call_timeout: Duration,
    /// How long one sync may take, with all its calls and repetitions. It must be shorter than REQUEST_TIMEOUT.
    #[arg(long, env, value_name = "LINKEDIN_DEADLINE", default_value = "8s", value_parser = duration)]
    pub linkedin_deadline: Duration,
    /// The most company pages that are fetched for one member; of those beyond, the sync says that it is not complete.
    #[arg(long, env, value_name = "LINKEDIN_MAX_PAGES", default_value_t = 500,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub linkedin_max_pages: u32,
    /// How long the result of a sync is answered again before LinkedIn is asked anew.
    #[arg(long, env, value_name = "LINKEDIN_SYNC_INTERVAL", default_value = "10s", value_parser = duration)]
    pub linkedin_sync_interval: Duration,
}

impl LinkedIn {
    /// The client's settings.
    ///
    /// # Errors
    /// When no address can be made from `public_url`.
    pub fn settings(&self, public_url: &Url) -> Result<linkedin::Settings, url::ParseError> {
        let redirect_uri = match &self.linkedin_redirect_uri {
            Some(uri) => uri.clone(),
            None => public_url.join(linkedin::CALLBACK)?,
        };
        let application = self
            .linkedin_client_id
            .clone()
            .zip(self.linkedin_client_secret.clone())
            .map(|(client_id, client_secret)| linkedin::Application {
                client_id,
                client_secret,
                redirect_uri,
            });
        let (oauth_url, api_url) = (
            self.linkedin_oauth_url.clone(),
            self.linkedin_api_url.clone(),
        );
        Ok(linkedin::Settings {
            version: self.linkedin_version.clone(),
            connect_timeout: self.linkedin_connect_timeout,
            call_timeout: self.linkedin_call_timeout,
            deadline: self.linkedin_deadline,
            max_pages: self.linkedin_max_pages as usize,
            ..linkedin::Settings::new(application, oauth_url, api_url)
        })
    }
}

impl Serve {
    /// How often somebody may ask.
    #[must_use]
    pub fn rates(&self) -> Rates {
        Rates {
            user: self.rate_limit_user.0,
            address: self.rate_limit_address.0,
            sync: self.rate_limit_sync.0,
        }
    }

    /// Refuses settings that contradict each other.
    ///
    /// # Errors
    /// A sentence that names the variables.
    pub fn check(&self) -> Result<(), String> {
        if self.linkedin.linkedin_deadline >= self.request_timeout {
            return Err(
                "invalid value for LINKEDIN_DEADLINE: it must be shorter than REQUEST_TIMEOUT"
                    .to_owned(),
            );
        }
        if self.admin_address.is_some_and(|admin| self.meets(admin)) {
            return Err(
                "invalid value for ADMIN_ADDRESS: it must not be the address of BIND and PORT"
                    .to_owned(),
            );
        }
        if self.federation && !self.trusted_documents.is_empty() {
            return Err(
                "invalid value for TRUSTED_DOCUMENTS: with FEDERATION, a gateway asks what no list foresees"
                    .to_owned(),
            );
        }
        self.seal_keys().map(drop)
    }

    /// Whether the public listener could be reached at this address.
    fn meets(&self, admin: SocketAddr) -> bool {
        let is_same = self.bind == admin.ip();
        let is_any = self.bind.is_unspecified() || admin.ip().is_unspecified();
        self.port != 0 && self.port == admin.port() && (is_same || is_any)
    }

    /// The documents that may run, if not any may.
    ///
    /// # Errors
    /// A sentence that names the variable and the file.
    pub fn manifest(&self) -> Result<Option<Manifest>, String> {
        if self.trusted_documents.is_empty() {
            return Ok(None);
        }
        let manifest = Manifest::read(&self.trusted_documents)
            .map_err(|cause| format!("invalid value for TRUSTED_DOCUMENTS: {cause}"))?;
        Ok(Some(manifest))
    }

    /// What tokens are sealed with.
    ///
    /// # Errors
    /// A sentence that names the variable.
    pub fn seal_keys(&self) -> Result<seal::Keys, String> {
        let Some(list) = &self.token_keys else {
            return Ok(seal::Keys::default());
        };
        seal::Keys::parse(list).map_err(|cause| format!("invalid value for TOKEN_KEYS: {cause}"))
    }
}

/// `migrate up` and `migrate status`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// The database.
    #[command(flatten)]
    pub database: Database,
    /// What to do.
    #[command(subcommand)]
    pub action: MigrateAction,
}

/// What `migrate` can do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum MigrateAction {
    /// Create the tables and indexes that are missing.
    Up {
        /// Print the SQL that would run, and run none of it.
        #[arg(long)]
        dry_run: bool,
        /// On PostgreSQL, add triggers too, by which every server hears at once of what others change: other servers
        /// and the InterlinedList web application. Subscribers then need not wait for SUBSCRIPTION_INTERVAL.
        #[arg(long)]
        with_notifications: bool,
    },
    /// Remove the triggers that `up --with-notifications` added.
    RemoveNotifications {
        /// Print the SQL that would run, and run none of it.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show which migrations have run, and what is missing.
    Status,
}

/// Settings of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Port to listen on, on this machine only; 0 takes a free one.
    #[arg(long, env, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Folder for the database, kept between runs. [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

impl Database {
    /// Refuses a URL of another kind of database, without showing it.
    ///
    /// # Errors
    /// A sentence that names the variable.
    pub fn check(&self) -> Result<(), String> {
        let url = self.database_url.expose_secret();
        let is_known = ["postgres://", "postgresql://", "sqlite:"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        if is_known {
            Ok(())
        } else {
            Err(
                "invalid value for DATABASE_URL: it must begin with postgres:// or sqlite://"
                    .to_owned(),
            )
        }
    }

    /// The pool's settings; `create` makes a SQLite file that does not exist.
    #[must_use]
    pub fn pool(&self, create: bool) -> storage::Pool {
        storage::Pool {
            max_connections: self.database_max_connections,
            acquire_timeout: self.database_acquire_timeout,
            statement_timeout: self.database_statement_timeout,
            create,
        }
    }
}

/// Sets the variables of `.env` that are not set.
///
/// # Errors
/// A sentence that says where the file is wrong, without its text.
pub fn read_dot_env() -> Result<(), String> {
    match dotenvy::dotenv() {
        Err(dotenvy::Error::LineParse(..)) => {
            let read = dotenvy::dotenv_iter().into_iter().flatten();
            let place = match read.map_while(Result::ok).last() {
                Some((name, _)) => format!("what follows {name}"),
                None => "its beginning".to_owned(),
            };
            Err(format!(
                "cannot read .env: {place} is not NAME=value; a value with spaces needs quotes"
            ))
        }
        Err(cause) if !cause.not_found() => Err(format!("cannot read .env: {cause}")),
        _ => Ok(()),
    }
}

/// An empty variable, as compose and `.env` files leave behind, counts as unset. Help shows no variable's value.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
fn from_environment(arg: Arg) -> Arg {
    let value = arg.get_env().and_then(std::env::var_os);
    let arg = arg.hide_env_values(true);
    if value.is_some_and(|value| value.is_empty()) {
        arg.env(None)
    } else {
        arg
    }
}

/// Its errors say what is wrong without the value, in which there may be a password.
#[derive(Clone)]
struct Unshown<P>(P);

impl<P: TypedValueParser> TypedValueParser for Unshown<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<P::Value, clap::Error> {
        self.0.parse_ref(command, arg, value).map_err(|mut error| {
            let unshown = ContextValue::String("(not shown)".to_owned());
            error.insert(ContextKind::InvalidValue, unshown);
            error
        })
    }
}

fn count(range: RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}

/// Longer ones are mistakes, and too long for some of those that count with them.
const A_YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than nothing".to_owned()),
        Ok(duration) if duration > A_YEAR => Err("must be no longer than a year".to_owned()),
        Ok(duration) => Ok(duration),
        Err(cause) => Err(format!(
            "{cause}; write a number with its unit, such as 500ms, 10s or 2m"
        )),
    }
}

fn rate(text: &str) -> Result<MaybeRate, String> {
    if text == "off" {
        return Ok(MaybeRate(None));
    }
    let (count, period) = text
        .split_once('/')
        .ok_or("write how many in how long, as in 6000/1m, or `off`")?;
    let count = count
        .parse()
        .map_err(|_| "the number before the slash must be at least 1")?;
    let period = duration(period)?;
    Ok(MaybeRate(Some(Rate { count, period })))
}

fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let network = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "write an address or a network, as in 10.0.0.0/8".to_owned())
}

fn month(text: &str) -> Result<String, String> {
    let is_month = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_month {
        Ok(text.to_owned())
    } else {
        Err("write the year and the month, as in 202607".to_owned())
    }
}

fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|cause| format!("{cause}; write it as in https://interlinedlist.com"))?;
    if !matches!(url.scheme(), "http" | "https") {
        Err("must begin with https:// or http://".to_owned())
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("must not hold a user name or password".to_owned())
    } else if url.query().is_some() || url.fragment().is_some() {
        Err("must not hold a query or fragment".to_owned())
    } else {
        Ok(url)
    }
}

fn origin(text: &str) -> Result<String, String> {
    let url = web_address(text.trim())?;
    if url.path() != "/" {
        return Err("an origin has no path".to_owned());
    }
    Ok(url.origin().ascii_serialization())
}

/// The characters of a token in RFC 9110, which RFC 6265 allows in a cookie's name.
fn cookie_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_token) {
        Ok(name.to_owned())
    } else {
        Err("not a cookie's name".to_owned())
    }
}
