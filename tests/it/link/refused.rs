//! Attempts that do not end well, and change nothing.

use chrono::TimeDelta;
use reqwest::StatusCode;
use rstest::rstest;
use stand_in_linkedin::{Consent, Endpoint, Fault, UnauthorizedScopes, When};
use url::Url;

use super::{AUTHORIZE, Browser, LINKED, app, browser::path_of, identity, labels};
use crate::support::{app::TestApp, database::Backend};

const STALE: &str =
    "This attempt to link LinkedIn is too old or was begun elsewhere. Please try again.";

fn error(end: &Url) -> Option<String> {
    assert!(end.as_str().starts_with(super::INTEGRATIONS), "{end}");
    let (_, error) = end.query_pairs().find(|(name, _)| name == "error")?;
    Some(error.into_owned())
}

/// Ada, who has allowed everything at LinkedIn; her browser has not come back yet.
async fn on_the_way_back(app: &TestApp) -> (Browser, Url) {
    let ada = app.person("ada").await;
    let mut browser = Browser::new(app, &ada);
    let consent_page = browser.get(AUTHORIZE).await;
    let back = app.linkedin.consent(&consent_page, Consent::approve("ada"));
    (browser, back.unwrap())
}

#[tokio::test]
async fn an_attempt_is_used_once() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (mut browser, back) = on_the_way_back(&app).await;

    let first = browser.follow(&back).await;
    let again = browser.follow(&back).await;

    assert_eq!(first.as_str(), LINKED);
    assert_eq!(error(&again).as_deref(), Some(STALE));
    assert_eq!(app.linkedin.calls_to(Endpoint::AccessToken), 1);
}

#[tokio::test]
async fn an_attempt_lasts_ten_minutes() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (mut browser, back) = on_the_way_back(&app).await;
    app.clock.advance(TimeDelta::minutes(10));

    let end = browser.follow(&back).await;

    assert_eq!(error(&end).as_deref(), Some(STALE));
    assert_eq!(app.linkedin.calls_to(Endpoint::AccessToken), 0);
}

#[tokio::test]
async fn another_browser_cannot_finish_it() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (_, back) = on_the_way_back(&app).await;
    let eve = app.person("eve").await;

    let end = Browser::new(&app, &eve).follow(&back).await;

    assert_eq!(error(&end).as_deref(), Some(STALE));
    assert!(identity(&app, &eve).await.is_none());
}

#[tokio::test]
async fn another_account_in_the_same_browser_cannot_finish_it() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (mut browser, back) = on_the_way_back(&app).await;
    let bob = app.person("bob").await;
    browser.sign_in(&bob);

    let end = browser.follow(&back).await;

    let text =
        "You have switched to another account since you began to link LinkedIn. Please try again.";
    assert_eq!(error(&end).as_deref(), Some(text));
    assert!(identity(&app, &bob).await.is_none());
}

#[rstest]
#[case::state_of_another_attempt("state", "somebody-elses")]
#[case::no_state("state", "")]
#[tokio::test]
async fn a_state_that_does_not_fit_ends_it(#[case] name: &str, #[case] value: &str) {
    let app = app(Backend::Sqlite).await.unwrap();
    let (mut browser, mut back) = on_the_way_back(&app).await;
    let others: Vec<_> = back
        .query_pairs()
        .filter(|(known, _)| known != name)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    back.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(name, value);

    let end = browser.follow(&back).await;

    assert_eq!(error(&end).as_deref(), Some(STALE));
}

#[tokio::test]
async fn a_forged_cookie_ends_it() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (mut browser, back) = on_the_way_back(&app).await;
    for (name, value) in browser.cookies() {
        if name.starts_with("linkedin") {
            value.replace_range(30..34, "AAAA");
        }
    }

    let end = browser.follow(&back).await;

    assert_eq!(error(&end).as_deref(), Some(STALE));
}

