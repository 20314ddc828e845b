use axum::http::{
    HeaderMap, HeaderValue,
    header::{HOST, ORIGIN},
};
use url::Url;

use crate::app::Settings;

/// Whether a page of another site made the browser send this request, with the visitor's cookie in it.
///
/// Requests with a bearer token are no such thing: no page can make a browser add one. Neither are requests of
/// clients that are not browsers: they send none of these headers.
pub(crate) fn is_cross_site(headers: &HeaderMap, settings: &Settings) -> bool {
    if super::bearer_token(headers).is_some() {
        return false;
    }
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
        || headers
            .get(ORIGIN)
            .is_some_and(|origin| !is_ours(origin, headers, settings))
}

fn is_ours(origin: &HeaderValue, headers: &HeaderMap, settings: &Settings) -> bool {
    let Some(origin) = origin
        .to_str()
        .ok()
        .and_then(|origin| Url::parse(origin).ok())
    else {
        return false;
    };
    let serialized = origin.origin().ascii_serialization();
    serialized == settings.public_url.origin().ascii_serialization()
        || settings.allowed_origins.contains(&serialized)
        || is_host(&origin, headers)
}

/// The page came from the very address that the request went to.
fn is_host(origin: &Url, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) =
        host.and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok())
    else {
        return false;
    };
    matches!(origin.scheme(), "http" | "https") && host.origin() == origin.origin()
}
