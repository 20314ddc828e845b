//! What can go wrong with a call.

use std::{convert::Infallible, fmt, io, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::api::Refusal;

/// Answers are not longer than this; in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// The time between two bytes of [`Fault::Dripping`].
const DRIP: Duration = Duration::from_millis(10);

/// A way in which a call goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// 401, 65600.
    InvalidToken,
    /// 401, 65601.
    RevokedToken,
    /// 401, 65602.
    ExpiredToken,
    /// 403, 100.
    AccessDenied,
    /// 429, with `Retry-After` in seconds, or without.
    Throttled {
        /// The seconds.
        retry_after: Option<u32>,
    },
    /// 426, whichever version is asked for.
    VersionSunset,
    /// A status whose JSON has nothing but the status and a message.
    Status(StatusCode),
    /// A status with any JSON.
    Json(StatusCode, Value),
    /// Any answer at all.
    Answer(StatusCode, HeaderMap, Bytes),
    /// A status with a web page.
    Html(StatusCode),
    /// 200, said to be JSON, and not JSON.
    Garbage,
    /// The right answer with every text, number and truth of another type.
    WrongTypes,
    /// The first half of the right answer, then the connection is closed.
    Truncated,
    /// The first half of the right answer; the other one after [`crate::StandIn::release`].
    Stalled,
    /// The connection is closed without an answer.
    Reset,
    /// The right answer, not before [`crate::StandIn::release`].
    Hang,
    /// JSON that goes on as long as the client listens.
    Endless,
    /// The same, a byte at a time: there is always something, and never enough.
    Dripping,
    /// 302, to an address that should not get the token.
    Redirect(String),
}

impl Fault {
    /// One of each kind, to choose from.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::InvalidToken,
            Self::RevokedToken,
            Self::ExpiredToken,
            Self::AccessDenied,
            Self::Throttled { retry_after: None },
            Self::Throttled {
                retry_after: Some(30),
            },
            Self::VersionSunset,
            Self::Status(StatusCode::NOT_FOUND),
            Self::Status(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Status(StatusCode::SERVICE_UNAVAILABLE),
            Self::Json(StatusCode::UNAUTHORIZED, json!({})),
            Self::Answer(StatusCode::OK, HeaderMap::new(), Bytes::new()),
            Self::Html(StatusCode::OK),
            Self::Html(StatusCode::BAD_GATEWAY),
            Self::Garbage,
            Self::WrongTypes,
            Self::Truncated,
            Self::Stalled,
            Self::Reset,
            Self::Hang,
            Self::Endless,
            Self::Dripping,
            Self::Redirect("http://elsewhere.invalid/".to_owned()),
        ]
    }

    pub(crate) async fn play(
        self,
        request: Request,
        next: Next,
        released: impl Future<Output = ()> + Send + 'static,
    ) -> Response {
        match self {
            Self::InvalidToken => Refusal::invalid_token().into_response(),
            Self::RevokedToken => Refusal::revoked_token().into_response(),
            Self::ExpiredToken => Refusal::expired_token().into_response(),
            Self::AccessDenied => Refusal::access_denied(request.uri().path()).into_response(),
            Self::Throttled { retry_after } => Refusal::throttled(retry_after).into_response(),
            Self::VersionSunset => {
                let version = request.headers().get("linkedin-version");
                let version = version.and_then(|version| version.to_str().ok());
                Refusal::version_sunset(version.unwrap_or_default()).into_response()
            }
            Self::Status(status) => {
                Refusal::new(status, status.canonical_reason().unwrap_or_default()).into_response()
            }
            Self::Json(status, body) => (status, Json(body)).into_response(),
            Self::Answer(status, headers, body) => (status, headers, body).into_response(),
            Self::Html(status) => (status, Html(WEB_PAGE)).into_response(),
            Self::Garbage => ([JSON], "upstream says: {no").into_response(),
            Self::WrongTypes => mistyped(next.run(request).await).await,
            Self::Truncated => truncated(next.run(request).await).await,
            Self::Stalled => stalled(next.run(request).await, released).await,
            Self::Reset => Body::from_stream(stream::iter([lost()])).into_response(),
            Self::Hang => {
                released.await;
                next.run(request).await
            }
            Self::Endless => endless(),
            Self::Dripping => dripping(),
            Self::Redirect(address) => (StatusCode::FOUND, [(LOCATION, address)]).into_response(),
        }
    }
}

