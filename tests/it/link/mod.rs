//! Linking a LinkedIn account: to LinkedIn's consent page and back, as a browser does it.

mod browser;
mod refused;
mod renewed;
mod replaced;
mod sealed;

use reqwest::StatusCode;
use rstest::rstest;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stand_in_linkedin::{
    Application, Consent, Endpoint, Fault, Member, Organization, Role, UnauthorizedScopes, When,
};

use crate::support::{
    app::{Person, TestApp, application},
    database::Backend,
    member::{long_lived, serve},
    process::parsed,
};
use browser::Browser;

const AUTHORIZE: &str = "/api/auth/linkedin/authorize?link=true";
const LINKED: &str = "https://interlinedlist.example/integrations?linked=linkedin";
const INTEGRATIONS: &str = "https://interlinedlist.example/integrations";
const LOGIN: &str = "https://interlinedlist.example/login";

/// A LinkedIn that knows the server, and Ada, who administers Acme.
async fn app(on: Backend) -> Option<TestApp> {
    let app = TestApp::new(on).await?;
    populate(&app);
    Some(app)
}

fn populate(app: &TestApp) {
    let server = application();
    app.linkedin.world(|world| {
        world.applications.push(Application::new(
            &server.client_id,
            server.client_secret,
            server.redirect_uri.as_str(),
        ));
        world.members.push(Member {
            picture: Some("https://media.example/ada.png".to_owned()),
            ..Member::new("ada", "Ada Lovelace")
        });
        world.organizations.push(Organization::new(1, "Acme"));
        world.assign("ada", 1, Role::Administrator);
    });
}

async fn labels(app: &TestApp, person: &Person) -> Vec<String> {
    let targets = app.get("/api/linkedin/targets", person).await.json();
    let targets = targets["targets"].as_array().unwrap().clone();
    targets
        .iter()
        .map(|target| target["label"].as_str().unwrap().to_owned())
        .collect()
}

