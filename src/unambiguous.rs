//! Requests that two readers could understand differently. A proxy in front judges one thing and this server would do
//! another, so it does nothing.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version,
        header::{
            AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN,
            TRANSFER_ENCODING,
        },
        uri::Authority,
    },
    response::{IntoResponse, Response},
};

/// Of two of these one reader takes the first, another the last. Cookies may stand in several lines, which are one list.
const SINGLE: [HeaderName; 7] = [
    AUTHORIZATION,
    CONTENT_ENCODING,
    CONTENT_TYPE,
    HOST,
    ORIGIN,
    HeaderName::from_static("sec-fetch-site"),
    TRANSFER_ENCODING,
];

/// HTTP/2 names the host in `:authority`. From here on it stands in `Host`, where everything else looks for it.
pub(crate) fn name_host<Body>(mut request: Request<Body>) -> Request<Body> {
    let authority = request.uri().authority().map(Authority::as_str);
    if request.version() >= Version::HTTP_2
        && !request.headers().contains_key(HOST)
        && let Some(host) = authority.and_then(|it| HeaderValue::from_str(it).ok())
    {
        request.headers_mut().insert(HOST, host);
    }
    request
}

#[expect(
    clippy::result_large_err,
    reason = "the form that tower-http's ValidateRequest asks for"
)]
pub(crate) fn refuse(request: &mut Request) -> Result<(), Response> {
    judge(request).map_err(|refusal| answer(refusal, request.version()))
}

fn answer((status, message): Refusal, version: Version) -> Response {
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let mut response = (status, no_store, message).into_response();
    // What follows on the connection may be meant as a part of this one.
    if version < Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

type Refusal = (StatusCode, &'static str);

fn judge(request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    let bad = |message| Err((StatusCode::BAD_REQUEST, message));
    if SINGLE
        .iter()
        .any(|name| headers.get_all(name).iter().nth(1).is_some())
    {
        return bad("A header that may stand there once stands there twice.\n");
    }
    if !has_one_host(request) {
        return bad("The request does not tell which host it is for, or tells two.\n");
    }
    if !is_usual_target(request.method(), request.uri()) {
        return bad("The target of the request is neither a path nor an address.\n");
    }
    if headers
        .get(TRANSFER_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return bad("A body is sent as it is, or in chunks.\n");
    }
    if is_encoded(headers) {
        let message = "Send the body as it is, without a content encoding.\n";
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    Ok(())
}

fn has_one_host(request: &Request) -> bool {
    let host = request.headers().get(HOST).map(|value| {
        let authority = Authority::try_from(value.as_bytes()).ok();
        authority.filter(is_host)
    });
    let target = request.uri().authority();
    match (host, target) {
        (Some(None), _) => false,
        (Some(Some(host)), Some(target)) => host == *target,
        (Some(Some(_)), None) => true,
        (None, Some(_)) => false,
        (None, None) => request.version() < Version::HTTP_11,
    }
}

fn is_host(authority: &Authority) -> bool {
    let has_port = authority.host().len() < authority.as_str().len();
    !authority.host().is_empty()
        && !authority.as_str().contains('@')
        && (!has_port || authority.port_u16().is_some())
}

/// A path, as clients send it to a server, or an address, as they send it to a proxy.
fn is_usual_target(method: &Method, uri: &Uri) -> bool {
    let is_web = matches!(uri.scheme_str(), None | Some("http" | "https"));
    let is_ascii = uri
        .path_and_query()
        .is_some_and(|it| it.as_str().is_ascii());
    method != Method::CONNECT && is_web && is_ascii && uri.path().starts_with('/')
}

/// Nothing here decodes bodies, and what stands in front might.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}