const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");

const WEB_PAGE: &str = "<!DOCTYPE html><title>LinkedIn</title><h1>We will be back shortly</h1>";

async fn mistyped(response: Response) -> Response {
    let status = response.status();
    let body = whole(response).await;
    match serde_json::from_slice(&body) {
        Ok(value) => (status, Json(of_other_type(value))).into_response(),
        Err(_) => (status, Json(json!(7))).into_response(),
    }
}

fn of_other_type(value: Value) -> Value {
    match value {
        Value::Null => json!(false),
        Value::Bool(truth) => json!(u8::from(truth)),
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!(text.len()),
        Value::Array(items) => items.into_iter().map(of_other_type).collect(),
        Value::Object(entries) => entries
            .into_iter()
            .map(|(key, value)| (key, of_other_type(value)))
            .collect(),
    }
}

/// Announces the whole length, so that the client notices what is missing.
async fn truncated(response: Response) -> Response {
    let (status, whole) = (response.status(), whole(response).await);
    let half = whole.slice(..whole.len() / 2);
    let cut = stream::once(async {
        // The first half leaves while this waits for its next turn.
        tokio::task::yield_now().await;
        lost()
    });
    let body = Body::from_stream(stream::iter([Ok(half)]).chain(cut));
    (status, [JSON], [(CONTENT_LENGTH, whole.len())], body).into_response()
}

async fn stalled(
    response: Response,
    released: impl Future<Output = ()> + Send + 'static,
) -> Response {
    let (status, whole) = (response.status(), whole(response).await);
    let (half, rest) = (
        whole.slice(..whole.len() / 2),
        whole.slice(whole.len() / 2..),
    );
    let rest = stream::once(async {
        released.await;
        Ok::<_, Infallible>(rest)
    });
    let body = Body::from_stream(stream::iter([Ok(half)]).chain(rest));
    (status, [JSON], [(CONTENT_LENGTH, whole.len())], body).into_response()
}

fn endless() -> Response {
    let start = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"elements\":["))]);
    let blanks = stream::repeat(Bytes::from_static(&[b' '; 8192])).map(Ok);
    ([JSON], Body::from_stream(start.chain(blanks))).into_response()
}

fn dripping() -> Response {
    let drops = stream::unfold((), |()| async {
        tokio::time::sleep(DRIP).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
    });
    ([JSON], Body::from_stream(drops)).into_response()
}

async fn whole(response: Response) -> Bytes {
    to_bytes(response.into_body(), MAX_ANSWER)
        .await
        .unwrap_or_default()
}

/// A body that ends like this makes the server close the connection. What it has not yet written is lost, so if this
/// is all of the body, nothing is written at all.
fn lost() -> io::Result<Bytes> {
    Err(io::ErrorKind::ConnectionReset.into())
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidToken => out.write_str("401: the token is invalid"),
            Self::RevokedToken => out.write_str("401: the token is revoked"),
            Self::ExpiredToken => out.write_str("401: the token has expired"),
            Self::AccessDenied => out.write_str("403: the scope is missing"),
            Self::Throttled { retry_after: None } => out.write_str("429: throttled"),
            Self::Throttled {
                retry_after: Some(seconds),
            } => write!(out, "429: throttled, retry after {seconds} s"),
            Self::VersionSunset => out.write_str("426: the version is gone"),
            Self::Status(status) => write!(out, "{}: without a code", status.as_u16()),
            Self::Json(status, body) => write!(out, "{}: {body}", status.as_u16()),
            Self::Html(status) => write!(out, "{}: a web page", status.as_u16()),
            Self::Answer(status, _, body) => {
                write!(
                    out,
                    "{}: an answer of {} bytes",
                    status.as_u16(),
                    body.len()
                )
            }
            Self::Garbage => out.write_str("200: not JSON"),
            Self::WrongTypes => out.write_str("wrong types"),
            Self::Truncated => out.write_str("half an answer, then closed"),
            Self::Stalled => out.write_str("half an answer, then silence"),
            Self::Reset => out.write_str("closed without an answer"),
            Self::Hang => out.write_str("silence"),
            Self::Endless => out.write_str("an answer without end"),
            Self::Dripping => out.write_str("an answer without end, byte by byte"),
            Self::Redirect(address) => write!(out, "302: redirect to {address}"),
        }
    }
}
