//! The REST face: the documented paths, for clients that exist. Each operation forwards a fixed document to the same
//! resolvers that GraphQL runs, and shapes the answer.

mod answer;
mod body;
mod forward;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{auth, graphql::Api};
pub(crate) use answer::Refusal;
use answer::{Outcome, PostingTargets, SetPostingTargets, SyncOutcome, SyncPages, Targets};
use forward::{Forwarder, Operation};

/// The most bytes that a request's body may have.
const MAX_BODY: usize = 1024 * 1024;

/// # Errors
/// When one of the documents does not fit the schema, which a test would have found.
pub(crate) fn router(api: Api) -> Result<Router, String> {
    let forwarder = Forwarder::new(api)?;
    Ok(Router::new()
        .route(
            "/api/linkedin/targets",
            get(targets).fallback(refuse_method),
        )
        .route(
            "/api/linkedin/posting-targets",
            get(posting_targets)
                .put(set_posting_targets)
                .fallback(refuse_method),
        )
        .route(
            "/api/linkedin/sync-pages",
            post(sync_pages).fallback(refuse_method),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(forwarder))
}

/// `GET /api/linkedin/targets`
async fn targets(
    State(forwarder): State<Forwarder>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let caller = forwarder.caller(&headers);
    let targets: Targets = forwarder.run(Operation::Targets, caller).await?;
    Ok(answer::ok(&targets))
}

/// `GET /api/linkedin/posting-targets`
async fn posting_targets(
    State(forwarder): State<Forwarder>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let caller = forwarder.caller(&headers);
    let answer: PostingTargets = forwarder.run(Operation::PostingTargets, caller).await?;
    Ok(answer::ok(&answer.preferences))
}

/// `PUT /api/linkedin/posting-targets`
///
/// Who asks is settled before a byte of the body is read.
async fn set_posting_targets(
    State(forwarder): State<Forwarder>,
    request: Request,
) -> Result<Response, Refusal> {
    let caller = forwarder.caller(request.headers());
    caller.account().await?;
    if auth::is_cross_site(request.headers(), forwarder.settings()) {
        return Err(Refusal::CrossSite);
    }
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|cause| match cause.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::BodyTooLarge,
            _ => Refusal::Invalid(body::NOT_JSON),
        })?;
    let targets = body::targets(&body).map_err(Refusal::Invalid)?;
    let answer: SetPostingTargets = forwarder
        .run(Operation::SetPostingTargets(targets), caller)
        .await?;
    match answer.outcome {
        Outcome::Saved { preferences } => Ok(answer::ok(&preferences)),
        Outcome::Unavailable { message } => Err(Refusal::Unavailable(message)),
    }
}

/// `POST /api/linkedin/sync-pages`
///
/// The body is not read. A refusal by LinkedIn that comes while it is asked is a failure of the sync.
async fn sync_pages(
    State(forwarder): State<Forwarder>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let caller = forwarder.caller(&headers);
    let account = caller.account().await?;
    if auth::is_cross_site(&headers, forwarder.settings()) {
        return Err(Refusal::CrossSite);
    }
    let can_ask = account.is_connected && !account.org_scope_missing;
    let answer: SyncPages = forwarder.run(Operation::SyncPages, caller).await?;
    match answer.outcome {
        SyncOutcome::Synced { report } => Ok(answer::ok(&report)),
        SyncOutcome::Reconnect { code } if code == "NOT_LINKED" => Err(Refusal::NotLinked),
        SyncOutcome::Reconnect { .. } if !can_ask => Err(Refusal::OrgScopeMissing),
        SyncOutcome::Reconnect { .. } | SyncOutcome::Unavailable {} => Err(Refusal::SyncFailed),
    }
}

pub(crate) async fn refuse_method() -> Refusal {
    Refusal::MethodNotAllowed
}

/// Every other path under `/api`: a trailing slash leads to the path without it, the rest is not there.
pub(crate) fn not_found(uri: &Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    if path == uri.path() {
        return Refusal::NotFound.into_response();
    }
    let query = uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    match HeaderValue::try_from(format!("{path}{query}")) {
        Ok(location) => (
            StatusCode::PERMANENT_REDIRECT,
            [(LOCATION, location)],
            answer::NO_STORE,
        )
            .into_response(),
        Err(_) => Refusal::NotFound.into_response(),
    }
}
