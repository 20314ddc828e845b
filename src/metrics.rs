//! What the server counts about itself, as Prometheus reads it.
//!
//! Each server has a registry of its own, so that several in one process do not mix. Every label has few values, all of
//! them the program's own: nothing that a client makes up becomes one.

use std::{
    fmt::{self, Write},
    marker,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
        text::encode,
    },
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::Registry,
};
use sea_orm::{DatabaseConnection, metric};

use crate::{linkedin, storage};

/// The media type of what [`Metrics::text`] returns.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets, in seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// All counters of one server. Clones count together.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    requests: Family<Answer, Counter>,
    request_seconds: Seconds<Place>,
    in_flight: Gauge,
    connections: Gauge,
    refused_connections: Counter,
    shed: Counter,
    limited: Family<[(&'static str, &'static str); 1], Counter>,
    panics: Counter,
    statement_seconds: Seconds<Statement>,
    call_seconds: Seconds<OneOf>,
    syncs: Family<OneOf, Counter>,
    observer: OnceLock<storage::Told>,
}

type Seconds<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// How a request ended. The worse, the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Ok,
    /// The request was wrong, or not its sender's to make.
    Refused,
    /// The server, its database or LinkedIn could not answer now.
    Unavailable,
    /// A fault of ours.
    Failed,
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        })
    }
}

/// What an answer tells about itself where its status does not: an extension of the response.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Of the schema, never the client's own word.
    pub(crate) operation: Option<Arc<str>>,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    method: &'static str,
    route: String,
    operation: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    #[prometheus(flatten)]
    place: Place,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Statement {
    statement: &'static str,
    outcome: Outcome,
}

/// The label `outcome`, with words of the counted part's own.
type OneOf = [(&'static str, &'static str); 1];

fn outcome(word: &'static str) -> OneOf {
    [("outcome", word)]
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters that begin at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("linkedin_targets");
        let counts = Inner {
            registry: Mutex::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            refused_connections: Counter::default(),
            shed: Counter::default(),
            limited: Family::default(),
            panics: Counter::default(),
            statement_seconds: Family::new_with_constructor(histogram),
            call_seconds: Family::new_with_constructor(histogram),
            syncs: Family::default(),
            observer: OnceLock::new(),
        };
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        registry.register(
            "http_requests",
            "Answered requests",
            counts.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's head to its answer's head",
            counts.request_seconds.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests that are not answered yet",
            counts.in_flight.clone(),
        );
        registry.register(
            "http_connections",
            "Open connections",
            counts.connections.clone(),
        );
        registry.register(
            "http_connections_refused",
            "Connections that were closed at once because there were too many",
            counts.refused_connections.clone(),
        );
        registry.register(
            "http_requests_shed",
            "Requests that were turned away because there were too many at one time",
            counts.shed.clone(),
        );
        registry.register(
            "http_requests_limited",
            "Requests that were turned away because somebody asks too often",
            counts.limited.clone(),
        );
        registry.register(
            "panics",
            "Panics, each of which cost one request",
            counts.panics.clone(),
        );
        registry.register(
            "database_statement_duration_seconds",
            "Time for a statement, without the wait for a connection",
            counts.statement_seconds.clone(),
        );
        registry.register(
            "linkedin_call_duration_seconds",
            "Time for one attempt at one call to LinkedIn",
            counts.call_seconds.clone(),
        );
        registry.register(
            "syncs",
            "Syncs with LinkedIn that ended",
            counts.syncs.clone(),
        );
        Self(Arc::new(Inner {
            registry: Mutex::new(registry),
            ..counts
        }))
    }

    /// All of it, in the text format of OpenMetrics.
    ///
    /// # Errors
    /// When a value cannot be written.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let registry = self.0.registry.lock();
        encode(&mut text, &registry.unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }

    fn collect(&self, collector: impl Collector) {
        let registry = self.0.registry.lock();
        let mut registry = registry.unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(collector));
    }

    /// Shows how many of the database's connections are in use, whenever somebody looks.
    pub(crate) fn watch_pool(&self, db: &DatabaseConnection) {
        self.collect(Pool(storage::pool_state(db)));
    }

    /// Shows how many log lines were dropped, whenever somebody looks.
    pub fn watch_log(&self, dropped: impl Fn() -> u64 + Send + marker::Sync + 'static) {
        self.collect(Log(Box::new(dropped)));
    }

    /// Shows how many subscriptions and WebSockets are open, whenever somebody looks.
    pub(crate) fn watch_streams(&self, open: impl Fn() -> usize + Send + marker::Sync + 'static) {
        self.collect(Streams(Box::new(open)));
    }

    /// Tells somebody else of every statement as well: the first who wants to be told.
    #[must_use]
    pub fn observed_by(
        self,
        observer: impl Fn(&metric::Info<'_>) + Send + marker::Sync + 'static,
    ) -> Self {
        let _ = self.0.observer.set(Box::new(observer));
        self
    }

    /// What is to be told of every statement.
    pub fn statements(&self) -> impl Fn(&metric::Info<'_>) + Clone + Send + marker::Sync + use<> {
        let counts = self.0.clone();
        move |info| {
            let labels = Statement {
                statement: kind(&info.statement.sql),
                outcome: if info.failed {
                    Outcome::Failed
                } else {
                    Outcome::Ok
                },
            };
            let seconds = counts.statement_seconds.get_or_create(&labels);
            seconds.observe(info.elapsed.as_secs_f64());
            if let Some(tell) = counts.observer.get() {
                tell(info);
            }
        }
    }

    /// What is to be told of every call to LinkedIn.
    pub fn calls(&self) -> impl Fn(&linkedin::Call<'_>) + Send + marker::Sync + use<> {
        let counts = self.0.clone();
        move |call| {
            let class = call.error.map_or("ok", linkedin::Error::class);
            let seconds = counts.call_seconds.get_or_create(&outcome(class));
            seconds.observe(call.took.as_secs_f64());
        }
    }

    pub(crate) fn answered(&self, method: &str, route: &str, told: Told, took: Duration) {
        let place = Place {
            method: METHODS
                .into_iter()
                .find(|known| *known == method)
                .unwrap_or("other"),
            route: route.to_owned(),
            operation: told.operation.map(|operation| operation.to_string()),
        };
        let seconds = self.0.request_seconds.get_or_create(&place);
        seconds.observe(took.as_secs_f64());
        let outcome = told.outcome;
        let answer = Answer { place, outcome };
        self.0.requests.get_or_create(&answer).inc();
    }

    pub(crate) fn synced(&self, word: &'static str) {
        self.0.syncs.get_or_create(&outcome(word)).inc();
    }

    pub(crate) fn connection_refused(&self) {
        self.0.refused_connections.inc();
    }

    pub(crate) fn shed(&self) {
        self.0.shed.inc();
    }

    pub(crate) fn limited(&self, policy: &'static str) {
        self.0.limited.get_or_create(&[("policy", policy)]).inc();
    }

    pub(crate) fn panicked(&self) {
        self.0.panics.inc();
    }

    /// Counts a request until it is dropped.
    pub(crate) fn in_flight(&self) -> Open {
        Open::new(&self.0.in_flight)
    }

    /// Counts a connection until it is dropped.
    pub(crate) fn connection(&self) -> Open {
        Open::new(&self.0.connections)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Metrics")
    }
}

