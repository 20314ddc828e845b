//! Answers that go on: Server-Sent Events, by the distinct connections mode of graphql-sse, and Apollo's multipart
//! answer to subscriptions over HTTP.

use std::{convert::Infallible, pin::pin, time::Duration};

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use tokio::time::timeout;

use crate::streams::Place;

/// What an answer that goes on can be sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamType {
    ServerSentEvents,
    Multipart,
}

/// How long nothing is said at most: proxies give up on connections that are silent for longer.
const SILENCE: Duration = Duration::from_secs(12);

impl StreamType {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::ServerSentEvents => "text/event-stream; charset=utf-8",
            Self::Multipart => r#"multipart/mixed; boundary="graphql"; subscriptionSpec="1.0""#,
        })
    }

    /// What comes before everything: for a part to be complete when it is sent, the boundary stands at its end.
    fn opening(self) -> &'static str {
        match self {
            Self::ServerSentEvents => ":\n\n",
            Self::Multipart => "\r\n--graphql",
        }
    }

    fn item(self, answer: &impl Serialize) -> Result<String, serde_json::Error> {
        let json = serde_json::to_string(answer)?;
        Ok(match self {
            Self::ServerSentEvents => format!("event: next\ndata: {json}\n\n"),
            Self::Multipart => part(&format!(r#"{{"payload":{json}}}"#)),
        })
    }

    fn sign_of_life(self) -> String {
        match self {
            Self::ServerSentEvents => ":\n\n".to_owned(),
            Self::Multipart => part("{}"),
        }
    }

    fn closing(self) -> &'static str {
        match self {
            Self::ServerSentEvents => "event: complete\ndata:\n\n",
            Self::Multipart => "--\r\n",
        }
    }
}

fn part(json: &str) -> String {
    format!("\r\ncontent-type: application/json\r\n\r\n{json}\r\n--graphql")
}

/// The answers as they come. When the server stops, the answer breaks off without its end, so that clients come back
/// to another server.
pub(super) fn send(
    stream_type: StreamType,
    answers: impl Stream<Item = impl Serialize + Send> + Send + 'static,
    place: Place,
) -> Response {
    let parts = async_stream::stream! {
        let mut answers = pin!(answers);
        yield stream_type.opening().to_owned();
        loop {
            let next = tokio::select! {
                biased;
                () = place.stopping() => return,
                next = timeout(SILENCE, answers.next()) => next,
            };
            match next {
                Err(_) => yield stream_type.sign_of_life(),
                Ok(Some(answer)) => match stream_type.item(&answer) {
                    Ok(item) => yield item,
                    Err(cause) => {
                        tracing::error!(error = %cause, "an answer could not be written as JSON");
                        return;
                    }
                },
                Ok(None) => break,
            }
        }
        yield stream_type.closing().to_owned();
    };
    let headers = [
        (CONTENT_TYPE, stream_type.header()),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept")),
        (NO_BUFFERING, HeaderValue::from_static("no")),
    ];
    let body = Body::from_stream(parts.map(Ok::<_, Infallible>));
    (headers, body).into_response()
}

/// What nginx looks for.
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
