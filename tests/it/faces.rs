//! Both faces say the same.

use chrono::TimeDelta;
use linkedin_targets::storage::entity::{linked_identity, org_credential, org_page, personal_page};
use rstest::rstest;
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};

use crate::support::{
    app::{Person, TestApp, connection_data},
    database::Backend,
};

const QUERY: &str = "{
    linkedInTargets { ...Target }
    linkedInPostingPreferences { targets { target { ...Target } enabled } orgScopeMissing }
}
fragment Target on LinkedInTarget {
    __typename
    ... on Personal { label avatarUrl }
    ... on OrgPage { pageId linkedInPageId label logoUrl }
    ... on PersonalPage { personalPageId linkedInPageId label logoUrl }
}";

#[rstest]
#[tokio::test]
async fn rest_and_graphql_answer_everybody_alike(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let everybody = everybody(&app).await;

    for (name, person, targets) in everybody {
        let data = app.gql(&person, QUERY).await.data();
        let rest = app.get("/api/linkedin/targets", &person).await;
        let posting = app.get("/api/linkedin/posting-targets", &person).await;

        let list: Vec<_> = array(&data["linkedInTargets"]).map(as_rest).collect();
        assert_eq!(list.len(), targets, "{name}");
        assert_eq!(rest.json(), json!({ "targets": list }), "{name}");
        let preferences = &data["linkedInPostingPreferences"];
        let choices: Vec<_> = array(&preferences["targets"])
            .map(|choice| {
                let mut target = as_rest(&choice["target"]);
                target["enabled"] = choice["enabled"].clone();
                target
            })
            .collect();
        let missing = &preferences["orgScopeMissing"];
        assert_eq!(
            posting.json(),
            json!({ "targets": choices, "orgScopeMissing": missing }),
            "{name}"
        );
    }
}

#[rstest]
#[tokio::test]
async fn what_one_face_saves_the_other_shows(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let own = app.connect_linkedin(&ada, "Ada").await;
    let page = app.world().personal_page(&own, "1", "Studio").await;
    let page = page.unwrap();
    let mutation = "mutation ($targets: [LinkedInTargetInput!]!) {
        setLinkedInPostingPreferences(input: { targets: $targets }) {
            ... on SetLinkedInPostingPreferencesSuccess { preferences { targets { enabled } } }
        }
    }";

    let choice = json!({ "targets": [{ "personalPageId": page }] });
    let saved = app.gql_with(&ada, mutation, choice).await.data();
    let shown = app.get("/api/linkedin/posting-targets", &ada).await.json();
    let of_rest = |answer: &Value| -> Vec<Value> {
        let targets = array(&answer["targets"]);
        targets.map(|target| target["enabled"].clone()).collect()
    };
    let success = &saved["setLinkedInPostingPreferences"]["preferences"];
    assert_eq!(of_rest(success), [false, true]);
    assert_eq!(of_rest(&shown), [false, true]);

    let choice = json!({ "targets": [{ "kind": "personal" }] });
    let saved = app
        .put("/api/linkedin/posting-targets", &ada, &choice)
        .await;
    let shown = app
        .gql(
            &ada,
            "{ linkedInPostingPreferences { targets { enabled } } }",
        )
        .await
        .data();
    assert_eq!(of_rest(&saved.json()), [true, false]);
    let shown = of_rest(&shown["linkedInPostingPreferences"]);
    assert_eq!(shown, [true, false]);
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// A target of GraphQL's as REST writes it.
fn as_rest(target: &Value) -> Value {
    let mut target = target.clone();
    let type_name = target.as_object_mut().unwrap().remove("__typename");
    let kind = match type_name.unwrap().as_str().unwrap() {
        "Personal" => "personal",
        "OrgPage" => "orgPage",
        "PersonalPage" => "personalPage",
        other => panic!("no kind of target: {other}"),
    };
    target["kind"] = kind.into();
    target
}