/// Something that is open for a while.
#[derive(Debug)]
pub(crate) struct Open(Gauge);

impl Open {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Of all others there are as many as somebody likes to make up.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "WEBSOCKET"];

fn kind(sql: &str) -> &'static str {
    let word = sql.split_whitespace().next().unwrap_or_default();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" => "select",
        "INSERT" => "insert",
        "UPDATE" => "update",
        "DELETE" => "delete",
        _ => "other",
    }
}

struct Pool(Box<dyn Fn() -> storage::PoolState + Send + marker::Sync>);

impl fmt::Debug for Pool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Pool")
    }
}

impl Collector for Pool {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let storage::PoolState { open, idle, most } = (self.0)();
        for (name, help, value) in [
            (
                "database_connections_used",
                "Connections to the database in use, up to two kept ready between lookups included",
                open.saturating_sub(idle),
            ),
            (
                "database_connections_idle",
                "Open connections to the database that are free for anything",
                idle,
            ),
            (
                "database_connections_max",
                "Most connections to the database at one time",
                most,
            ),
        ] {
            let gauge = ConstGauge::new(i64::from(value));
            let place = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(place)?;
        }
        Ok(())
    }
}

struct Log(Box<dyn Fn() -> u64 + Send + marker::Sync>);

impl fmt::Debug for Log {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Log")
    }
}

impl Collector for Log {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = (
            "log_lines_dropped",
            "Log lines that were dropped because nobody read the log fast enough",
        );
        let dropped = ConstCounter::new((self.0)());
        let place = encoder.encode_descriptor(name, help, None, dropped.metric_type())?;
        dropped.encode(place)
    }
}

struct Streams(Box<dyn Fn() -> usize + Send + marker::Sync>);

impl fmt::Debug for Streams {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Streams")
    }
}

impl Collector for Streams {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Open subscriptions and WebSockets";
        let open = ConstGauge::new(i64::try_from((self.0)()).unwrap_or(i64::MAX));
        let place = encoder.encode_descriptor("subscriptions", help, None, open.metric_type())?;
        open.encode(place)
    }
}