#[tokio::test]
async fn linkedins_own_words_never_reach_the_person() {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    let consent_page = browser.get(AUTHORIZE).await;
    let (_, state) = consent_page
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap();

    let path =
        format!("/api/auth/linkedin/callback?error=%3Cb%3E&error_description=evil&state={state}");
    let end = browser.get(&path).await;

    let text = "LinkedIn did not accept the sign-in. Please try again.";
    assert_eq!(error(&end).as_deref(), Some(text));
}

#[tokio::test]
async fn scopes_that_the_application_may_not_ask_for_are_the_operators_affair() {
    let app = app(Backend::Sqlite).await.unwrap();
    app.linkedin.world(|world| {
        world.applications[0].scopes.remove("rw_organization_admin");
        world.applications[0].unauthorized_scopes = UnauthorizedScopes::Refused;
    });
    let ada = app.person("ada").await;

    let end = Browser::new(&app, &ada).link("ada").await;

    let text = "LinkedIn does not let this application ask for all the permissions it needs. Its operator must act.";
    assert_eq!(error(&end).as_deref(), Some(text));
}

#[rstest]
#[case::code_refused(
    Fault::Status(StatusCode::BAD_REQUEST),
    Endpoint::AccessToken,
    "LinkedIn could not be reached. Please try again later."
)]
#[case::exchange_broken(
    Fault::Status(StatusCode::BAD_GATEWAY),
    Endpoint::AccessToken,
    "LinkedIn could not be reached. Please try again later."
)]
#[case::exchange_nonsense(
    Fault::Garbage,
    Endpoint::AccessToken,
    "LinkedIn could not be reached. Please try again later."
)]
#[case::exchange_cut(
    Fault::Truncated,
    Endpoint::AccessToken,
    "LinkedIn could not be reached. Please try again later."
)]
#[case::throttled(Fault::Throttled { retry_after: None }, Endpoint::UserInfo, "LinkedIn takes no more requests for now. Please try again later.")]
#[case::member_unknown(
    Fault::Status(StatusCode::BAD_GATEWAY),
    Endpoint::UserInfo,
    "LinkedIn could not be reached. Please try again later."
)]
#[case::token_revoked(
    Fault::RevokedToken,
    Endpoint::UserInfo,
    "LinkedIn did not accept the sign-in. Please try again."
)]
#[tokio::test]
async fn what_fails_at_linkedin_links_nothing_and_the_next_attempt_is_fine(
    #[case] fault: Fault,
    #[case] at: Endpoint,
    #[case] text: &str,
) {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    app.linkedin
        .world(|world| world.fail(fault, When::always().at(at)));

    let end = browser.link("ada").await;
    let row = identity(&app, &ada).await;
    app.linkedin.world(|world| world.heal());
    let next = browser.link("ada").await;

    assert_eq!(error(&end).as_deref(), Some(text));
    assert!(row.is_none());
    assert_eq!(next.as_str(), LINKED);
}

#[tokio::test]
async fn a_database_that_is_gone_is_no_lost_session() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (mut browser, back) = on_the_way_back(&app).await;
    app.lose_database().await;

    for path in [AUTHORIZE.to_owned(), path_of(&back)] {
        let reply = browser.open(&path).await;
        assert_eq!(reply.status, 503, "{path}");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
}

#[rstest]
#[tokio::test]
async fn less_than_was_allowed_before_never_replaces_a_connection_that_works(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = app(on).await else { return };
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    browser.link("ada").await;
    let before = identity(&app, &ada).await;
    let narrow = || Consent::Approve {
        member: "ada".to_owned(),
        scopes: Some(["openid", "profile"].map(str::to_owned).into()),
    };

    let kept = browser.link_as(narrow()).await;
    let still = identity(&app, &ada).await;
    app.linkedin.world(|world| world.revoke_tokens("ada"));
    let replaced = browser.link_as(narrow()).await;

    assert!(
        error(&kept).unwrap().starts_with("You allowed less than"),
        "{kept}"
    );
    assert_eq!(still, before);
    assert_eq!(replaced.as_str(), LINKED);
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace", "Acme"]);
    let preferences = app.get("/api/linkedin/posting-targets", &ada).await.json();
    assert_eq!(preferences["orgScopeMissing"], true);
}
