//! Which targets a person has, and in which order.

use chrono::{NaiveDateTime, TimeDelta};
use linkedin_targets::storage::entity::{
    SecretJson, linked_identity, org_credential, personal_page,
};
use reqwest::Method;
use rstest::rstest;
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Person, TestApp, connection_data},
    database::Backend,
};

#[rstest]
#[tokio::test]
async fn one_statement_answers_who_asks_and_what_they_can_post_to(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values("/api/linkedin/targets", "/api/linkedin/posting-targets")] path: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;

    let reply = app.get(path, &ada).await;

    assert_eq!(reply.status, 200);
    assert_eq!(app.take_statements().len(), 1);
}

#[rstest]
#[tokio::test]
async fn nobody_costs_no_statement(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };

    let reply = app
        .request(Method::GET, "/api/linkedin/targets")
        .reply()
        .await;

    assert_eq!(reply.json(), json!({ "error": "Unauthorized" }));
    assert_eq!(app.take_statements(), [""; 0]);
}

#[rstest]
#[tokio::test]
async fn the_connection_is_active_until_it_expires_in_whatever_form_that_is_written(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let identity = app.connect_linkedin(&ada, "Ada").await;
    let now = app.clock.now().and_utc().timestamp_millis();
    let ahead = [
        json!("2026-06-12T12:00:00.001Z"),
        json!("2026-06-12T12:00:00.001000Z"),
        json!("2026-06-12T12:00:01Z"),
        json!("2026-06-12T12:01Z"),
        json!("2026-06-12T12:00:01"),
        json!("2026-06-12 12:00:01"),
        json!("2026-06-12 12:00:01.5Z"),
        json!("2026-06-12T14:00:01+02:00"),
        json!("2026-06-12 11:30:00-01:00"),
        json!("2026-06-13"),
        json!("2026-07"),
        json!("2027"),
        json!("Fri, 12 Jun 2026 12:00:01 GMT"),
        json!("12 Jun 2026 12:00:01 +0000"),
        json!("Fri, 12 Jun 2026 14:00:01 +0200"),
        json!(now + 1),
        json!(8.64e15),
    ];
    let past = [
        json!("2026-06-12T12:00:00.000Z"),
        json!("2026-06-12T12:00:00Z"),
        json!("2026-06-12T12:00Z"),
        json!("2026-06-12 11:59:59.999"),
        json!("2026-06-12T13:59:59+02:00"),
        json!("2026-06-12 10:00:00-01:00"),
        json!("2026-06-12"),
        json!("2026-06"),
        json!("2026"),
        json!("1970-01-01T00:00:00.000Z"),
        json!("Fri, 12 Jun 2026 12:00:00 GMT"),
        json!("12 Jun 2026 11:59:59 +0000"),
        json!("Fri, 12 Jun 2026 13:00:00 +0200"),
        json!(now),
        json!(now - 1),
        json!(1),
        json!(-1),
        json!(0.5),
        json!(true),
    ];
    let absent_or_unreadable = [
        json!(null),
        json!(""),
        json!(0),
        json!(0.0),
        json!(false),
        json!(" "),
        json!("soon"),
        json!("null"),
        json!("2026-13-45"),
        json!("2026-06-12T25:00:00Z"),
        json!(now.to_string()),
        json!(8_640_000_000_000_001_i64),
        json!(-8_640_000_000_000_001_i64),
        json!(1e300),
        json!({}),
        json!({ "$date": "2020-01-01" }),
        json!([]),
        json!([1]),
        json!(["2020-01-01"]),
    ];
    let forms = ahead.iter().map(|form| (form, true));
    let forms = forms.chain(past.iter().map(|form| (form, false)));
    let forms = forms.chain(absent_or_unreadable.iter().map(|form| (form, true)));

    let mut wrong = Vec::new();
    for (form, is_active) in forms {
        let data = json!({ "access_token": "secret-token", "expires_at": form });
        set_data(&app, &identity, Some(data)).await;
        if (labels(&app, &ada).await == ["Ada"]) != is_active {
            wrong.push(form);
        }
    }

    assert_eq!(wrong, [&json!(null); 0]);
}

