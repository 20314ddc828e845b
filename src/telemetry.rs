//! Log lines: where they go, what they look like, and the one line that each request leaves.

use std::{
    io::{self, BufWriter, Write},
    iter, thread,
    time::Duration,
};

use axum::{extract::MatchedPath, http::HeaderName};
use opentelemetry::{Key, KeyValue, propagation::TextMapPropagator, trace::TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    trace::{MakeSpan, OnResponse, TraceLayer},
};
use tracing::{Span, field::Empty};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use url::Url;

use crate::config::{Log, LogFormat};

/// How many lines may wait to be written. Beyond that they are dropped: whoever reads the log slowly, or not at all,
/// holds up no request.
const WAITING_LINES: usize = 10_000;

/// How long lines gather before they are written.
const PAUSE: Duration = Duration::from_millis(5);

/// Rests after each batch of lines: to wake the thread that writes for every line costs a busy server more than to make
/// the line.
struct Paced<W: Write>(BufWriter<W>);

impl<W: Write> Write for Paced<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(PAUSE);
        Ok(())
    }
}

/// Logging under way. What waits to be written is written when this is dropped, unless nobody reads it.
#[derive(Debug)]
pub struct Logging {
    // First: it may have something to say about the traces that it could not send.
    traces: Option<SdkTracerProvider>,
    _writer: WorkerGuard,
    dropped: ErrorCounter,
}

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(traces) = &self.traces {
            // A collector that does not answer is not waited for.
            let _ = traces.shutdown_with_timeout(LAST_TRACES);
        }
    }
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
        .finish(Paced(BufWriter::new(io::stderr())));
    let traces = log.otlp_endpoint.as_ref().map(traces).transpose()?;
    let logging = Logging {
        traces: traces.clone(),
        _writer: guard,
        dropped: writer.error_counter(),
    };
    let lines = match log.log_format {
        LogFormat::Pretty => tracing_subscriber::fmt::layer().with_writer(writer).boxed(),
        LogFormat::Json => json_subscriber::layer()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    };
    let of_traces = filter_fn(|metadata| metadata.target() == TRACES);
    let of_lines = filter_fn(|metadata| metadata.target() != TRACES);
    let traces = traces.map(|traces| {
        let tracer = traces.tracer(env!("CARGO_PKG_NAME"));
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_filter(of_traces)
            .boxed()
    });
    let lines = lines.with_filter(filter.and(of_lines)).boxed();
    // A layer that is `None` would have every span asked about each time, those that nobody wants too.
    tracing_subscriber::registry()
        .with(Vec::from_iter(iter::once(lines).chain(traces)))
        .init();
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

/// The target of spans that are for traces alone: the log does not know them.
const TRACES: &str = "otel";

/// How long the last spans may take to be sent.
const LAST_TRACES: Duration = Duration::from_secs(2);

/// Sends spans from a thread and a queue of its own, which drops what does not fit.
fn traces(endpoint: &Url) -> Result<SdkTracerProvider, String> {
    let base = endpoint.as_str().trim_end_matches('/');
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{base}/v1/traces"))
        .build()
        .map_err(|cause| format!("invalid value for OTEL_EXPORTER_OTLP_ENDPOINT: {cause}"))?;
    let is_named = Resource::builder()
        .build()
        .get(&Key::from_static_str("service.name"))
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let service = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let service = if is_named {
        service
    } else {
        service.with_service_name(env!("CARGO_PKG_NAME"))
    };
    Ok(SdkTracerProvider::builder()
        .with_resource(service.build())
        .with_batch_exporter(exporter)
        .build())
}

/// A span for each request, of the trace that the client's `traceparent` tells of, or of a new one.
pub(crate) fn traces_layer()
-> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, TracesSpan, (), TracesStatus, (), (), ()> {
    around(TracesSpan, TracesStatus)
}

fn around<Make, Answered>(
    make_span: Make,
    on_response: Answered,
) -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, Make, (), Answered, (), (), ()> {
    TraceLayer::new_for_http()
        .make_span_with(make_span)
        .on_request(())
        .on_response(on_response)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

fn route<B>(request: &axum::http::Request<B>) -> &str {
    let route = request.extensions().get::<MatchedPath>();
    route.map_or("none", MatchedPath::as_str)
}

#[derive(Clone)]
pub(crate) struct TracesSpan;

impl<B> MakeSpan<B> for TracesSpan {
    fn make_span(&mut self, request: &axum::http::Request<B>) -> Span {
        let route = route(request);
        let span = tracing::info_span!(
            target: TRACES,
            "request",
            otel.name = format!("{} {route}", request.method()),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = %request.method(),
            http.route = route,
            http.response.status_code = Empty,
        );
        if !span.is_disabled() {
            let parent = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
            // Without a subscriber for traces there is nobody to tell.
            let _ = span.set_parent(parent);
        }
        span
    }
}

#[derive(Clone)]
pub(crate) struct TracesStatus;

impl<B> OnResponse<B> for TracesStatus {
    fn on_response(self, response: &axum::http::Response<B>, _: Duration, span: &Span) {
        let status = response.status();
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
}

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A span for each request, and its line when it is answered: never a header, query or body.
pub(crate) fn layer()
-> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, RequestSpan, (), RequestLine, (), (), ()> {
    around(RequestSpan, RequestLine)
}

/// Fields that are not known at first are recorded by whoever finds them out.
#[derive(Clone)]
pub(crate) struct RequestSpan;

impl<B> MakeSpan<B> for RequestSpan {
    fn make_span(&mut self, request: &axum::http::Request<B>) -> Span {
        let request_id = request
            .headers()
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok());
        tracing::info_span!(
            "request",
            http.method = %request.method(),
            http.route = route(request),
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
