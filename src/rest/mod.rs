//! The REST face: the documented paths, for clients that exist. Each operation forwards a fixed document to the same
//! resolvers that GraphQL runs, and shapes the answer.

mod answer;
mod body;
mod forward;
mod openapi;
mod refusal;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth,
    graphql::{Api, context::Caller},
    rate_limits,
};
use answer::{
    Outcome, Pages, PostingTargets, Preferences, SavedTargets, SetPostingTargets, SyncOutcome,
    SyncPages, Targets,
};
use body::Selection;
use forward::{Forwarder, Operation};
use openapi::{Head, ReadRefusals, SaveRefusals, SyncRefusals};
pub(crate) use refusal::Refusal;

/// The most bytes that a request's body may have.
const MAX_BODY: usize = 1024 * 1024;

/// # Errors
/// When one of the documents does not fit the schema, which a test would have found.
pub(crate) fn router(api: Arc<Api>) -> Result<Router, String> {
    let forwarder = Forwarder::new(api)?;
    let (mut router, _) = described().split_for_parts();
    let settings = forwarder.settings();
    if settings.introspection {
        let description = openapi(&settings.session_cookies);
        let answer = ([(CONTENT_TYPE, "application/json")], description);
        router = router.route("/openapi.json", get(async || answer));
    }
    Ok(router
        .method_not_allowed_fallback(refuse_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(forwarder))
}

/// The routes, and what they say about themselves.
fn described() -> OpenApiRouter<Forwarder> {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(targets))
        .routes(routes!(posting_targets, set_posting_targets))
        .routes(routes!(sync_pages))
}

/// All paths under `/api` as OpenAPI describes them, for a server with these session cookies. `openapi.json` is the
/// description with `session`.
#[must_use]
pub fn openapi(session_cookies: &[String]) -> String {
    let mut document = described().into_openapi();
    document.merge(auth::link::described().into_openapi());
    let document = openapi::complete(document, session_cookies);
    document.to_pretty_json().unwrap_or_default() + "\n"
}

/// List the caller's targets
///
/// Every destination that the caller can post to right now: their own account, then organization pages, then personal
/// pages, each group by label.
#[utoipa::path(
    get,
    path = "/api/linkedin/targets",
    tag = "Targets",
    operation_id = "listTargets",
    responses((status = OK, description = "The targets.", body = Targets), ReadRefusals)
)]
async fn targets(State(forwarder): State<Forwarder>, caller: Caller) -> Result<Response, Refusal> {
    let targets: Targets = forwarder.run(Operation::Targets, caller).await?;
    Ok(answer::ok(&targets))
}

/// Read the caller's preferences
///
/// Every target, with whether it is enabled. Someone who never saved has all of them enabled; after a save, a target
/// that appears later is disabled.
#[utoipa::path(
    get,
    path = "/api/linkedin/posting-targets",
    tag = "Targets",
    operation_id = "getPostingTargets",
    responses((status = OK, description = "The preferences.", body = Preferences), ReadRefusals)
)]
async fn posting_targets(
    State(forwarder): State<Forwarder>,
    caller: Caller,
) -> Result<Response, Refusal> {
    let answer: PostingTargets = forwarder.run(Operation::PostingTargets, caller).await?;
    Ok(answer::ok(&answer.preferences))
}

/// Save the caller's preferences
///
/// Enables exactly the targets in the body and disables all others, also those that are not mentioned. Everything is
/// saved or nothing; of two saves at once, one wins whole. It is a default for the composer's picker, not an
/// authorization. The body counts, whatever its content type.
#[utoipa::path(
    put,
    path = "/api/linkedin/posting-targets",
    tag = "Targets",
    operation_id = "setPostingTargets",
    request_body = Selection,
    responses((status = OK, description = "Saved.", body = SavedTargets), SaveRefusals)
)]
async fn set_posting_targets(
    State(forwarder): State<Forwarder>,
    request: Request,
) -> Result<Response, Refusal> {
    // Who asks is settled before a byte of the body is read.
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
    let selection = Selection::read(&body).map_err(Refusal::Invalid)?;
    let answer: SetPostingTargets = forwarder
        .run(Operation::SetPostingTargets(selection.into_input()), caller)
        .await?;
    match answer.outcome {
        Outcome::Saved { preferences } => Ok(answer::ok(&preferences)),
        Outcome::Unavailable { message } => Err(Refusal::Unavailable(message)),
    }
}

/// Fetch the caller's company pages again
///
/// Asks LinkedIn which company pages the caller administers. Pages that are no longer administered are removed, and
/// one that comes back keeps its id. A body is not read.
#[utoipa::path(
    post,
    path = "/api/linkedin/sync-pages",
    tag = "Targets",
    operation_id = "syncPages",
    responses((status = OK, description = "The pages as they are now.", body = Pages), SyncRefusals)
)]
async fn sync_pages(State(forwarder): State<Forwarder>, headers: HeaderMap) -> Response {
    let standing = forwarder.ask_to_sync(&headers);
    let answer = match standing.and_then(|standing| standing.wait) {
        Some(_) => Err(Refusal::TooManyRequests),
        None => sync(&forwarder, &headers).await,
    };
    rate_limits::tell(answer.into_response(), standing)
}

async fn sync(forwarder: &Forwarder, headers: &HeaderMap) -> Result<Response, Refusal> {
    let caller = forwarder.caller(headers);
    let account = caller.account().await?;
    if auth::is_cross_site(headers, forwarder.settings()) {
        return Err(Refusal::CrossSite);
    }
    let can_ask = account.is_connected && !account.org_scope_missing;
    let answer: SyncPages = forwarder.run(Operation::SyncPages, caller).await?;
    match answer.outcome {
        SyncOutcome::Synced { report } => Ok(answer::ok(&report)),
        SyncOutcome::Reconnect { code } if code == "NOT_LINKED" => Err(Refusal::NotLinked),
        SyncOutcome::Reconnect { .. } if !can_ask => Err(Refusal::OrgScopeMissing),
        // LinkedIn refused while it was asked: the sync failed.
        SyncOutcome::Reconnect { .. } | SyncOutcome::Unavailable {} => Err(Refusal::SyncFailed),
    }
}

/// What a save's body asks for, as its input in GraphQL.
///
/// # Errors
/// What is wrong with it.
#[cfg(fuzzing)]
pub fn read_selection(body: &[u8]) -> Result<Vec<serde_json::Value>, &'static str> {
    Selection::read(body).map(Selection::into_input)
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