/// One of each kind of user, with how many targets they have.
async fn everybody(app: &TestApp) -> Vec<(&'static str, Person, usize)> {
    let world = app.world();
    let owner = app.person("owner").await;
    let acme = world.organization("Acme", &owner.id).await.unwrap();
    let corp = world.org_page(&acme, "11", "Acme Corp").await.unwrap();
    let labs = world.org_page(&acme, "12", "acme labs").await.unwrap();
    let logo = org_page::ActiveModel {
        id: Set(labs.clone()),
        page_logo_url: Set(Some("https://media.example/labs?v=1&e=2".to_owned())),
        ..Default::default()
    };
    logo.update(&app.db).await.unwrap();
    let globex = world.organization("Globex", &owner.id).await.unwrap();
    let dead = world.org_page(&globex, "13", "Globex").await.unwrap();
    let disconnected = org_credential::ActiveModel {
        id: Set(globex),
        disconnected_at: Set(Some(world.now)),
        ..Default::default()
    };
    disconnected.update(&app.db).await.unwrap();
    let initech = world.organization("Initech", &owner.id).await.unwrap();
    let over = world.org_page(&initech, "14", "Initech").await.unwrap();
    let expired = org_credential::ActiveModel {
        id: Set(initech),
        expires_at: Set(Some(world.now - TimeDelta::days(1))),
        ..Default::default()
    };
    expired.update(&app.db).await.unwrap();

    // Everything at once: all kinds, a page in both forms, a removed one, dead organizations; never saved.
    let all = app.person("all").await;
    for page in [&corp, &labs, &dead, &over] {
        world.assign(page, &all.id).await.unwrap();
    }
    let own = app.connect_linkedin(&all, "All \"of\" it\n").await;
    let picture = linked_identity::ActiveModel {
        id: Set(own.clone()),
        avatar_url: Set(Some("https://media.example/all".to_owned())),
        ..Default::default()
    };
    picture.update(&app.db).await.unwrap();
    for (number, name) in [("21", "Étude"), ("22", "études"), ("11", "Acme Corp")] {
        world.personal_page(&own, number, name).await.unwrap();
    }
    let removed = personal_page::ActiveModel {
        id: Set(world.personal_page(&own, "23", "Gone").await.unwrap()),
        removed_at: Set(Some(world.now)),
        ..Default::default()
    };
    removed.update(&app.db).await.unwrap();

    let saved = app.person("saved").await;
    world.assign(&corp, &saved.id).await.unwrap();
    world.assign(&labs, &saved.id).await.unwrap();
    let own = app.connect_linkedin(&saved, "Saved").await;
    let page = world.personal_page(&own, "24", "Workshop").await.unwrap();
    world.personal_page(&own, "25", "Band").await.unwrap();
    for (kind, org_page, personal_page) in [
        ("orgPage", Some(&*labs), None),
        ("personalPage", None, Some(&*page)),
        ("fediverse", None, None),
    ] {
        let made = world.preference(&saved.id, kind, org_page, personal_page);
        made.await.unwrap();
    }

    let emptied = app.person("emptied").await;
    world.assign(&corp, &emptied.id).await.unwrap();
    app.connect_linkedin(&emptied, "Emptied").await;
    let marker = world.preference(&emptied.id, "none", None, None);
    marker.await.unwrap();

    let mut people = vec![
        ("owner", owner, 0),
        ("all", all, 5),
        ("saved", saved, 5),
        ("emptied", emptied, 2),
    ];
    let mut expired = connection_data();
    expired["expires_at"] = json!("2026-06-12T12:00:00.000Z");
    let mut narrow = connection_data();
    narrow["scope"] = json!("openid,w_member_social");
    for (name, label, data, targets) in [
        ("expired", Some("Expired"), Some(expired), 1),
        ("narrow", Some("Narrow"), Some(narrow), 3),
        ("nameless", None, Some(connection_data()), 3),
        ("without data", Some("Empty"), None, 1),
        ("with junk", Some("Junk"), Some(json!(["access_token"])), 1),
    ] {
        let person = app.person(name).await;
        let own = world.identity(&person.id, label, data).await.unwrap();
        world.assign(&corp, &person.id).await.unwrap();
        world.personal_page(&own, "26", "Own").await.unwrap();
        people.push((name, person, targets));
    }
    people.push(("nothing linked", app.person("nothing").await, 0));
    people
}
