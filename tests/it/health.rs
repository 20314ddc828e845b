//! How a person's connection is, and what they cannot post to, with the reason and the way out.

use chrono::TimeDelta;
use rstest::rstest;
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};

use linkedin_targets::storage::entity::{org_credential, personal_page};

use crate::support::{
    app::{Person, TestApp, connection_data},
    database::Backend,
};

const RECONNECT: &str = "https://interlinedlist.example/api/auth/linkedin/authorize?link=true";

async fn connection(app: &TestApp, person: &Person) -> Value {
    const QUERY: &str = "{ linkedInConnection {
        memberName memberPictureUrl status expiresAt scopes lastSync { at complete problem message } reconnectUrl
    } }";
    app.gql(person, QUERY).await.data()["linkedInConnection"].take()
}

async fn unavailable(app: &TestApp, person: &Person) -> Value {
    const QUERY: &str = "{ unavailableLinkedInTargets { kind label reason reconnectUrl } }";
    app.gql(person, QUERY).await.data()["unavailableLinkedInTargets"].take()
}

fn ends(at: &str) -> Value {
    let mut data = connection_data();
    data["expires_at"] = json!(at);
    data
}

#[rstest]
#[case::without_an_end(connection_data(), "ACTIVE", Value::Null)]
#[case::in_two_months(ends("2026-08-12T12:00:00Z"), "ACTIVE", json!("2026-08-12T12:00:00.000Z"))]
#[case::within_a_week(ends("2026-06-19T12:00:00Z"), "EXPIRES_SOON", json!("2026-06-19T12:00:00.000Z"))]
#[case::now(ends("2026-06-12T12:00:00Z"), "EXPIRED", json!("2026-06-12T12:00:00.000Z"))]
#[case::narrow(json!({ "access_token": "x", "scope": "openid" }), "ORG_SCOPE_MISSING", Value::Null)]
#[case::empty(json!({ "access_token": "" }), "NOT_CONNECTED", Value::Null)]
#[tokio::test]
async fn the_status_says_what_is_in_the_way(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] data: Value,
    #[case] status: &str,
    #[case] expires_at: Value,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    app.world()
        .identity(&ada.id, Some("Ada"), Some(data))
        .await
        .unwrap();

    let answer = connection(&app, &ada).await;

    assert_eq!(answer["memberName"], "Ada");
    assert_eq!(answer["status"], status);
    assert_eq!(answer["expiresAt"], expires_at);
    assert_eq!(answer["lastSync"], Value::Null);
    let mended_by = if status == "ACTIVE" {
        Value::Null
    } else {
        json!(RECONNECT)
    };
    assert_eq!(answer["reconnectUrl"], mended_by);
}

#[rstest]
#[tokio::test]
async fn who_never_linked_has_no_connection(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;

    assert_eq!(connection(&app, &ada).await, Value::Null);
    assert_eq!(unavailable(&app, &ada).await, json!([]));
}

#[rstest]
#[tokio::test]
async fn a_connection_that_linkedin_refused_is_revoked_until_it_is_made_again(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    // LinkedIn does not know this token.
    let identity = app.connect_linkedin(&ada, "Ada").await;
    app.world()
        .personal_page(&identity, "1", "Acme")
        .await
        .unwrap();
    app.gql(&ada, "mutation { syncLinkedInPages { __typename } }")
        .await
        .data();

    let answer = connection(&app, &ada).await;
    let lost = unavailable(&app, &ada).await;
    let renewed = linkedin_targets::storage::entity::linked_identity::ActiveModel {
        id: Set(identity),
        provider_data: Set(Some(linkedin_targets::storage::entity::SecretJson(
            json!({ "access_token": "another", "scope": "rw_organization_admin" }),
        ))),
        ..Default::default()
    };
    renewed.update(&app.db).await.unwrap();
    let mended = connection(&app, &ada).await;

    assert_eq!(answer["status"], "REVOKED");
    assert_eq!(answer["lastSync"]["problem"], "CONNECTION_REVOKED");
    assert_eq!(answer["lastSync"]["complete"], false);
    assert_eq!(
        lost,
        json!([
            { "kind": "PERSONAL", "label": "Ada", "reason": "CONNECTION_REVOKED", "reconnectUrl": RECONNECT },
            { "kind": "PERSONAL_PAGE", "label": "Acme", "reason": "CONNECTION_REVOKED", "reconnectUrl": RECONNECT },
        ])
    );
    assert_eq!(mended["status"], "ACTIVE");
}

#[rstest]
#[tokio::test]
async fn every_destination_that_is_missing_has_its_reason(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let (ada, other) = (app.person("ada").await, app.person("other").await);
    let identity = app.connect_linkedin(&ada, "Ada").await;
    let world = app.world();
    for (name, number, disconnected, expires) in [
        ("Working", "1", None, None),
        ("Gone", "2", Some(world.now), None),
        ("Late", "3", None, Some(world.now)),
        ("Later", "4", None, Some(world.now + TimeDelta::days(1))),
    ] {
        let credential = world.organization(name, &other.id).await.unwrap();
        let page = world.org_page(&credential, number, name).await.unwrap();
        world.assign(&page, &ada.id).await.unwrap();
        let credential = org_credential::ActiveModel {
            id: Set(credential),
            disconnected_at: Set(disconnected),
            expires_at: Set(expires),
            ..Default::default()
        };
        credential.update(&app.db).await.unwrap();
    }
    world.personal_page(&identity, "1", "Hidden").await.unwrap();
    world.personal_page(&identity, "5", "Here").await.unwrap();
    let removed = personal_page::ActiveModel {
        id: Set(world
            .personal_page(&identity, "6", "Removed")
            .await
            .unwrap()),
        removed_at: Set(Some(world.now)),
        ..Default::default()
    };
    removed.update(&app.db).await.unwrap();
    app.take_statements();

    let answer = unavailable(&app, &ada).await;

    assert_eq!(app.take_statements().len(), 3);
    let entry = |kind, label, reason| json!({ "kind": kind, "label": label, "reason": reason, "reconnectUrl": null });
    assert_eq!(
        answer,
        json!([
            entry("ORG_PAGE", "Gone", "ORGANIZATION_DISCONNECTED"),
            entry("ORG_PAGE", "Late", "ORGANIZATION_EXPIRED"),
            entry("PERSONAL_PAGE", "Hidden", "OFFERED_BY_ORGANIZATION"),
            entry("PERSONAL_PAGE", "Removed", "PAGE_REMOVED"),
        ])
    );
    assert_eq!(unavailable(&app, &other).await, json!([]));
}
