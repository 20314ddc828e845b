//! The question whether another member's connection is to be replaced.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::HeaderMap,
    response::Response,
};
use maud::html;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Attempts, Linking, Outcome, Stop, redirect};
use crate::{
    auth,
    domain::link::{Linked, Refusal},
    pages,
};

/// What people are called who have no name at LinkedIn.
const NAMELESS: &str = "a LinkedIn member without a name";

/// Ask whether another member's connection is to be replaced
///
/// For a browser, which the callback sends here.
#[utoipa::path(
    get,
    path = "/api/auth/linkedin/confirm",
    tag = "Linking",
    operation_id = "askForReplacement",
    security((), ("session" = [])),
    responses(
        (status = OK, description = "A page with a form.", body = String, content_type = "text/html"),
        (
            status = SEE_OTHER,
            description = "There is nothing to ask: on to InterlinedList's sign-in or integrations.",
            headers(("Location" = String, description = "Where to go."))
        ),
        Stop
    )
)]
pub(super) async fn ask(
    State(linking): State<Linking>,
    headers: HeaderMap,
) -> Result<Response, Stop> {
    let account = linking.account(&headers).await?;
    let attempts = Attempts::read(&headers, &linking.app, linking.application()?);
    let waiting = attempts
        .waiting(&account.user_id)
        .map_err(|unfit| linking.refused(unfit.into()))?;
    let linked = account
        .identity
        .as_ref()
        .and_then(|identity| identity.name.as_deref());
    let (linked, new) = (
        linked.unwrap_or(NAMELESS),
        waiting.name().unwrap_or(NAMELESS),
    );
    let text = html! {
        p { "InterlinedList posts to LinkedIn for you as " b { (linked) } "." }
        p { "At LinkedIn you have just signed in as " b { (new) } ", which is another member." }
        p {
            "If you go on, " (new) " takes the place of " (linked) ". The company pages that were found for " (linked)
            " are no longer offered, except those that " (new) " may post to as well."
        }
        form method="post" {
            button name="decision" value="replace" { "Replace " (linked) " with " (new) } " "
            button name="decision" value="keep" { "Keep " (linked) }
        }
    };
    let public_url = &linking.app.settings.public_url;
    Ok(pages::form(
        "Link another LinkedIn account?",
        text,
        public_url,
    ))
}

/// What the person says.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReplacementDecision)]
pub(super) struct Decision {
    #[schema(inline)]
    decision: Choice,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Replace,
    Keep,
}

/// Answer that question
///
/// For a browser, with the page's form.
#[utoipa::path(
    post,
    path = "/api/auth/linkedin/confirm",
    tag = "Linking",
    operation_id = "decideOnReplacement",
    request_body(content = Decision, content_type = "application/x-www-form-urlencoded"),
    security((), ("session" = [])),
    responses(
        (
            status = SEE_OTHER,
            description = "On to InterlinedList's integrations, with `linked=linkedin` or an `error` for the person; or to the sign-in, without a live session.",
            headers(("Location" = String, description = "Where to go."))
        ),
        (
            status = FORBIDDEN,
            description = "A page of another site sent the form.",
            body = String,
            content_type = "text/plain"
        ),
        Stop
    )
)]
pub(super) async fn decide(
    State(linking): State<Linking>,
    headers: HeaderMap,
    form: Result<Form<Decision>, FormRejection>,
) -> Result<Response, Stop> {
    let account = linking.account(&headers).await?;
    if auth::is_cross_site(&headers, &linking.app.settings) {
        return Err(Stop::CrossSite);
    }
    let Form(Decision { decision }) = form?;
    let mut attempts = Attempts::read(&headers, &linking.app, linking.application()?);
    let waiting = attempts.waiting(&account.user_id);
    let outcome = match (decision, waiting) {
        (Choice::Replace, Ok(waiting)) => {
            let replaces = waiting.replaces.clone();
            let consent = waiting.consent();
            match linking
                .store(&account.user_id, &consent, Some(&replaces))
                .await?
            {
                Linked::Done => linking.discover(&headers).await,
                Linked::KeptWider => Outcome::Refused(Refusal::KeptWider),
                // Yet another member was linked meanwhile.
                Linked::OtherMember { .. } => Outcome::Refused(Refusal::Stale),
            }
        }
        (Choice::Replace, Err(unfit)) => Outcome::Refused(unfit.into()),
        (Choice::Keep, _) => Outcome::Cancelled,
    };
    attempts.stop_waiting();
    Ok(redirect(&linking.address(outcome), Some(&attempts)))
}