#[rstest]
#[tokio::test]
async fn the_connection_needs_a_token_that_is_a_text(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let identity = app.connect_linkedin(&ada, "Ada").await;
    let with_token = |token: Value| Some(json!({ "access_token": token }));
    let usable = [with_token(json!("x")), with_token(json!(" "))];
    let useless = [
        None,
        Some(json!(null)),
        Some(json!(false)),
        Some(json!(true)),
        Some(json!(0)),
        Some(json!(1)),
        Some(json!("")),
        Some(json!("access_token")),
        Some(json!([])),
        Some(json!([{ "access_token": "x" }])),
        Some(json!({})),
        Some(json!({ "Access_Token": "x" })),
        with_token(json!(null)),
        with_token(json!("")),
        with_token(json!(0)),
        with_token(json!(1)),
        with_token(json!(true)),
        with_token(json!([])),
        with_token(json!(["x"])),
        with_token(json!({ "token": "x" })),
    ];
    let forms = usable.iter().map(|data| (data, true));
    let forms = forms.chain(useless.iter().map(|data| (data, false)));

    let mut wrong = Vec::new();
    for (data, is_active) in forms {
        set_data(&app, &identity, data.clone()).await;
        if (labels(&app, &ada).await == ["Ada"]) != is_active {
            wrong.push(data);
        }
    }

    assert_eq!(wrong, [&None; 0]);
}

#[rstest]
#[tokio::test]
async fn the_stored_scope_alone_decides_whether_the_organization_scope_is_missing(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let identity = app.connect_linkedin(&ada, "Ada").await;
    let scope = |scope: Value| Some(json!({ "access_token": "secret-token", "scope": scope }));
    let has_it_or_no_data = [
        None,
        Some(json!(null)),
        Some(json!(false)),
        Some(json!(0)),
        Some(json!(0.0)),
        Some(json!("")),
        scope(json!("rw_organization_admin")),
        scope(json!("openid rw_organization_admin email")),
        scope(json!("openid,rw_organization_admin,email")),
        scope(json!("openid, rw_organization_admin")),
        scope(json!(" ,rw_organization_admin, ")),
        Some(json!({ "scope": "rw_organization_admin" })),
        Some(json!({ "access_token": 0, "scope": "rw_organization_admin" })),
        Some(json!({
            "access_token": "secret-token",
            "expires_at": "2020-01-01",
            "scope": "rw_organization_admin",
        })),
    ];
    let lacks_it = [
        Some(json!(true)),
        Some(json!(1)),
        Some(json!("rw_organization_admin")),
        Some(json!([])),
        Some(json!(["rw_organization_admin"])),
        Some(json!({})),
        Some(json!({ "access_token": "secret-token" })),
        Some(json!({ "access_token": "secret-token", "expires_at": "2020-01-01" })),
        Some(json!({ "Scope": "rw_organization_admin" })),
        scope(json!("")),
        scope(json!(" ")),
        scope(json!("openid email w_member_social")),
        scope(json!("rw_organization_admins")),
        scope(json!("xrw_organization_admin")),
        scope(json!("r_organization_admin")),
        scope(json!("RW_ORGANIZATION_ADMIN")),
        scope(json!("rw_organization_admin;openid")),
        scope(json!("rw_organization_admin.")),
        scope(json!("rw organization admin")),
        scope(json!(null)),
        scope(json!(1)),
        scope(json!(true)),
        scope(json!(["rw_organization_admin"])),
        scope(json!({ "rw_organization_admin": true })),
    ];
    let forms = has_it_or_no_data.iter().map(|data| (data, false));
    let forms = forms.chain(lacks_it.iter().map(|data| (data, true)));

    let mut wrong = Vec::new();
    for (data, is_missing) in forms {
        set_data(&app, &identity, data.clone()).await;
        let reply = app.get("/api/linkedin/posting-targets", &ada).await;
        if reply.json()["orgScopeMissing"] != is_missing {
            wrong.push(data);
        }
    }

    assert_eq!(wrong, [&None; 0]);
}

#[rstest]
#[case(Some("Ada"), "Ada")]
#[case(None, "LinkedIn")]
#[case(Some(""), "")]
#[tokio::test]
async fn a_member_without_a_name_is_called_linkedin(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] name: Option<&str>,
    #[case] label: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let world = app.world();
    let made = world.identity(&ada.id, name, Some(connection_data())).await;
    made.unwrap();

    let labels = labels(&app, &ada).await;

    assert_eq!(labels, [label]);
}

