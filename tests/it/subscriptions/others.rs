//! What others write, heard of at once: PostgreSQL announces it by triggers.

use migration::notifications;
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use super::{DISABLE_ALL, Follower};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
    eventually::eventually,
    member::{granted, settled},
};

/// With the triggers, and Ada, who has all kinds of targets and enabled them all.
async fn app() -> Option<(TestApp, Person)> {
    let app = TestApp::new(Backend::Postgres).await?;
    notifications::add(&app.db).await.unwrap();
    let ada = app.person("ada").await;
    settled(&app, &ada).await;
    let world = app.world();
    let owner = world.user("owner", "Owner").await.unwrap();
    let credential = world.organization("Org", &owner).await.unwrap();
    let page = world.org_page(&credential, "77", "Org page").await.unwrap();
    world.assign(&page, &ada.id).await.unwrap();
    write(&app, r#"DELETE FROM "linkedin_posting_target_preferences""#).await;
    Some((app, ada))
}

async fn write(app: &TestApp, sql: &str) {
    app.db.execute_unprepared(sql).await.unwrap();
}

fn labels(event: &Value) -> Vec<&str> {
    let targets = event[1].as_object().unwrap();
    targets.keys().map(String::as_str).collect()
}

#[rstest]
#[case::a_page_is_taken_away(
    r#"DELETE FROM "org_linkedin_page_assignments""#,
    "TARGETS_CHANGED",
    &["Acme", "Bakery", "ada"]
)]
#[case::a_page_is_deleted(
    r#"DELETE FROM "org_linkedin_pages""#,
    "TARGETS_CHANGED",
    &["Acme", "Bakery", "ada"]
)]
#[case::a_page_gets_another_name(
    r#"UPDATE "org_linkedin_pages" SET "pageName" = 'Renamed'"#,
    "TARGETS_CHANGED",
    &["Acme", "Bakery", "Renamed", "ada"]
)]
#[case::an_organization_disconnects(
    r#"UPDATE "org_linkedin_credentials" SET "disconnectedAt" = '2026-06-12 12:00:00'"#,
    "TARGETS_CHANGED",
    &["Acme", "Bakery", "ada"]
)]
#[case::an_organization_is_deleted(
    r#"DELETE FROM "organizations""#,
    "TARGETS_CHANGED",
    &["Acme", "Bakery", "ada"]
)]
#[case::pages_are_removed(
    r#"UPDATE "linkedin_personal_pages" SET "removedAt" = '2026-06-12 12:00:00' WHERE "pageName" = 'Acme'"#,
    "PAGES_SYNCED",
    &["Bakery", "Org page", "ada"]
)]
#[case::the_connection_is_taken_away(
    r#"DELETE FROM "linked_identities""#,
    "CONNECTION_REVOKED",
    &["Org page"]
)]
#[case::the_member_gets_another_name(
    r#"UPDATE "linked_identities" SET "providerUsername" = 'Ada'"#,
    "CONNECTION_LINKED",
    &["Acme", "Ada", "Bakery", "Org page"]
)]
#[case::preferences_are_saved(
    r#"INSERT INTO "linkedin_posting_target_preferences" ("id", "userId", "kind")
       SELECT 'new', "userId", 'personal' FROM "linked_identities""#,
    "PREFERENCES_SAVED",
    &["Acme", "Bakery", "Org page", "ada"]
)]
#[tokio::test]
async fn what_another_writer_does_is_heard_of(
    #[case] sql: &str,
    #[case] reason: &str,
    #[case] expected: &[&str],
) {
    let Some((app, ada)) = app().await else {
        return;
    };
    let mut follower = Follower::new(&app, &ada).await;

    write(&app, sql).await;

    let event = follower.next().await;
    assert_eq!(event[0], reason);
    assert_eq!(labels(&event), expected);
}

