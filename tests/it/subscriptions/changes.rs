//! What happens to an account, as its owner hears of it.

use chrono::TimeDelta;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{DISABLE_ALL, ENABLE_PERSONAL, Follower};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
    eventually::eventually,
    member::{administers, connect, granted, join, sync},
};

/// Ada, connected, with a page that she administers.
async fn ada(app: &TestApp) -> Person {
    let ada = app.person("ada").await;
    app.linkedin.world(|world| {
        join(world, "ada");
        administers(world, "ada", 1, "Acme");
    });
    connect(app, &ada, "ada").await;
    ada
}

/// Assigns a page of an organization's, called "Org page". Returns the credential's id.
async fn assign(app: &TestApp, person: &Person) -> String {
    let world = app.world();
    let owner = world.user("owner", "Owner").await.unwrap();
    let credential = world.organization("Org", &owner).await.unwrap();
    let page = world.org_page(&credential, "77", "Org page").await.unwrap();
    world.assign(&page, &person.id).await.unwrap();
    credential
}

/// Lets the server look for what nobody announces.
fn interval(app: &TestApp) {
    app.clock.advance(TimeDelta::seconds(30));
}

/// What another writer of the database does.
async fn write(app: &TestApp, sql: &str) {
    app.db.execute_unprepared(sql).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn the_present_state_comes_first_and_then_each_save(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let mut follower = Follower::unread(&app, &ada).await;

    let present = follower.next().await;
    app.gql(&ada, DISABLE_ALL).await.data();
    let by_graphql = follower.next().await;
    let all = json!({ "targets": [{ "kind": "personal" }] });
    app.put("/api/linkedin/posting-targets", &ada, &all).await;
    let by_rest = follower.next().await;

    assert_eq!(present, json!(["PRESENT_STATE", { "ada": true }]));
    assert_eq!(by_graphql, json!(["PREFERENCES_SAVED", { "ada": false }]));
    assert_eq!(by_rest, json!(["PREFERENCES_SAVED", { "ada": true }]));
}

#[rstest]
#[tokio::test]
async fn a_sync_is_heard_with_its_pages(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let mut follower = Follower::new(&app, &ada).await;

    sync(&app, &ada).await;

    let event = follower.next().await;
    assert_eq!(
        event,
        json!(["PAGES_SYNCED", { "ada": true, "Acme": true }])
    );
}

#[rstest]
#[tokio::test]
async fn a_token_that_linkedin_refuses_is_heard_of_as_revoked(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let mut follower = Follower::new(&app, &ada).await;

    app.linkedin.world(|world| world.revoke_tokens("ada"));
    sync(&app, &ada).await;

    assert_eq!(follower.next().await, json!(["CONNECTION_REVOKED", {}]));
}

#[rstest]
#[tokio::test]
async fn what_ends_by_time_alone_is_heard_of_when_it_ends(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let credential = assign(&app, &ada).await;
    let soon = app.clock.now() + TimeDelta::seconds(10);
    let end = format!(
        r#"UPDATE "org_linkedin_credentials" SET "expiresAt" = '{}' WHERE "id" = '{credential}'"#,
        soon.format("%F %T%.3f")
    );
    write(&app, &end).await;
    let mut data = granted(&app, "ada");
    data["expires_at"] = json!("2026-06-13T12:00:00Z");
    let end = format!(r#"UPDATE "linked_identities" SET "providerData" = '{data}'"#);
    write(&app, &end).await;
    let mut follower = Follower::new(&app, &ada).await;

    app.clock.advance(TimeDelta::seconds(10));
    let without_organization = follower.next().await;
    app.clock.advance(TimeDelta::days(1));
    let without_connection = follower.next().await;
    app.clock.advance(TimeDelta::days(30));
    let without_session = follower.next().await;

    assert_eq!(
        without_organization,
        json!(["TARGETS_CHANGED", { "ada": true }])
    );
    assert_eq!(without_connection, json!(["CONNECTION_EXPIRED", {}]));
    assert_eq!(without_session, "UNAUTHENTICATED");
    follower.ends().await;
}

#[rstest]
#[tokio::test]
async fn what_others_write_is_noticed_after_the_interval(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let mut follower = Follower::new(&app, &ada).await;

    let credential = assign(&app, &ada).await;
    interval(&app);
    let assigned = follower.next().await;
    let disconnect = format!(
        r#"UPDATE "org_linkedin_credentials" SET "disconnectedAt" = '2026-06-12 12:00:00' WHERE "id" = '{credential}'"#
    );
    write(&app, &disconnect).await;
    interval(&app);
    let disconnected = follower.next().await;

    let both = json!({ "ada": true, "Org page": true });
    assert_eq!(assigned, json!(["TARGETS_CHANGED", both]));
    assert_eq!(disconnected, json!(["TARGETS_CHANGED", { "ada": true }]));
}

#[rstest]
#[case::signed_out(r#"DELETE FROM "sessions""#)]
#[case::deleted(r#"DELETE FROM "users""#)]
#[tokio::test]
async fn a_session_that_is_taken_away_ends_its_subscriptions(
    #[case] sql: &str,
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let mut follower = Follower::new(&app, &ada).await;

    write(&app, sql).await;
    interval(&app);

    assert_eq!(follower.next().await, "UNAUTHENTICATED");
    follower.ends().await;
}

/// Of several accounts in one cookie, the next one is not who subscribed.
#[rstest]
#[tokio::test]
async fn another_account_does_not_take_over(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let bob = app.person("bob").await;
    let both = Person {
        id: ada.id.clone(),
        session: format!("{},{}", ada.session, bob.session),
    };
    let mut follower = Follower::new(&app, &both).await;

    let sign_out = format!(r#"DELETE FROM "sessions" WHERE "userId" = '{}'"#, ada.id);
    write(&app, &sign_out).await;
    interval(&app);

    assert_eq!(follower.next().await, "UNAUTHENTICATED");
    follower.ends().await;
}

#[rstest]
#[tokio::test]
async fn nobody_else_hears_of_it_and_what_changes_nothing_is_not_sent(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let bob = app.person("bob").await;
    let mut adas = Follower::new(&app, &ada).await;
    let mut bobs = Follower::new(&app, &bob).await;

    app.gql(&ada, DISABLE_ALL).await.data();
    let first = adas.next().await;
    app.gql(&ada, DISABLE_ALL).await.data();
    interval(&app);
    app.gql(&ada, ENABLE_PERSONAL).await.data();
    let second = adas.next().await;
    app.gql(&bob, DISABLE_ALL).await.data();
    let of_bob = bobs.next().await;

    assert_eq!(first, json!(["PREFERENCES_SAVED", { "ada": false }]));
    assert_eq!(second, json!(["PREFERENCES_SAVED", { "ada": true }]));
    assert_eq!(of_bob, json!(["PREFERENCES_SAVED", {}]));
}

#[rstest]
#[tokio::test]
async fn of_many_changes_the_last_state_arrives(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let mut follower = Follower::new(&app, &ada).await;

    for _ in 0..20 {
        app.gql(&ada, DISABLE_ALL).await.data();
        app.gql(&ada, ENABLE_PERSONAL).await.data();
    }
    app.gql(&ada, DISABLE_ALL).await.data();
    sync(&app, &ada).await;
    let mut events = vec![follower.next().await];
    while events.last().unwrap()[1].get("Acme").is_none() {
        events.push(follower.next().await);
    }

    let last = events.last().unwrap();
    assert_eq!(last[1], json!({ "ada": false, "Acme": false }));
    assert!(events.len() <= 42, "never more events than changes");
}

/// An account is looked at once for each event: one statement, however many follow others.
#[rstest]
#[tokio::test]
async fn an_event_costs_one_statement(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let bob = app.person("bob").await;
    let mut follower = Follower::new(&app, &ada).await;
    let _idle = Follower::new(&app, &bob).await;
    let mut saves = [DISABLE_ALL, ENABLE_PERSONAL].into_iter().cycle();

    // On PostgreSQL all accounts are looked at once more when the server has begun to listen.
    eventually("one statement for an event", async || {
        app.take_statements();
        app.gql(&ada, saves.next().unwrap()).await.data();
        follower.next().await;
        let statements = app.take_statements();
        let reads = statements.iter().filter(|sql| sql.contains("\"viewer\""));
        // One in front of the save, one in its transaction, one for the event.
        reads.count() == 3
    })
    .await;
}

#[tokio::test]
async fn nobody_subscribes_without_signing_in() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let nobody = Person {
        id: String::new(),
        session: "none".to_owned(),
    };
    let mut follower = Follower::unread(&app, &nobody).await;

    assert_eq!(follower.next().await, "UNAUTHENTICATED");
    follower.ends().await;
}

/// Two servers do not hear of each other without the database's help; the interval does.
#[rstest]
#[tokio::test]
async fn a_save_on_another_server_is_noticed_after_the_interval(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let another = app.another().await;
    let mut follower = Follower::new(&another, &ada).await;

    app.gql(&ada, DISABLE_ALL).await.data();
    interval(&app);

    assert_eq!(
        follower.next().await,
        json!(["PREFERENCES_SAVED", { "ada": false }])
    );
}