/// The person's row, but for its id.
async fn identity(app: &TestApp, person: &Person) -> Option<Value> {
    use linkedin_targets::storage::entity::linked_identity;
    use sea_orm::{EntityTrait, QueryFilter};
    let row = linked_identity::Entity::find()
        .filter(linked_identity::COLUMN.user_id.eq(&person.id))
        .one(&app.db)
        .await
        .unwrap()?;
    Some(json!({
        "id": row.id,
        "provider": row.provider,
        "providerUserId": row.provider_user_id,
        "providerUsername": row.provider_username,
        "providerData": row.provider_data.map(|data| data.0),
        "profileUrl": row.profile_url,
        "avatarUrl": row.avatar_url,
        "connectedAt": row.connected_at.to_string(),
        "lastVerifiedAt": row.last_verified_at.map(|at| at.to_string()),
    }))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_link_leaves_a_line_that_tells_who_linked_and_what_came_of_it(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = app(on).await else { return };
    let ada = long_lived(&app, "ada").await;
    let (application, linkedin) = (application(), app.linkedin.base_url().as_str());
    let settings = [
        ("PUBLIC_URL", "https://interlinedlist.example"),
        ("LINKEDIN_CLIENT_ID", &*application.client_id),
        (
            "LINKEDIN_CLIENT_SECRET",
            application.client_secret.expose_secret(),
        ),
        ("LINKEDIN_OAUTH_URL", linkedin),
    ];
    let mut server = serve(&app, &settings);
    let mut browser = Browser::new(&app, &ada);
    browser.turn_to_url(server.url(""));

    for _ in 0..2 {
        assert_eq!(browser.link("ada").await.as_str(), LINKED);
    }
    // Each link syncs as well, and that has a line of its own.
    let lines = [(); 2].map(|()| parsed(&server.line_that_says(r#""action":"link""#)));

    let told = lines.map(|line| {
        ["target", "user.id", "outcome"].map(|field| line[field].as_str().unwrap().to_owned())
    });
    let line = |outcome: &str| ["audit", &*ada.id, outcome].map(str::to_owned);
    assert_eq!(told, [line("linked"), line("reconnected")]);
}

#[rstest]
#[tokio::test]
async fn a_person_links_their_account_and_has_their_pages(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = app(on).await else { return };
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);

    let consent_page = browser.get(AUTHORIZE).await;
    let asked: std::collections::HashMap<_, _> = consent_page.query_pairs().into_owned().collect();
    let cookie = browser.last_cookie();
    let back = app
        .linkedin
        .consent(&consent_page, Consent::approve("ada"))
        .unwrap();
    let end = browser.follow(&back).await;

    assert_eq!(asked["response_type"], "code");
    assert_eq!(
        asked["scope"],
        "openid profile email w_member_social rw_organization_admin w_organization_social"
    );
    assert_eq!(asked["state"].len(), 43, "32 bytes in base64");
    for attribute in [
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
        "Path=/api/auth/linkedin",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains(&asked["state"]), "{cookie}");
    assert_eq!(end.as_str(), LINKED);
    assert!(browser.is_clean(), "the attempt is over");
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace", "Acme"]);
    let mut row = identity(&app, &ada).await.unwrap();
    let token = row["providerData"]["access_token"].take();
    assert!(token.as_str().unwrap().len() > 8);
    row["id"].take();
    assert_eq!(
        row,
        json!({
            "id": null,
            "provider": "linkedin",
            "providerUserId": "ada",
            "providerUsername": "Ada Lovelace",
            "providerData": {
                "access_token": null,
                "expires_in": 5_184_000,
                "expires_at": "2026-08-11T12:00:00.000Z",
                "scope": "email,openid,profile,rw_organization_admin,w_member_social,w_organization_social",
            },
            "profileUrl": null,
            "avatarUrl": "https://media.example/ada.png",
            "connectedAt": "2026-06-12 12:00:00",
            "lastVerifiedAt": "2026-06-12 12:00:00",
        })
    );
}

#[rstest]
#[tokio::test]
async fn a_reconnect_keeps_ids_pages_and_preferences(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = app(on).await else { return };
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    browser.link("ada").await;
    let before = app.get("/api/linkedin/targets", &ada).await.json();
    let page = &before["targets"][1]["personalPageId"];
    let body = json!({ "targets": [{ "kind": "personalPage", "personalPageId": page }] });
    let saved = app
        .put("/api/linkedin/posting-targets", &ada, &body)
        .await
        .json();
    let identity_before = identity(&app, &ada).await.unwrap();
    app.linkedin.world(|world| {
        world.revoke_tokens("ada");
        world.members[0].name = "Countess Lovelace".to_owned();
    });
    app.clock.advance(chrono::TimeDelta::days(1));

    let end = browser.link("ada").await;

    assert_eq!(end.as_str(), LINKED);
    let after = identity(&app, &ada).await.unwrap();
    assert_eq!(after["id"], identity_before["id"]);
    assert_eq!(after["connectedAt"], identity_before["connectedAt"]);
    assert_eq!(after["lastVerifiedAt"], "2026-06-13 12:00:00");
    assert_eq!(labels(&app, &ada).await, ["Countess Lovelace", "Acme"]);
    let preferred = app.get("/api/linkedin/posting-targets", &ada).await.json();
    assert_eq!(preferred["targets"][1], saved["targets"][1]);
    assert_eq!(preferred["targets"][0]["enabled"], false);
}

#[tokio::test]
async fn several_tabs_finish_in_any_order_and_on_any_server() {
    let app = app(Backend::Sqlite).await.unwrap();
    let other = app.another().await;
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    let first = browser.get(AUTHORIZE).await;
    let second = browser.get(AUTHORIZE).await;

    browser.turn_to(&other);
    let second = browser.approve(&second, "ada").await;
    let first = browser.approve(&first, "ada").await;

    assert_eq!((second.as_str(), first.as_str()), (LINKED, LINKED));
}

#[tokio::test]
async fn more_tabs_than_a_browser_has_cookies_for_begin_anew() {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    for _ in 0..20 {
        browser.get(AUTHORIZE).await;
        assert!(browser.attempts() <= 8);
    }

    let end = browser.link("ada").await;

    assert_eq!(end.as_str(), LINKED);
}

#[rstest]
#[case::not_asked_to_link("/api/auth/linkedin/authorize")]
#[case::asked_for_something_else("/api/auth/linkedin/authorize?link=1")]
#[tokio::test]
async fn signing_in_is_interlinedlists_affair(#[case] path: &str) {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;

    let end = Browser::new(&app, &ada).get(path).await;

    assert_eq!(end.as_str(), LOGIN);
}

#[tokio::test]
async fn nobody_is_sent_to_sign_in_first() {
    let app = app(Backend::Sqlite).await.unwrap();
    let nobody = Person {
        id: String::new(),
        session: String::new(),
    };
    let mut browser = Browser::new(&app, &nobody);

    assert_eq!(browser.get(AUTHORIZE).await.as_str(), LOGIN);
    let back = "/api/auth/linkedin/callback?code=1&state=2";
    assert_eq!(browser.get(back).await.as_str(), LOGIN);
    assert_eq!(
        browser.get("/api/auth/linkedin/confirm").await.as_str(),
        LOGIN
    );
}

#[rstest]
#[case::at_the_consent_page(Consent::Cancel)]
#[case::at_the_sign_in(Consent::CancelLogin)]
#[tokio::test]
async fn cancelling_is_no_error(#[case] decision: Consent) {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);
    let consent_page = browser.get(AUTHORIZE).await;
    let back = app.linkedin.consent(&consent_page, decision).unwrap();

    let end = browser.follow(&back).await;

    assert_eq!(end.as_str(), INTEGRATIONS);
    assert!(identity(&app, &ada).await.is_none());
    assert!(browser.is_clean());
}

#[tokio::test]
async fn a_scope_that_was_left_out_leaves_a_link_without_pages() {
    let app = app(Backend::Sqlite).await.unwrap();
    app.linkedin.world(|world| {
        world.applications[0].scopes.remove("rw_organization_admin");
        world.applications[0].unauthorized_scopes = UnauthorizedScopes::LeftOut;
    });
    let ada = app.person("ada").await;

    let end = Browser::new(&app, &ada).link("ada").await;

    assert_eq!(end.as_str(), LINKED);
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace"]);
    let preferences = app.get("/api/linkedin/posting-targets", &ada).await.json();
    assert_eq!(preferences["orgScopeMissing"], true);
}

#[tokio::test]
async fn a_token_that_is_too_fresh_is_tried_again() {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    app.linkedin.world(|world| {
        world.fail(
            Fault::RevokedToken,
            When::always().times(2).at(Endpoint::UserInfo),
        );
        world.fail(
            Fault::RevokedToken,
            When::always().times(2).at(Endpoint::OrganizationAcls),
        );
    });

    let end = Browser::new(&app, &ada).link("ada").await;

    assert_eq!(end.as_str(), LINKED);
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace", "Acme"]);
}

#[rstest]
#[case::broken(Fault::Status(StatusCode::BAD_GATEWAY))]
#[case::throttled(Fault::Throttled { retry_after: None })]
#[case::nonsense(Fault::Garbage)]
#[tokio::test]
async fn pages_that_cannot_be_found_never_fail_the_link(#[case] fault: Fault) {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    app.linkedin
        .world(|world| world.fail(fault, When::always().at(Endpoint::OrganizationAcls)));

    let end = Browser::new(&app, &ada).link("ada").await;

    assert_eq!(end.as_str(), LINKED);
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace"]);
}

#[tokio::test]
async fn scopes_that_linkedin_does_not_name_are_asked_for() {
    let app = app(Backend::Sqlite).await.unwrap();
    app.linkedin
        .world(|world| world.applications[0].names_scopes = false);
    let ada = app.person("ada").await;

    Browser::new(&app, &ada).link("ada").await;

    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace", "Acme"]);
}

#[tokio::test]
async fn the_status_tells_whether_linking_is_set_up() {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;

    let reply = app.get("/api/auth/linkedin/status", &ada).await;

    assert_eq!(
        reply.text,
        r#"{"configured":true,"redirectUri":"https://interlinedlist.example/api/auth/linkedin/callback"}"#
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_token_stays_between_the_servers() {
    let app = app(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let mut browser = Browser::new(&app, &ada);

    browser.link("ada").await;

    let row = identity(&app, &ada).await.unwrap();
    let token = row["providerData"]["access_token"].as_str().unwrap();
    assert!(!browser.seen().contains(token));
    assert!(
        !browser
            .seen()
            .contains(application().client_secret.expose_secret())
    );
}
