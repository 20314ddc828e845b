//! Another LinkedIn member than before: nothing is replaced until the person agrees.

use reqwest::header::{LOCATION, ORIGIN};
use rstest::rstest;
use stand_in_linkedin::{Member, Organization, Role};

use super::{Browser, INTEGRATIONS, LINKED, app, identity, labels};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
};

const CONFIRM: &str = "/api/auth/linkedin/confirm";

/// Ada is linked, and her browser comes back from LinkedIn as Bob, who administers Acme too, and Bolts.
async fn back_as_bob(app: &TestApp) -> (Person, Browser) {
    app.linkedin.world(|world| {
        world.members.push(Member::new("bob", "Bob <Byron>"));
        world.organizations.push(Organization::new(2, "Bolts"));
        world.organizations.push(Organization::new(3, "Cogs"));
        world.assign("bob", 1, Role::Administrator);
        world.assign("bob", 2, Role::Administrator);
        world.assign("ada", 3, Role::Administrator);
    });
    let ada = app.person("ada").await;
    let mut browser = Browser::new(app, &ada);
    assert_eq!(browser.link("ada").await.as_str(), LINKED);
    let end = browser.link("bob").await;
    assert_eq!(
        end.as_str(),
        "https://interlinedlist.example/api/auth/linkedin/confirm"
    );
    (ada, browser)
}

#[rstest]
#[tokio::test]
async fn the_page_names_both_and_nothing_has_changed_yet(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = app(on).await else { return };
    let (ada, mut browser) = back_as_bob(&app).await;

    let page = browser.open(CONFIRM).await;

    assert_eq!(page.status, 200);
    assert!(
        page.text
            .contains("Replace Ada Lovelace with Bob &lt;Byron&gt;"),
        "{page:?}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://interlinedlist.example;"),
        "{policy}"
    );
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    assert_eq!(labels(&app, &ada).await, ["Ada Lovelace", "Acme", "Cogs"]);
}

#[rstest]
#[tokio::test]
async fn who_agrees_has_the_other_members_pages(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = app(on).await else { return };
    let (ada, mut browser) = back_as_bob(&app).await;
    let before = identity(&app, &ada).await.unwrap();

    let reply = browser.submit(CONFIRM, &[("decision", "replace")]).await;

    assert_eq!(reply.header(LOCATION.as_str()), Some(LINKED));
    assert!(browser.is_clean());
    assert_eq!(labels(&app, &ada).await, ["Bob <Byron>", "Acme", "Bolts"]);
    let after = identity(&app, &ada).await.unwrap();
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["providerUserId"], "bob");
}

#[tokio::test]
async fn who_does_not_agree_keeps_what_they_had() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (ada, mut browser) = back_as_bob(&app).await;
    let before = identity(&app, &ada).await;

    let kept = browser.submit(CONFIRM, &[("decision", "keep")]).await;
    let late = browser.submit(CONFIRM, &[("decision", "replace")]).await;

    assert_eq!(kept.header(LOCATION.as_str()), Some(INTEGRATIONS));
    assert!(
        late.header(LOCATION.as_str())
            .unwrap()
            .contains("error=This+attempt")
    );
    assert_eq!(identity(&app, &ada).await, before);
}

#[tokio::test]
async fn nobody_else_can_agree() {
    let app = app(Backend::Sqlite).await.unwrap();
    let (ada, mut browser) = back_as_bob(&app).await;
    let before = identity(&app, &ada).await;

    let request = reqwest::Client::new()
        .post(app.url(CONFIRM))
        .header(ORIGIN, "https://evil.example")
        .form(&[("decision", "replace")]);
    let cross_site = browser.send(request).await;
    app.clock.advance(chrono::TimeDelta::minutes(10));
    let late = browser.submit(CONFIRM, &[("decision", "replace")]).await;
    let eve = app.person("eve").await;
    browser.sign_in(&eve);
    let other = browser.submit(CONFIRM, &[("decision", "replace")]).await;

    assert_eq!(cross_site.status, 403);
    for refused in [late, other] {
        assert!(
            refused
                .header(LOCATION.as_str())
                .unwrap()
                .contains("?error="),
            "{refused:?}"
        );
    }
    assert_eq!(identity(&app, &ada).await, before);
    assert!(identity(&app, &eve).await.is_none());
}
