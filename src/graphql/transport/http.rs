//! GraphQL over HTTP: JSON by POST, queries also by GET, one operation at a time.

use std::{collections::HashMap, future::ready, sync::Arc};

use apollo_compiler::ast::OperationType;
use async_graphql::ServerError;
use axum::{
    Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, RawQuery, State, WebSocketUpgrade, rejection::BytesRejection,
        ws::rejection::WebSocketUpgradeRejection,
    },
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{Stream, stream};
use mime::Mime;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    accept::{Accepted, MediaType},
    request::Parameters,
    stream::StreamType,
    websocket,
};
use crate::{
    auth,
    config::Limits,
    graphql::{
        Api,
        error::{self, Code, RequestError},
    },
    metrics::Told,
    rate_limits,
};

/// `/graphql`.
pub(crate) fn router(limits: &Limits) -> Router<Arc<Api>> {
    let methods = get(answer_get).post(answer_post).fallback(refuse_method);
    Router::new()
        .route("/graphql", methods)
        .layer(DefaultBodyLimit::max(limits.body_bytes))
}

async fn answer_get(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return answer_upgrade(&api, headers, upgrade);
    }
    answer(&api, &headers, Method::GET, || {
        from_query(query.as_deref().unwrap_or_default())
    })
    .await
}

async fn answer_post(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(&api, &headers, Method::POST, || {
        from_body(&headers, body, &api.app.settings.limits)
    })
    .await
}

/// A page of another site could open a WebSocket with the visitor's cookie, as no browser asks the server first.
fn answer_upgrade(api: &Arc<Api>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if auth::is_cross_site(&headers, &api.app.settings) {
        let error = RequestError::new(Code::Forbidden, "Cross-site request refused.");
        return refuse(MediaType::Json, StatusCode::FORBIDDEN, vec![error]);
    }
    match api.app.streams.open() {
        Some(place) => websocket::answer(api.clone(), headers, upgrade, place),
        None => with_retry(refuse(
            MediaType::Json,
            StatusCode::SERVICE_UNAVAILABLE,
            vec![super::full()],
        )),
    }
}

async fn refuse_method() -> Response {
    let error = RequestError::new(
        Code::MethodNotAllowed,
        "Send the operation by POST, or a query by GET.",
    );
    refuse(MediaType::Json, StatusCode::METHOD_NOT_ALLOWED, vec![error])
}

/// The answer of a request that took too long.
pub(crate) fn timed_out() -> Response {
    let error = RequestError::new(Code::Timeout, super::TIMED_OUT);
    with_retry(refuse(
        MediaType::Json,
        StatusCode::SERVICE_UNAVAILABLE,
        vec![error],
    ))
}

/// The answer of a request that there was no room for.
pub(crate) fn busy() -> Response {
    let message = "The server has too much to do. Try again in a moment.";
    let error = RequestError::new(Code::Unavailable, message);
    with_retry(refuse(
        MediaType::Json,
        StatusCode::SERVICE_UNAVAILABLE,
        vec![error],
    ))
}

/// The answer of a request by somebody who asks too often.
pub(crate) fn limited() -> Response {
    refuse(
        MediaType::Json,
        StatusCode::TOO_MANY_REQUESTS,
        vec![super::too_often()],
    )
}

/// The answer of a request that met a fault of ours.
pub(crate) fn failed() -> Response {
    let error = RequestError::new(Code::Internal, error::INTERNAL_MESSAGE);
    refuse(
        MediaType::Json,
        StatusCode::INTERNAL_SERVER_ERROR,
        vec![error],
    )
}

/// A request that is not executed: its status, and why.
struct Refused(StatusCode, Vec<RequestError>);

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self(StatusCode::BAD_REQUEST, vec![error])
    }
}

impl Refused {
    fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self(status, vec![RequestError::new(code, message)])
    }

    fn bad_input(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadUserInput, message)
    }
}

