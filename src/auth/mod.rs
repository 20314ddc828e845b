//! Who is asking: what a request proves, and whether a page of another site made the browser send it.

mod address;
mod cookie;
mod cross_site;
pub(crate) mod link;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};

use crate::{app::Settings, domain::account::Credentials};

pub(crate) use address::client_address;
pub(crate) use cross_site::is_cross_site;

/// Bearer token and session ids of a request, not yet looked up.
pub(crate) fn credentials(headers: &HeaderMap, settings: &Settings) -> Credentials {
    Credentials {
        token_hash: bearer_token(headers).map(|token| hex::encode(Sha256::digest(token))),
        session_ids: cookie::session_ids(headers, &settings.session_cookies),
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
