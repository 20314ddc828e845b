//! Keeps requests from harming one another: by how many there may be, how long they may take, and what a panic ends.

use std::{
    convert::Infallible, future::Future, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc,
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, StreamExt, future::Either, stream};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt as _};

use crate::{
    app::App,
    auth, graphql, pages,
    rate_limits::{RateLimits, Sender, Subject},
    rest,
};

/// What a face says when a request does not get as far as its handlers.
#[derive(Clone, Copy)]
pub(super) struct Face {
    timed_out: fn() -> Response,
    failed: fn() -> Response,
    busy: fn() -> Response,
    limited: fn() -> Response,
}

pub(super) const GRAPHQL: Face = Face {
    timed_out: graphql::transport::timed_out,
    failed: graphql::transport::failed,
    busy: graphql::transport::busy,
    limited: graphql::transport::limited,
};

pub(super) const REST: Face = Face {
    timed_out: || rest::Refusal::ServiceUnavailable.into_response(),
    failed: || rest::Refusal::Internal.into_response(),
    busy: || rest::Refusal::ServiceUnavailable.into_response(),
    limited: || rest::Refusal::TooManyRequests.into_response(),
};

pub(super) const PAGES: Face = Face {
    timed_out: pages::timed_out,
    failed: pages::failed,
    busy: pages::busy,
    limited: pages::limited,
};

/// What surrounds the routes of a face.
pub(super) struct Guard {
    pub(super) app: Arc<App>,
    pub(super) limits: RateLimits,
    /// One for each request that is worked on, whatever its face.
    pub(super) places: Arc<Semaphore>,
    pub(super) face: Face,
    pub(super) timeout: Duration,
    /// Whether a request's body is read before it takes a place, so that whoever sends slowly takes none from others.
    pub(super) reads_ahead: bool,
}

impl Guard {
    /// Works on what is asked by those who may ask at this moment.
    pub(super) async fn admit(
        State(guard): State<Arc<Self>>,
        request: Request,
        mut next: Next,
    ) -> Response {
        let (app, limited) = (guard.app.clone(), guard.face.limited);
        let refuse = move |subject: Subject| {
            app.metrics.limited(subject.name());
            limited()
        };
        let (limits, sender) = (guard.limits.clone(), guard.sender(&request));
        let work = tower::service_fn(move |request| guard.clone().work(request, &mut next));
        let answers = limits.around(sender, refuse, work);
        answers.oneshot(request).await.into_response()
    }

    fn work(
        self: Arc<Self>,
        request: Request,
        next: &mut Next,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + use<> {
        let guard = self.clone();
        let work = if self.reads_ahead {
            let mut next = next.clone();
            Either::Left(async move {
                let request = read_ahead(request).await;
                guard.place(next.call(request)).await
            })
        } else {
            let answer = next.call(request);
            Either::Right(async move { guard.place(answer).await })
        };
        async move { Ok(self.end(work).await) }
    }

    pub(super) async fn always(
        State(guard): State<Arc<Self>>,
        request: Request,
        next: Next,
    ) -> Response {
        guard.end(next.run(request)).await
    }

    /// Gives the work a deadline, and lets a panic end no more than its own request.
    async fn end(&self, work: impl Future<Output = Response>) -> Response {
        let work = AssertUnwindSafe(work).catch_unwind();
        match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                self.app.metrics.panicked();
                (self.face.failed)()
            }
            Err(_) => (self.face.timed_out)(),
        }
    }

    /// Turns away whom there is no place for, at once: what is let in stays fast.
    async fn place(&self, answer: impl Future<Output = Result<Response, Infallible>>) -> Response {
        if let Ok(_place) = self.places.try_acquire() {
            answer.await.into_response()
        } else {
            self.app.metrics.shed();
            (self.face.busy)()
        }
    }

    fn sender(&self, request: &Request) -> Sender {
        let (settings, headers) = (&self.app.settings, request.headers());
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let address = peer.and_then(|ConnectInfo(peer)| {
            auth::client_address(peer.ip(), headers, &settings.trusted_proxies)
        });
        let credentials = auth::credentials(headers, settings);
        self.limits.sender(credentials.each(), address)
    }
}

/// The most bytes of a body that are read ahead.
const MAX_AHEAD: usize = 64 * 1024;

/// What is longer than that is longer than the routes take whose bodies are read ahead.
async fn read_ahead(request: Request) -> Request {
    let (head, body) = request.into_parts();
    let (mut read, mut size, mut rest) = (Vec::new(), 0, body.into_data_stream());
    while size <= MAX_AHEAD
        && let Some(chunk) = rest.next().await
    {
        size += chunk.as_ref().map_or(usize::MAX - size, Bytes::len);
        read.push(chunk);
    }
    let body = Body::from_stream(stream::iter(read).chain(rest));
    Request::from_parts(head, body)
}