async fn answer(
    api: &Arc<Api>,
    headers: &HeaderMap,
    method: Method,
    parameters: impl FnOnce() -> Result<Parameters, Refused>,
) -> Response {
    let accepted = Accepted::negotiate(headers);
    let shown_as = accepted.whole.unwrap_or(MediaType::Json);
    if auth::is_cross_site(headers, &api.app.settings) {
        let error = RequestError::new(Code::Forbidden, "Cross-site request refused.");
        return refuse(shown_as, StatusCode::FORBIDDEN, vec![error]);
    }
    if let (None, None) = (accepted.whole, accepted.stream) {
        return refuse_accept(
            shown_as,
            "Accept application/graphql-response+json or application/json.",
        );
    }
    match parameters() {
        Ok(parameters) => execute(api, headers, method, accepted, parameters).await,
        Err(Refused(status, errors)) => refuse(shown_as, status, errors),
    }
}

async fn execute(
    api: &Arc<Api>,
    headers: &HeaderMap,
    method: Method,
    accepted: Accepted,
    parameters: Parameters,
) -> Response {
    // Well-formed, but not a GraphQL request that can be executed.
    let refuse_request = |errors: Vec<RequestError>| match (accepted.whole, accepted.stream) {
        (None, Some(stream_type)) => {
            let answer = stream::once(ready(body_of(errors)));
            stream_answers(api, stream_type, answer)
        }
        // Only the newer media type says so by the status.
        (Some(MediaType::GraphQlResponse), _) => {
            refuse(MediaType::GraphQlResponse, StatusCode::BAD_REQUEST, errors)
        }
        _ => refuse(MediaType::Json, StatusCode::OK, errors),
    };
    let shown_as = accepted.whole.unwrap_or(MediaType::Json);
    let may_be_kept = method == Method::GET && parameters.are_persisted();
    let prepared = match api.prepare(parameters) {
        Ok(prepared) => prepared,
        Err(errors) => return refuse_request(errors),
    };
    let kind = prepared.operation.kind();
    let field = prepared.operation.field().clone();
    let syncs = prepared.operation.syncs();
    if method == Method::GET && kind == OperationType::Mutation {
        let error = RequestError::new(
            Code::MethodNotAllowed,
            "Mutations are not run by GET: send this by POST.",
        );
        let mut response = refuse(shown_as, StatusCode::METHOD_NOT_ALLOWED, vec![error]);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let request = match api.request(prepared) {
        Ok(request) => request,
        Err(errors) => return refuse_request(errors),
    };
    let credentials = auth::credentials(headers, &api.app.settings);
    let standing = syncs.then(|| api.ask_to_sync(&credentials)).flatten();
    if standing.is_some_and(|standing| standing.wait.is_some()) {
        let response = refuse(
            shown_as,
            StatusCode::TOO_MANY_REQUESTS,
            vec![super::too_often()],
        );
        return rate_limits::tell(response, standing);
    }
    let caller = api.caller(credentials);
    match (kind, accepted.whole, accepted.stream) {
        (OperationType::Subscription, _, None) => refuse_accept(
            shown_as,
            "A subscription needs a WebSocket, or `Accept: text/event-stream`.",
        ),
        (OperationType::Subscription, _, Some(stream_type)) => {
            stream_answers(api, stream_type, api.follow(request, caller))
        }
        (_, None, Some(stream_type)) => {
            let answer = api.execute(request, caller).await;
            stream_answers(api, stream_type, stream::once(ready(answer)))
        }
        (_, _, _) => {
            let answer = api.execute(request, caller).await;
            let mut response = send(shown_as, StatusCode::OK, &answer);
            if may_be_kept && answer.errors.is_empty() {
                for (name, value) in KEPT_HEADERS {
                    response.headers_mut().insert(name, value);
                }
            }
            rate_limits::tell(tell(response, Some(field), &answer.errors), standing)
        }
    }
}

/// Says what the answer is about and whether it is one, which its status does not.
fn tell(mut response: Response, field: Option<Arc<str>>, errors: &[ServerError]) -> Response {
    response.extensions_mut().insert(Told {
        operation: field,
        outcome: error::outcome(errors),
    });
    response
}

fn refuse_accept(shown_as: MediaType, message: &str) -> Response {
    let error = RequestError::new(Code::BadUserInput, message);
    refuse(shown_as, StatusCode::NOT_ACCEPTABLE, vec![error])
}

/// Answers that go on, if there is room for one more.
fn stream_answers(
    api: &Api,
    stream_type: StreamType,
    answers: impl Stream<Item = impl Serialize + Send> + Send + 'static,
) -> Response {
    match api.app.streams.open() {
        Some(place) => super::stream::send(stream_type, answers, place),
        None => with_retry(refuse(
            MediaType::Json,
            StatusCode::SERVICE_UNAVAILABLE,
            vec![super::full()],
        )),
    }
}

/// The body of a request that was not executed: there is no `data` in it.
fn body_of(errors: Vec<RequestError>) -> HashMap<&'static str, Vec<ServerError>> {
    let errors = errors.into_iter().map(ServerError::from).collect();
    HashMap::from([("errors", errors)])
}

