//! The routes, what surrounds all of them, and the life of the listener.

use std::{
    future::Future,
    io,
    net::TcpListener,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, OriginalUri, Request, State},
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{
            AUTHORIZATION, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use axum_server::Handle;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, NotForContentType},
    },
    cors::CorsLayer,
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};

use crate::{
    accept::Acceptor,
    app::{App, Ids, Settings},
    auth::link::{self, Linking},
    graphiql,
    graphql::{self, Api},
    metrics::{self, Metrics, Outcome, Told},
    pages, rest,
    streams::Streams,
    telemetry::{self, REQUEST_ID},
};

/// How long a client may take to send the head of its first request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be idle between requests: longer than proxies keep theirs, which is a minute for nginx, so
/// that it is not closed under a request that is on its way.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 128 * 1024;

/// The most requests at one time on one connection of HTTP/2.
const MAX_STREAMS: u32 = 64;

/// How long and how many.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections beyond this number are closed at once.
    pub max_connections: usize,
    /// How long requests that are under way may take to end.
    pub shutdown_timeout: Duration,
}

/// Everything that the server answers.
///
/// # Errors
/// A sentence, when the program contradicts itself; a test would have found it.
pub fn router(app: App) -> Result<Router, String> {
    let settings = app.settings.clone();
    let ids = app.ids.clone();
    let api = Api::new(app)?;
    let graphql = graphql::transport::router().with_state(api.clone());
    let mut pages = pages::router(api.app.clone());
    if settings.graphiql {
        pages = pages.merge(graphiql::router());
    }
    let metrics = api.app.metrics.clone();
    metrics.watch_pool(&api.app.db);
    let streams = api.app.streams.clone();
    metrics.watch_streams(move || streams.count());
    let guarded = |routes: Router, timeout, timed_out, failed: fn() -> Response| {
        guarded(routes, timeout, timed_out, failed, metrics.clone())
    };
    let timeout = settings.request_timeout;
    let linking = Linking {
        app: api.app.clone(),
        syncer: api.syncer.clone(),
        listeners: api.listeners.clone(),
    };
    let link = link::router(linking).method_not_allowed_fallback(rest::refuse_method);
    let routes = Router::new()
        .merge(guarded(
            graphql,
            timeout,
            graphql::transport::timed_out,
            graphql::transport::failed,
        ))
        .merge(guarded(
            rest::router(api.clone())?,
            timeout,
            || rest::Refusal::ServiceUnavailable.into_response(),
            || rest::Refusal::Internal.into_response(),
        ))
        .merge(guarded(
            link,
            link::timeout(&api.app),
            pages::timed_out,
            pages::failed,
        ))
        .merge(guarded(pages, timeout, pages::timed_out, pages::failed))
        .fallback(not_found);
    Ok(surrounded(routes, &settings, ids, metrics))
}

async fn not_found(OriginalUri(uri): OriginalUri) -> Response {
    if uri.path() == "/api" || uri.path().starts_with("/api/") {
        rest::not_found(&uri)
    } else {
        pages::not_found()
    }
}

/// Gives every request of these routes a deadline, and keeps a panic in one from harming another.
fn guarded(
    routes: Router,
    timeout: Duration,
    timed_out: fn() -> Response,
    failed: fn() -> Response,
    metrics: Metrics,
) -> Router {
    let deadline = move |request: Request, next: Next| async move {
        tokio::time::timeout(timeout, next.run(request))
            .await
            .unwrap_or_else(|_| timed_out())
    };
    routes
        .layer(middleware::from_fn(deadline))
        .layer(CatchPanicLayer::custom(move |_| {
            metrics.panicked();
            failed()
        }))
}

fn surrounded(routes: Router, settings: &Settings, ids: Ids, metrics: Metrics) -> Router {
    let always = |name: HeaderName, value| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn(drop_unfit_request_id))
        .layer(SetRequestIdLayer::new(REQUEST_ID, RequestIds(ids)))
        .layer(middleware::from_fn(telemetry::trace))
        .layer(telemetry::layer())
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(middleware::from_fn_with_state(metrics, count))
        .layer(always(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(REFERRER_POLICY, "no-referrer"))
        .layer(always(HeaderName::from_static("x-frame-options"), "DENY"))
        .layer(CompressionLayer::new().compress_when(is_whole()));
    routes.layer(cors(settings)).layer(layers)
}

