//! Pages that a member administers, fetched again from LinkedIn.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stand_in_linkedin::{Endpoint, Fault, Organization, Role, RoleState, When};

use crate::support::{
    app::{Person, TestApp},
    database::Backend,
    member::{administers, connect, join, rest, sync},
};

/// Ada, connected with all scopes, who administers Acme.
pub(crate) async fn ada(app: &TestApp) -> Person {
    let ada = app.person("ada").await;
    app.linkedin.world(|world| {
        join(world, "ada");
        administers(world, "ada", 1, "Acme");
    });
    connect(app, &ada, "ada").await;
    ada
}

/// Lets the last result grow too old.
fn later(app: &TestApp) {
    app.clock.advance(chrono::TimeDelta::seconds(11));
}

fn listings(app: &TestApp) -> usize {
    app.linkedin.calls_to(Endpoint::OrganizationAcls)
}

#[rstest]
#[tokio::test]
async fn the_report_says_what_was_added_renamed_removed_and_restored(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    app.linkedin
        .world(|world| administers(world, "ada", 2, "Bakery"));

    let first = sync(&app, &ada).await;
    later(&app);
    app.linkedin.world(|world| {
        world.rename(1, "Acme Corp");
        world.set_state("ada", 2, RoleState::Revoked);
        administers(world, "ada", 3, "Café");
        world.organizations.push(Organization::new(4, "Watched"));
        world.assign("ada", 4, Role::Analyst);
    });
    let second = sync(&app, &ada).await;
    later(&app);
    app.linkedin
        .world(|world| world.set_state("ada", 2, RoleState::Approved));
    let third = sync(&app, &ada).await;

    let labels = |list: &Value| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|page| page["label"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(first["report"]["complete"], true);
    assert_eq!(labels(&first["report"]["added"]), ["Acme", "Bakery"]);
    assert_eq!(labels(&second["report"]["pages"]), ["Acme Corp", "Café"]);
    assert_eq!(labels(&second["report"]["added"]), ["Café"]);
    assert_eq!(labels(&second["report"]["removed"]), ["Bakery"]);
    assert_eq!(
        second["report"]["renamed"],
        json!([{ "previousLabel": "Acme", "page": { "label": "Acme Corp" } }])
    );
    let skipped = json!([
        { "linkedInPageId": "4", "label": "Watched", "reason": "ROLE_MAY_NOT_POST" }
    ]);
    assert_eq!(second["report"]["skipped"], skipped);
    assert_eq!(labels(&third["report"]["restored"]), ["Bakery"]);
    assert_eq!(labels(&third["report"]["added"]), [""; 0]);
    let targets = third["preferences"]["targets"].as_array().unwrap().len();
    assert_eq!(targets, 4);
}

#[rstest]
#[tokio::test]
async fn rest_answers_the_pages_with_the_ids_they_had_before(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;

    let first = rest(&app, &ada).await;
    later(&app);
    app.linkedin
        .world(|world| world.set_state("ada", 1, RoleState::Revoked));
    let without = rest(&app, &ada).await;
    later(&app);
    app.linkedin
        .world(|world| world.set_state("ada", 1, RoleState::Approved));
    let again = rest(&app, &ada).await;

    assert_eq!(first.status, 200);
    let id = first.json()["pages"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        first.text,
        format!(
            r#"{{"pages":[{{"id":"{id}","linkedInPageId":"1","pageName":"Acme","pageLogoUrl":null,"lastSyncedAt":"2026-06-12T12:00:00.000Z"}}]}}"#
        )
    );
    assert_eq!(without.text, r#"{"pages":[]}"#);
    assert_eq!(again.json()["pages"][0]["id"], id);
}

#[rstest]
#[tokio::test]
async fn who_cannot_be_asked_for_is_told_why(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let nobody = app.person("nobody").await;
    let narrow = app.person("narrow").await;
    let expired = app.person("expired").await;
    let data = json!({ "access_token": "x", "scope": "openid" });
    app.world()
        .identity(&narrow.id, None, Some(data))
        .await
        .unwrap();
    let data = json!({ "access_token": "x", "scope": "rw_organization_admin", "expires_at": "2026-06-12" });
    app.world()
        .identity(&expired.id, None, Some(data))
        .await
        .unwrap();
    const NOT_LINKED: &str =
        r#"{"error":"Your LinkedIn account is not linked","code":"not_linked"}"#;
    const SCOPE: &str = r#"{"error":"Your LinkedIn connection does not include company page access. Reconnect LinkedIn to grant the required permissions.","code":"org_scope_missing"}"#;
    for (person, code, body) in [
        (&nobody, "NOT_LINKED", NOT_LINKED),
        (&narrow, "ORG_SCOPE_MISSING", SCOPE),
        (&expired, "CONNECTION_EXPIRED", SCOPE),
    ] {
        let (answer, reply) = (sync(&app, person).await, rest(&app, person).await);

        assert_eq!(answer["__typename"], "LinkedInReconnectRequired");
        assert_eq!(answer["code"], code);
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (400, body));
    }
    assert_eq!(listings(&app), 0);
}

#[rstest]
#[case::server_error(
    Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
    "LINKEDIN_UNAVAILABLE"
)]
#[case::garbage(Fault::Garbage, "LINKEDIN_UNAVAILABLE")]
#[case::html(Fault::Html(StatusCode::BAD_GATEWAY), "LINKEDIN_UNAVAILABLE")]
#[case::cut(Fault::Truncated, "LINKEDIN_UNAVAILABLE")]
#[case::reset(Fault::Reset, "LINKEDIN_UNAVAILABLE")]
#[case::wrong_types(Fault::WrongTypes, "LINKEDIN_UNAVAILABLE")]
#[case::sunset(Fault::VersionSunset, "LINKEDIN_VERSION_SUNSET")]
#[case::throttled(Fault::Throttled { retry_after: Some(3_600) }, "LINKEDIN_THROTTLED")]
#[tokio::test]
async fn a_failing_linkedin_changes_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] fault: Fault,
    #[case] code: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let before = rest(&app, &ada).await;
    later(&app);
    app.linkedin
        .world(|world| world.fail(fault, When::always().at(Endpoint::OrganizationAcls)));

    let (answer, reply) = (sync(&app, &ada).await, rest(&app, &ada).await);
    app.linkedin.world(|world| world.heal());
    later(&app);
    let after = rest(&app, &ada).await;

    assert_eq!(answer["__typename"], "LinkedInUnavailable");
    assert_eq!(answer["code"], code);
    assert_eq!(reply.status, 502);
    assert_eq!(
        reply.text,
        r#"{"error":"Failed to sync LinkedIn company pages"}"#
    );
    assert_eq!(
        after.json()["pages"][0]["id"],
        before.json()["pages"][0]["id"]
    );
    assert_eq!(after.json()["pages"].as_array().unwrap().len(), 1);
}

