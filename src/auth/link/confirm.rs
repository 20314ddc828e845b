//! The question whether another member's connection is to be replaced.

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use maud::html;
use serde::Deserialize;

use super::{Attempts, Linking, Outcome, Stop, redirect};
use crate::{
    auth,
    domain::link::{Linked, Refusal},
    pages,
};

/// What people are called who have no name at LinkedIn.
const NAMELESS: &str = "a LinkedIn member without a name";

/// `GET /api/auth/linkedin/confirm`
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

#[derive(Deserialize)]
pub(super) struct Decision {
    decision: String,
}

/// `POST /api/auth/linkedin/confirm`
pub(super) async fn decide(
    State(linking): State<Linking>,
    headers: HeaderMap,
    Form(form): Form<Decision>,
) -> Result<Response, Stop> {
    let account = linking.account(&headers).await?;
    if auth::is_cross_site(&headers, &linking.app.settings) {
        return Err(Stop::CrossSite);
    }
    let mut attempts = Attempts::read(&headers, &linking.app, linking.application()?);
    let waiting = attempts.waiting(&account.user_id);
    let outcome = match (form.decision.as_str(), waiting) {
        ("replace", Ok(waiting)) => {
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
        ("replace", Err(unfit)) => Outcome::Refused(unfit.into()),
        ("keep", _) => Outcome::Cancelled,
        _ => return Ok(StatusCode::BAD_REQUEST.into_response()),
    };
    attempts.stop_waiting();
    Ok(redirect(&linking.address(outcome), Some(&attempts)))
}
