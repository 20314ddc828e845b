//! Connections that renew themselves, which LinkedIn allows its partners.

use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use secrecy::SecretString;
use serde_json::Value;
use stand_in_linkedin::{Endpoint, Fault, When};

use linkedin_targets::seal::Keys;

use super::{Browser, identity, labels, populate};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
};

/// Linked on 2026-06-12, for 60 days, by a partner.
async fn linked(on: Backend) -> Option<(TestApp, Person)> {
    let key = SecretString::from("b2xkLWtleS1vbGQta2V5LW9sZC1rZXktb2xkLWtleS0=");
    let keys = Keys::parse(&key).unwrap();
    let app = TestApp::with(on, |settings| settings.token_keys = keys).await?;
    populate(&app);
    app.linkedin
        .world(|world| world.applications[0].partner = true);
    let ada = app.person("ada").await;
    Browser::new(&app, &ada).link("ada").await;
    let row = identity(&app, &ada).await.unwrap();
    let refresh_token = row["providerData"]["refresh_token"].as_str().unwrap();
    assert!(refresh_token.starts_with("sealed:1:"));
    // Ada's session is to outlive the connection.
    app.world().token(&ada.id, "native").await.unwrap();
    Some((app, ada))
}

async fn sync(app: &TestApp) -> Value {
    let mutation = "mutation { syncLinkedInPages { __typename ... on MutationError { code } } }";
    let reply = app
        .request(reqwest::Method::POST, "/graphql")
        .bearer_auth("native")
        .json(&serde_json::json!({ "query": mutation }))
        .send()
        .await
        .unwrap();
    let mut answer: Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
    answer["data"]["syncLinkedInPages"].take()
}

async fn ends(app: &TestApp, person: &Person) -> Value {
    let row = identity(app, person).await.unwrap();
    row["providerData"]["expires_at"].clone()
}

#[rstest]
#[case::soon_at_its_end(55, "2026-10-05T12:00:00.000Z")]
#[case::past_its_end(70, "2026-10-20T12:00:00.000Z")]
#[tokio::test]
async fn a_sync_renews_a_connection(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] days: i64,
    #[case] end: &str,
) {
    let Some((app, ada)) = linked(on).await else {
        return;
    };
    app.clock.advance(TimeDelta::days(days));

    let synced = sync(&app).await;

    assert_eq!(synced["__typename"], "SyncLinkedInPagesSuccess");
    assert_eq!(ends(&app, &ada).await, end);
    let row = identity(&app, &ada).await.unwrap();
    assert_eq!(
        row["providerData"]["refresh_token_expires_at"],
        "2027-06-12T12:00:00.000Z"
    );
}

#[tokio::test]
async fn a_connection_that_has_time_is_left_alone() {
    let (app, ada) = linked(Backend::Sqlite).await.unwrap();
    app.clock.advance(TimeDelta::days(52));
    app.linkedin.forget_calls();

    sync(&app).await;

    assert_eq!(app.linkedin.calls_to(Endpoint::AccessToken), 0);
    assert_eq!(ends(&app, &ada).await, "2026-08-11T12:00:00.000Z");
}

#[tokio::test]
async fn what_cannot_be_renewed_stays_as_it_is() {
    let (app, ada) = linked(Backend::Sqlite).await.unwrap();
    app.clock.advance(TimeDelta::days(55));
    app.linkedin
        .world(|world| world.fail(Fault::Garbage, When::always().at(Endpoint::AccessToken)));

    let soon = sync(&app).await;
    app.clock.advance(TimeDelta::days(10));
    let past = sync(&app).await;

    assert_eq!(
        soon["__typename"], "SyncLinkedInPagesSuccess",
        "it still works"
    );
    assert_eq!(past["code"], "CONNECTION_EXPIRED");
    assert_eq!(ends(&app, &ada).await, "2026-08-11T12:00:00.000Z");
    assert_eq!(labels(&app, &app.person("eve").await).await, [""; 0]);
}

#[rstest]
#[tokio::test]
async fn those_who_ask_at_once_share_one_renewal(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some((app, ada)) = linked(on).await else {
        return;
    };
    app.clock.advance(TimeDelta::days(55));
    app.linkedin.forget_calls();

    let synced = join_all((0..20).map(|_| sync(&app))).await;

    for synced in synced {
        assert_eq!(synced["__typename"], "SyncLinkedInPagesSuccess");
    }
    assert_eq!(app.linkedin.calls_to(Endpoint::AccessToken), 1);
    assert_eq!(ends(&app, &ada).await, "2026-10-05T12:00:00.000Z");
}

#[tokio::test]
async fn a_renewal_that_failed_is_not_tried_again_before_the_next_sync_is() {
    let (app, ada) = linked(Backend::Sqlite).await.unwrap();
    app.clock.advance(TimeDelta::days(55));
    app.linkedin
        .world(|world| world.fail(Fault::Garbage, When::always().at(Endpoint::AccessToken)));
    app.linkedin.forget_calls();

    sync(&app).await;
    sync(&app).await;
    let within = app.linkedin.calls_to(Endpoint::AccessToken);
    app.clock.advance(TimeDelta::seconds(11));
    sync(&app).await;

    assert_eq!(within, 1);
    assert_eq!(app.linkedin.calls_to(Endpoint::AccessToken), 2);
    assert_eq!(ends(&app, &ada).await, "2026-08-11T12:00:00.000Z");
}