fn refuse(media_type: MediaType, status: StatusCode, errors: Vec<RequestError>) -> Response {
    let body = body_of(errors);
    let response = send(media_type, status, &body);
    let mut response = tell(response, None, &body["errors"]);
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(ACCEPT_POST, json);
    }
    response
}

/// From the Linked Data Platform, section 7.1: what a body may be.
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

fn send(media_type: MediaType, status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => (status, HEADERS, [(CONTENT_TYPE, media_type.header())], body).into_response(),
        Err(cause) => {
            tracing::error!(error = %cause, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (VARY, HeaderValue::from_static("accept")),
];

/// Clients ask for persisted documents by GET so that answers can be kept. These depend on who asks, and may change at any
/// time: the person's own browser may keep one and must ask again before it is used, and what is shared keeps none.
const KEPT_HEADERS: [(HeaderName, HeaderValue); 2] = [
    (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (
        VARY,
        HeaderValue::from_static("accept, cookie, authorization"),
    ),
];

fn with_retry(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn from_body(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    limits: &Limits,
) -> Result<Parameters, Refused> {
    check_content_type(headers)?;
    let body = body.map_err(|cause| match cause.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("The body is larger than {} bytes.", limits.body_bytes);
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BadUserInput, message)
        }
        _ => Refused::bad_input("The body could not be read to its end."),
    })?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|cause| Refused::bad_input(format!("The body is not JSON: {cause}.")))?;
    Ok(Parameters::new(body)?)
}

/// By the URL standard; an empty value is an absent one.
fn from_query(query: &str) -> Result<Parameters, Refused> {
    let mut body = Map::new();
    for (name, value) in
        url::form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty())
    {
        let value = match &*name {
            "query" | "documentId" | "operationName" => Value::String(value.into_owned()),
            "variables" | "extensions" => serde_json::from_str(&value)
                .map_err(|cause| Refused::bad_input(format!("`{name}` is not JSON: {cause}.")))?,
            _ => continue,
        };
        if body.insert(name.clone().into_owned(), value).is_some() {
            return Err(Refused::bad_input(format!(
                "`{name}` stands in the address twice."
            )));
        }
    }
    Ok(Parameters::new(Value::Object(body))?)
}

/// Anything but JSON could be sent by a form of another site.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type: Option<Mime> = value.and_then(|value| value.parse().ok());
    let is_json = content_type.is_some_and(|content_type| {
        let is_utf_8 = content_type
            .get_param(mime::CHARSET)
            .is_none_or(|charset| charset == mime::UTF_8);
        content_type.essence_str() == mime::APPLICATION_JSON.essence_str() && is_utf_8
    });
    if is_json {
        Ok(())
    } else {
        let message = "Send the body as application/json, in UTF-8.";
        Err(Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::BadUserInput,
            message,
        ))
    }
}
