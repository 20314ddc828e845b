//! The routes, what surrounds all of them, and the life of the listener.

mod guard;

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    Router, ServiceExt,
    extract::{MatchedPath, OriginalUri, Request},
    http::{
        HeaderValue, Method, StatusCode,
        header::{
            AUTHORIZATION, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use axum_server::Handle;
use futures_util::future::BoxFuture;
use tokio::{net::TcpSocket, sync::Semaphore};
use tower::{Service, ServiceBuilder, layer::layer_fn};
use tower_http::{
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, NotForContentType, SizeAbove},
    },
    cors::CorsLayer,
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    validate_request::ValidateRequestHeaderLayer,
};

use guard::{GRAPHQL, Guard, PAGES, REST};

use crate::{
    accept::Acceptor,
    app::{App, Ids, Settings},
    auth::link::{self, Linking},
    graphiql,
    graphql::{self, Api},
    metrics::{self, Metrics, Outcome, Told},
    pages, rate_limits, rest,
    streams::Streams,
    telemetry::{self, REQUEST_ID},
    unambiguous,
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

/// Everything that the server answers. Must be called within a runtime.
///
/// # Errors
/// A sentence, when the program contradicts itself; a test would have found it.
pub fn router(app: App) -> Result<Router, String> {
    let settings = app.settings.clone();
    let ids = app.ids.clone();
    let api = Arc::new(Api::new(app)?);
    let graphql = graphql::transport::router(&settings.limits).with_state(api.clone());
    let mut pages = pages::router(api.app.clone());
    if settings.graphiql {
        pages = pages.merge(graphiql::router());
    }
    let metrics = api.app.metrics.clone();
    metrics.watch_pool(&api.app.db);
    let streams = api.app.streams.clone();
    metrics.watch_streams(move || streams.count());
    let places = Arc::new(Semaphore::new(settings.max_requests));
    let guard = |face, timeout, reads_ahead| {
        let (app, limits, places) = (api.app.clone(), api.limits.clone(), places.clone());
        Arc::new(Guard {
            app,
            limits,
            places,
            face,
            timeout,
            reads_ahead,
        })
    };
    let (timeout, patient) = (settings.request_timeout, link::timeout(&api.app));
    let guarded = |routes: Router, guard: Arc<Guard>| {
        routes.layer(middleware::from_fn_with_state(guard, Guard::admit))
    };
    let graphql = guarded(graphql, guard(GRAPHQL, timeout, true));
    let of_rest = guard(REST, timeout, false);
    let of_link = guard(PAGES, patient, true);
    let of_pages = guard(PAGES, timeout, false);
    let linking = Linking {
        app: api.app.clone(),
        accounts: api.accounts.clone(),
        syncer: api.syncer.clone(),
        listeners: api.listeners.clone(),
    };
    let link = link::router(linking).method_not_allowed_fallback(rest::refuse_method);
    let rest = rest::router(api)?;
    let routes = Router::new()
        .merge(graphql)
        .merge(guarded(rest, of_rest))
        .merge(guarded(link, of_link))
        // Whoever looks whether the server is well is always answered.
        .merge(pages.layer(middleware::from_fn_with_state(of_pages, Guard::always)))
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

fn surrounded(routes: Router, settings: &Settings, ids: Ids, metrics: Metrics) -> Router {
    // One stack: every layer that is put around a router by itself costs each request several allocations.
    let layers = ServiceBuilder::new()
        .map_request(drop_unfit_request_id)
        .layer(SetRequestIdLayer::new(REQUEST_ID, RequestIds(ids)))
        .layer(telemetry::traces_layer())
        .layer(telemetry::layer())
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(layer_fn(move |answers| Counted {
            metrics: metrics.clone(),
            answers,
        }))
        .map_response(harden)
        .layer(CompressionLayer::new().compress_when(is_worth_it()))
        .layer(ValidateRequestHeaderLayer::custom(unambiguous::refuse))
        .layer(cors(settings));
    routes.layer(layers)
}

/// Tells browsers to be careful, unless the answer itself says otherwise.
fn harden<B>(mut response: axum::http::Response<B>) -> axum::http::Response<B> {
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        let header = response.headers_mut().entry(name);
        header.or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Counts what is asked, and how long the answers take.
#[derive(Clone)]
struct Counted<S> {
    metrics: Metrics,
    answers: S,
}

/// Not by a function: that would copy all layers inside for each request, and they those inside of them.
impl<S, B> Service<Request> for Counted<S>
where
    S: Service<Request, Response = axum::http::Response<B>, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.answers.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let method = request.method().clone();
        let metrics = self.metrics.clone();
        let (began, under_way) = (Instant::now(), metrics.in_flight());
        let answer = self.answers.call(request);
        Box::pin(async move {
            let response = answer.await?;
            drop(under_way);
            let told = response.extensions().get::<Told>().cloned();
            let told = told.unwrap_or_else(|| Told {
                operation: None,
                outcome: outcome(response.status()),
            });
            let route = route.as_ref().map_or("none", MatchedPath::as_str);
            metrics.answered(method.as_str(), route, told, began.elapsed());
            Ok(response)
        })
    }
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
        .expose_headers([
            REQUEST_ID,
            RETRY_AFTER,
            rate_limits::RATE_LIMIT,
            rate_limits::RATE_LIMIT_POLICY,
        ])
        .max_age(Duration::from_secs(600));
    tower::util::option_layer((!settings.allowed_origins.is_empty()).then_some(layer))
}

/// From how many bytes on an answer is compressed: a shorter one fits into one packet with its head as it is.
const LONG: u64 = 1024;

/// Parts of an answer that goes on must arrive when they are sent; compression would hold them back.
fn is_worth_it() -> impl Predicate {
    DefaultPredicate::new()
        .and(SizeAbove::new(LONG))
        .and(NotForContentType::const_new("multipart/mixed"))
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

fn drop_unfit_request_id(mut request: Request) -> Request {
    let is_fit = |id: &HeaderValue| telemetry::is_request_id(id.as_bytes());
    if !request.headers().get(REQUEST_ID).is_some_and(is_fit) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// How many connections may wait to be taken, as far as the system allows: after a restart, all clients come at once, and
/// whoever finds no room tries again a second later.
const BACKLOG: u32 = 4_096;

/// Listens for connections. Must be called within a runtime.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // So that a server that was just stopped does not keep the next one from its address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
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
    let service = ServiceBuilder::new()
        .map_request(unambiguous::name_host)
        .service(routes);
    let service =
        ServiceExt::<Request<_>>::into_make_service_with_connect_info::<SocketAddr>(service);
    server.serve(service).await?;
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
