//! Log lines: where they go, what they look like, and the one line that each request leaves.

use std::time::Duration;

use axum::{extract::MatchedPath, http::HeaderName};
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    trace::{MakeSpan, OnResponse, TraceLayer},
};
use tracing::{Span, field::Empty};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// How many lines may wait to be written. Beyond that they are dropped: whoever reads the log slowly, or not at all,
/// holds up no request.
const WAITING_LINES: usize = 10_000;

/// Logging under way. What waits to be written is written when this is dropped, unless nobody reads it.
#[derive(Debug)]
pub struct Logging {
    _writer: WorkerGuard,
    dropped: ErrorCounter,
}

impl Logging {
    /// How many lines were dropped, as far as it is known at the moment of asking.
    pub fn dropped(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let dropped = self.dropped.clone();
        move || dropped.dropped_lines().try_into().unwrap_or(u64::MAX)
    }
}

/// Starts logging to standard error, panics included.
///
/// # Errors
/// A sentence that names the variable, when the filter cannot be read.
pub fn start(log: &Log) -> Result<Logging, String> {
    let filter = EnvFilter::try_new(&log.log_filter)
        .map_err(|cause| format!("invalid value for RUST_LOG: {cause}"))?;
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(std::io::stderr());
    let logging = Logging {
        _writer: guard,
        dropped: writer.error_counter(),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    match log.log_format {
        LogFormat::Pretty => lines.init(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(
            panic.location = location,
            "{}",
            panic.payload_as_str().unwrap_or("panicked")
        );
    }));
    Ok(logging)
}

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A span for each request, and its line when it is answered: never a header, query or body.
pub(crate) fn layer()
-> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, RequestSpan, (), RequestLine, (), (), ()> {
    TraceLayer::new_for_http()
        .make_span_with(RequestSpan)
        .on_request(())
        .on_response(RequestLine)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

/// Fields that are not known at first are recorded by whoever finds them out.
#[derive(Clone)]
pub(crate) struct RequestSpan;

impl<B> MakeSpan<B> for RequestSpan {
    fn make_span(&mut self, request: &axum::http::Request<B>) -> Span {
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or("none", MatchedPath::as_str);
        let request_id = request
            .headers()
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok());
        tracing::info_span!(
            "request",
            http.method = %request.method(),
            http.route = route,
            request.id = request_id,
            graphql.operation = Empty,
            user.id = Empty,
        )
    }
}

#[derive(Clone)]
pub(crate) struct RequestLine;

impl<B> OnResponse<B> for RequestLine {
    fn on_response(self, response: &axum::http::Response<B>, latency: Duration, _: &Span) {
        let duration_ms = latency.as_secs_f64() * 1_000.0;
        tracing::info!(
            http.status = response.status().as_u16(),
            duration_ms,
            "answered"
        );
    }
}

/// Whether a client's own request id is fit for a log: short, and nothing that could be mistaken for more than an id.
pub(crate) fn is_request_id(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=128).contains(&id.len()) && id.iter().all(is_plain)
}