#[rstest]
#[tokio::test]
async fn identities_of_other_providers_are_none_of_ours(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let (ada, ben) = (app.person("ada").await, app.person("ben").await);
    app.connect_linkedin(&ben, "Ben").await;
    for (person, provider) in [(&ada, "mastodon"), (&ada, "LinkedIn"), (&ben, "bluesky")] {
        let identity = linked_identity::ActiveModel {
            id: Set(format!("{provider} identity")),
            user_id: Set(person.id.clone()),
            provider: Set(provider.to_owned()),
            provider_user_id: Set("1".to_owned()),
            provider_username: Set(Some("Elsewhere".to_owned())),
            provider_data: Set(Some(SecretJson(json!({ "access_token": "x" })))),
            connected_at: Set(app.clock.now()),
            ..Default::default()
        };
        let identity = identity.insert(&app.db).await.unwrap();
        let world = app.world();
        let page = world.personal_page(&identity.id, "1", "Page elsewhere");
        page.await.unwrap();
    }

    let adas = app.get("/api/linkedin/posting-targets", &ada).await;
    let bens = labels(&app, &ben).await;

    assert_eq!(
        adas.json(),
        json!({ "targets": [], "orgScopeMissing": false })
    );
    assert_eq!(bens, ["Ben"]);
}

#[rstest]
#[tokio::test]
async fn removed_pages_are_no_targets(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let own = app.connect_linkedin(&ada, "Ada").await;
    let world = app.world();
    let gone = world.personal_page(&own, "1", "Gone").await.unwrap();
    world.personal_page(&own, "2", "Stays").await.unwrap();
    set_removed_at(&app, &gone, Some(app.clock.now())).await;
    assert_eq!(labels(&app, &ada).await, ["Ada", "Stays"]);

    set_removed_at(&app, &gone, None).await;
    let back = labels(&app, &ada).await;

    assert_eq!(back, ["Ada", "Gone", "Stays"]);
}

#[rstest]
#[tokio::test]
async fn an_expired_connection_takes_its_pages_along_but_not_those_of_organizations(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let own = app.connect_linkedin(&ada, "Ada").await;
    let world = app.world();
    world.personal_page(&own, "1", "Own").await.unwrap();
    let acme = world.organization("Acme", &ada.id).await.unwrap();
    let shared = world.org_page(&acme, "2", "Shared").await.unwrap();
    world.assign(&shared, &ada.id).await.unwrap();
    assert_eq!(labels(&app, &ada).await, ["Ada", "Shared", "Own"]);

    let end = "2026-06-12T12:00:01Z";
    let data = json!({ "access_token": "secret-token", "expires_at": end });
    set_data(&app, &own, Some(data)).await;
    app.clock.advance(TimeDelta::seconds(1));
    let left = labels(&app, &ada).await;

    assert_eq!(left, ["Shared"]);
}

#[rstest]
#[tokio::test]
async fn the_organizations_form_of_a_page_wins_while_it_is_a_target(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let own = app.connect_linkedin(&ada, "Ada").await;
    let world = app.world();
    world.personal_page(&own, "1", "Own form").await.unwrap();
    let acme = world.organization("Acme", &ada.id).await.unwrap();
    let shared = world.org_page(&acme, "1", "Shared form").await.unwrap();
    // Nobody assigned it to her yet.
    assert_eq!(labels(&app, &ada).await, ["Ada", "Own form"]);
    world.assign(&shared, &ada.id).await.unwrap();
    assert_eq!(labels(&app, &ada).await, ["Ada", "Shared form"]);

    set_credential(&app, &acme, None, Some(app.clock.now())).await;
    let after = labels(&app, &ada).await;

    assert_eq!(after, ["Ada", "Own form"]);
}