#[tokio::test]
async fn an_assigned_page_is_heard_of() {
    let Some((app, ada)) = app().await else {
        return;
    };
    write(&app, r#"DELETE FROM "org_linkedin_page_assignments""#).await;
    let mut follower = Follower::new(&app, &ada).await;

    let assign = format!(
        r#"INSERT INTO "org_linkedin_page_assignments" ("id", "pageId", "userId", "assignedByUserId")
           SELECT 'new', "id", '{0}', '{0}' FROM "org_linkedin_pages""#,
        ada.id
    );
    write(&app, &assign).await;

    let event = follower.next().await;
    assert_eq!(event[0], "TARGETS_CHANGED");
    assert_eq!(labels(&event), ["Acme", "Bakery", "Org page", "ada"]);
}

#[rstest]
#[case::signed_out(r#"DELETE FROM "sessions""#)]
#[case::deleted(r#"DELETE FROM "users" WHERE "username" = 'ada'"#)]
#[tokio::test]
async fn a_session_that_is_taken_away_ends_its_subscriptions_at_once(#[case] sql: &str) {
    let Some((app, ada)) = app().await else {
        return;
    };
    let mut follower = Follower::new(&app, &ada).await;

    write(&app, sql).await;

    assert_eq!(follower.next().await, "UNAUTHENTICATED");
    follower.ends().await;
}

#[tokio::test]
async fn every_server_hears_of_what_one_of_them_does() {
    let Some((app, ada)) = app().await else {
        return;
    };
    let another = app.another().await;
    let mut here = Follower::new(&app, &ada).await;
    let mut there = Follower::new(&another, &ada).await;

    app.gql(&ada, DISABLE_ALL).await.data();

    let saved = here.next().await;
    assert_eq!(saved[0], "PREFERENCES_SAVED");
    assert_eq!(there.next().await, saved);
}

/// One change is one event, though the server hears of it twice.
#[tokio::test]
async fn an_own_save_is_told_once() {
    let Some((app, ada)) = app().await else {
        return;
    };
    let mut follower = Follower::new(&app, &ada).await;

    app.gql(&ada, DISABLE_ALL).await.data();
    let saved = follower.next().await;
    write(
        &app,
        r#"UPDATE "org_linkedin_pages" SET "pageName" = 'Renamed'"#,
    )
    .await;
    let renamed = follower.next().await;

    assert_eq!(saved[0], "PREFERENCES_SAVED");
    assert_eq!(renamed[0], "TARGETS_CHANGED");
}

/// A restart of the database cuts the connection that listens; what is announced meanwhile is lost.
#[tokio::test]
async fn after_a_lost_connection_the_state_is_told_again() {
    let Some((app, ada)) = app().await else {
        return;
    };
    let mut follower = Follower::new(&app, &ada).await;
    let listening = async || {
        // Other tests listen on the same server; each has a schema of its own in its search path.
        let of_this_test = r#"SELECT a.pid FROM pg_stat_activity a
            WHERE a.application_name = 'linkedin-targets-listener' AND a.query LIKE 'LISTEN%'"#;
        let statement = Statement::from_string(app.db.get_database_backend(), of_this_test);
        let rows = app.db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index::<i32>(0).unwrap())
            .collect::<Vec<_>>()
    };
    // It begins to when somebody follows something, beside their first answer.
    eventually("it listens", async || !listening().await.is_empty()).await;
    let before = listening().await;

    for pid in &before {
        write(&app, &format!("SELECT pg_terminate_backend({pid})")).await;
    }
    write(
        &app,
        r#"UPDATE "org_linkedin_pages" SET "pageName" = 'Meanwhile'"#,
    )
    .await;

    let event = follower.next().await;
    assert_eq!(labels(&event), ["Acme", "Bakery", "Meanwhile", "ada"]);
    eventually("it listens again", async || {
        listening().await.iter().any(|pid| !before.contains(pid))
    })
    .await;
    write(
        &app,
        r#"UPDATE "org_linkedin_pages" SET "pageName" = 'After'"#,
    )
    .await;
    let event = follower.next().await;
    assert_eq!(labels(&event), ["Acme", "After", "Bakery", "ada"]);
}

/// A token renewed in place is another end of the connection, and nothing else.
#[tokio::test]
async fn a_renewed_connection_is_heard_of() {
    let Some((app, ada)) = app().await else {
        return;
    };
    let mut follower = Follower::new(&app, &ada).await;

    let mut data = granted(&app, "ada");
    data["expires_at"] = json!("2026-08-12T12:00:00Z");
    write(
        &app,
        &format!(r#"UPDATE "linked_identities" SET "providerData" = '{data}'"#),
    )
    .await;

    assert_eq!(follower.next().await[0], "CONNECTION_LINKED");
}
