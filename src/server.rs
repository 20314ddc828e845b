//! The routes, what surrounds all of them, and the life of the listener.

use std::{future::Future, io, net::TcpListener, time::Duration};

use axum::{
    Router,
    extract::{OriginalUri, Request},
    http::{
        HeaderName, HeaderValue, Method,
        header::{
            AUTHORIZATION, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
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
    app::{App, Ids, Settings},
    auth::link::{self, Linking},
    graphiql,
    graphql::{self, Api},
    pages, rest,
    streams::Streams,
    telemetry::{self, REQUEST_ID},
};

/// How long a client may take to send the head of its first request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

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
    Ok(surrounded(routes, &settings, ids))
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
) -> Router {
    let deadline = move |request: Request, next: Next| async move {
        tokio::time::timeout(timeout, next.run(request))
            .await
            .unwrap_or_else(|_| timed_out())
    };
    routes
        .layer(middleware::from_fn(deadline))
        .layer(CatchPanicLayer::custom(move |_| failed()))
}

fn surrounded(routes: Router, settings: &Settings, ids: Ids) -> Router {
    let always = |name: HeaderName, value| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn(drop_unfit_request_id))
        .layer(SetRequestIdLayer::new(REQUEST_ID, RequestIds(ids)))
        .layer(telemetry::layer())
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(always(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(REFERRER_POLICY, "no-referrer"))
        .layer(always(HeaderName::from_static("x-frame-options"), "DENY"))
        .layer(CompressionLayer::new().compress_when(is_whole()));
    routes.layer(cors(settings)).layer(layers)
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

/// Serves until `stop`, and then ends what is under way, within `shutdown_timeout`.
///
/// # Errors
/// When the listener breaks.
pub async fn run(
    routes: Router,
    listener: TcpListener,
    streams: Streams,
    shutdown_timeout: Duration,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let (stopper, stopping) = (handle.clone(), streams.clone());
    tokio::spawn(async move {
        stop.await;
        tracing::info!("stopping: requests under way end first");
        stopping.stop();
        stopper.graceful_shutdown(Some(shutdown_timeout));
    });
    axum_server::from_tcp(listener)?
        .handle(handle)
        .first_request_timeout(HEAD_TIMEOUT)
        .serve(routes.into_make_service())
        .await?;
    // WebSockets are no longer the listener's, so it has not waited for them.
    let _ = tokio::time::timeout(shutdown_timeout, streams.closed()).await;
    Ok(())
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
