//! How requests come in and answers go out.

mod accept;
mod http;
mod request;
mod stream;
mod websocket;

pub(crate) use http::{busy, failed, limited, router, timed_out};

use super::error::{Code, RequestError};

/// What is said of an operation that took too long.
const TIMED_OUT: &str = "The request took too long. Try again in a moment.";

/// What is said to somebody who asks too often.
fn too_often() -> RequestError {
    let message = "You ask too often. Try again after the time that `Retry-After` tells.";
    RequestError::new(Code::RateLimited, message)
}

/// There are as many subscriptions and WebSockets as there may be.
fn full() -> RequestError {
    let message = "The server has no room for another subscription. Try again in a moment.";
    RequestError::new(Code::Unavailable, message)
}
