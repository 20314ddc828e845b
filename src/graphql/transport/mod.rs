//! How requests come in and answers go out.

mod accept;
mod http;
mod request;

pub(crate) use http::{failed, router, timed_out};