#[rstest]
#[tokio::test]
async fn an_interrupted_list_removes_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    app.linkedin.world(|world| {
        for number in 100..250 {
            administers(world, "ada", number, &format!("Page {number}"));
        }
    });
    sync(&app, &ada).await;
    later(&app);
    let second_page = When::always().at(Endpoint::OrganizationAcls).from_start(1);
    app.linkedin.world(|world| {
        world.fail(
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
            second_page,
        )
    });

    let answer = sync(&app, &ada).await;

    assert_eq!(answer["report"]["complete"], false);
    assert_eq!(answer["report"]["removed"], json!([]));
    assert_eq!(answer["report"]["pages"].as_array().unwrap().len(), 151);
}

#[rstest]
#[tokio::test]
async fn a_connection_that_linkedin_refuses_is_over_for_everybody(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    app.linkedin.world(|world| world.revoke_tokens("ada"));

    let answer = sync(&app, &ada).await;
    let targets = app.get("/api/linkedin/targets", &ada).await;

    assert_eq!(answer["__typename"], "LinkedInReconnectRequired");
    assert_eq!(answer["code"], "CONNECTION_REVOKED");
    let reconnect = "https://interlinedlist.example/api/auth/linkedin/authorize?link=true";
    assert_eq!(answer["reconnectUrl"], reconnect);
    assert_eq!(targets.text, r#"{"targets":[]}"#);
}

#[rstest]
#[tokio::test]
async fn a_hundred_at_once_on_two_servers_share_one_discovery(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let other = app.another().await;
    let ada = ada(&app).await;

    let asked = (0..100).map(|turn| rest(if turn % 2 == 0 { &app } else { &other }, &ada));
    let replies = join_all(asked).await;

    for reply in &replies {
        assert_eq!(
            (reply.status.as_u16(), &reply.text),
            (200, &replies[0].text)
        );
    }
    assert_eq!(listings(&app), 1);
}

#[rstest]
#[tokio::test]
async fn within_the_interval_the_last_result_is_answered(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;

    let first = sync(&app, &ada).await;
    app.clock.advance(chrono::TimeDelta::seconds(9));
    let second = sync(&app, &ada).await;
    app.clock.advance(chrono::TimeDelta::seconds(1));
    sync(&app, &ada).await;

    assert_eq!(first, second);
    assert_eq!(listings(&app), 2);
}

#[rstest]
#[tokio::test]
async fn the_number_of_statements_does_not_depend_on_the_number_of_pages(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(1, 5_000)] pages: u64,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let server = app.another_asking(|settings, linkedin| {
        settings.request_timeout = Duration::from_secs(29);
        linkedin.deadline = Duration::from_secs(28);
        linkedin.max_pages = 5_001;
    });
    let (server, ada) = (server.await, ada(&app).await);
    app.linkedin.world(|world| {
        for number in 2..=pages + 1 {
            administers(world, "ada", number, &format!("Page {number}"));
        }
    });

    let reply = rest(&server, &ada).await;

    let found = reply.json()["pages"].as_array().unwrap().len() as u64;
    assert_eq!(found, pages + 1);
    let renews = |sql: &String| sql.contains(r#"SET "leaseUntil" = $2 WHERE"#);
    let mut statements = server.take_statements();
    statements.retain(|sql| !renews(sql));
    // Who asks; the claim; in the transaction what is there, upsert, removal, outcome, and the pages; the preferences. On
    // PostgreSQL the transaction first waits for the user's turn.
    let expected = if on == Backend::Postgres { 9 } else { 8 };
    assert_eq!(statements.len(), expected, "{statements:#?}");
}

#[rstest]
#[tokio::test]
async fn a_name_and_logo_that_linkedin_withholds_this_time_stay(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    sync(&app, &ada).await;
    later(&app);
    app.linkedin.world(|world| {
        for endpoint in [Endpoint::Organizations, Endpoint::OrganizationsLookup] {
            world.fail(
                Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
                When::always().at(endpoint),
            );
        }
    });

    let answer = sync(&app, &ada).await;

    assert_eq!(answer["report"]["pages"], json!([{ "label": "Acme" }]));
    assert_eq!(answer["report"]["renamed"], json!([]));
}