#[rstest]
#[tokio::test]
async fn pages_of_an_organization_go_with_its_credential(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let (ada, ben) = (app.person("ada").await, app.person("ben").await);
    let world = app.world();
    let acme = world.organization("Acme", &ben.id).await.unwrap();
    let page = world.org_page(&acme, "1", "Acme Corp").await.unwrap();
    world.assign(&page, &ada.id).await.unwrap();
    let now = app.clock.now();
    let tick = TimeDelta::milliseconds(1);
    let (disconnected, connected) = (Some(now), None);

    for (expires_at, disconnected_at, is_active) in [
        (None, connected, true),
        (Some(now + tick), connected, true),
        (Some(now + TimeDelta::seconds(1)), connected, true),
        (Some(now), connected, false),
        (Some(now - tick), connected, false),
        (None, disconnected, false),
        (None, Some(now + TimeDelta::days(1)), false),
        (Some(now + TimeDelta::days(1)), disconnected, false),
    ] {
        set_credential(&app, &acme, expires_at, disconnected_at).await;
        let labels = labels(&app, &ada).await;
        let case = format!("{expires_at:?}, {disconnected_at:?}");
        assert_eq!(labels == ["Acme Corp"], is_active, "{case}");
    }
    // Connecting it does not make it one's own.
    set_credential(&app, &acme, None, None).await;
    assert_eq!(labels(&app, &ben).await, [""; 0]);
}

#[rstest]
#[tokio::test]
async fn pages_stand_in_the_order_of_their_labels_in_lower_case_and_then_of_their_ids(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let (ada, ben) = (app.person("ada").await, app.person("ben").await);
    let own = app.connect_linkedin(&ada, "Zoe").await;
    let world = app.world();
    let acme = world.organization("Acme", &ada.id).await.unwrap();
    // U+10400 comes after U+FF21, although in UTF-16 it begins with a smaller unit. Ids count up.
    let made = [
        "😀", "𐐀", "Ａ", "É", "é", "ä", "ß", "Z", "İ", "b", "a", "A", "9", "10", "_", "",
    ];
    for (number, label) in made.iter().enumerate() {
        let (one, other) = (format!("1{number}"), format!("2{number}"));
        let page = world.org_page(&acme, &one, label).await.unwrap();
        world.assign(&page, &ada.id).await.unwrap();
        world.assign(&page, &ben.id).await.unwrap();
        world.personal_page(&own, &other, label).await.unwrap();
    }
    let sorted = [
        "", "10", "9", "_", "a", "A", "b", "İ", "Z", "ß", "ä", "É", "é", "Ａ", "𐐀", "😀",
    ];

    let adas = labels(&app, &ada).await;
    let bens = labels(&app, &ben).await;

    assert_eq!(bens, sorted);
    assert_eq!(adas, [&["Zoe"], &sorted[..], &sorted].concat());
}

#[rstest]
#[tokio::test]
async fn a_session_is_live_until_the_moment_it_expires(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let mut ada = app.person("ada").await;
    let world = app.world();
    let tick = TimeDelta::milliseconds(1);
    ada.session = world.session(&ada.id, world.now + tick).await.unwrap();

    let before = app.get("/api/linkedin/targets", &ada).await;
    app.clock.advance(tick);
    let then = app.get("/api/linkedin/targets", &ada).await;

    assert_eq!(before.status, 200);
    assert_eq!(then.status, 401);
}

async fn labels(app: &TestApp, person: &Person) -> Vec<String> {
    let reply = app.get("/api/linkedin/targets", person).await;
    let targets = reply.json()["targets"].take();
    let targets: Vec<Value> = serde_json::from_value(targets).unwrap();
    let label = |target: &Value| target["label"].as_str().unwrap().to_owned();
    targets.iter().map(label).collect()
}

async fn set_data(app: &TestApp, identity: &str, data: Option<Value>) {
    let identity = linked_identity::ActiveModel {
        id: Set(identity.to_owned()),
        provider_data: Set(data.map(SecretJson)),
        ..Default::default()
    };
    identity.update(&app.db).await.unwrap();
}

async fn set_removed_at(app: &TestApp, page: &str, removed_at: Option<NaiveDateTime>) {
    let page = personal_page::ActiveModel {
        id: Set(page.to_owned()),
        removed_at: Set(removed_at),
        ..Default::default()
    };
    page.update(&app.db).await.unwrap();
}

async fn set_credential(
    app: &TestApp,
    credential: &str,
    expires_at: Option<NaiveDateTime>,
    disconnected_at: Option<NaiveDateTime>,
) {
    let credential = org_credential::ActiveModel {
        id: Set(credential.to_owned()),
        expires_at: Set(expires_at),
        disconnected_at: Set(disconnected_at),
        ..Default::default()
    };
    credential.update(&app.db).await.unwrap();
}