async fn count(
    State(metrics): State<Metrics>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let (began, under_way) = (Instant::now(), metrics.in_flight());
    let response = next.run(request).await;
    drop(under_way);
    let told = response.extensions().get::<Told>().cloned();
    let told = told.unwrap_or_else(|| Told {
        operation: None,
        outcome: outcome(response.status()),
    });
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    metrics.answered(method.as_str(), route, told, began.elapsed());
    response
}

fn outcome(status: StatusCode) -> Outcome {
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => Outcome::Unavailable,
        status if status.is_server_error() => Outcome::Failed,
        status if status.is_client_error() => Outcome::Refused,
        _ => Outcome::Ok,
    }
}

/// Lets pages of the allowed origins read the answers; without any, the browser's own rule holds.
fn cors(settings: &Settings) -> tower::util::Either<CorsLayer, tower::layer::util::Identity> {
    let origins: Vec<_> = settings
        .allowed_origins
        .iter()
        .filter_map(|origin| origin.parse().ok())
        .collect();
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers([CONTENT_TYPE, AUTHORIZATION, REQUEST_ID])
        .expose_headers([REQUEST_ID, RETRY_AFTER])
        .max_age(Duration::from_secs(600));
    tower::util::option_layer((!settings.allowed_origins.is_empty()).then_some(layer))
}

/// Parts of an answer that goes on must arrive when they are sent; compression would hold them back.
fn is_whole() -> impl Predicate {
    DefaultPredicate::new().and(NotForContentType::const_new("multipart/mixed"))
}

#[derive(Clone)]
struct RequestIds(Ids);

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        HeaderValue::try_from(self.0.next())
            .ok()
            .map(RequestId::new)
    }
}

async fn drop_unfit_request_id(mut request: Request, next: Next) -> Response {
    let is_fit = |id: &HeaderValue| telemetry::is_request_id(id.as_bytes());
    if !request.headers().get(REQUEST_ID).is_some_and(is_fit) {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await
}

/// Serves until `stop`, and then ends what is under way.
///
/// # Errors
/// When the listener breaks.
pub async fn run(
    routes: Router,
    listener: TcpListener,
    streams: Streams,
    bounds: Bounds,
    metrics: Metrics,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let (stopper, stopping) = (handle.clone(), streams.clone());
    tokio::spawn(async move {
        stop.await;
        tracing::info!("stopping: requests under way end first");
        stopping.stop();
        stopper.graceful_shutdown(Some(bounds.shutdown_timeout));
    });
    let mut server = axum_server::from_tcp(listener)?
        .handle(handle)
        .acceptor(Acceptor::new(bounds.max_connections, metrics))
        .first_request_timeout(HEAD_TIMEOUT);
    let protocols = server.http_builder();
    protocols
        .http1()
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(MAX_HEAD);
    protocols
        .http2()
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(IDLE_TIMEOUT);
    server.serve(routes.into_make_service()).await?;
    // WebSockets are no longer the listener's, so it has not waited for them.
    let _ = tokio::time::timeout(bounds.shutdown_timeout, streams.closed()).await;
    Ok(())
}

/// Answers Prometheus, for as long as the program runs.
///
/// # Errors
/// When the listener breaks.
pub async fn run_admin(metrics: Metrics, listener: TcpListener) -> io::Result<()> {
    let scrape = async move || match metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response(),
        Err(cause) => {
            tracing::error!(error = %cause, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    let routes = Router::new().route("/metrics", get(scrape));
    axum_server::from_tcp(listener)?
        .first_request_timeout(HEAD_TIMEOUT)
        .serve(routes.into_make_service())
        .await
}

/// Ends with SIGTERM or Ctrl-C.
pub async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
