//! The GraphQL API: objects and their ids, and failures that tell no secrets.

use chrono::TimeDelta;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::Backend,
};

/// All objects that have an id, each with its type and a field of its own.
const EVERYTHING: &str = "{
    linkedInPostingPreferences {
        __typename id
        targets {
            __typename id
            target {
                __typename
                ... on LinkedInDestination { id label }
                ... on OrgPage { pageId organization { __typename id slug } }
                ... on PersonalPage { personalPageId lastSyncedAt }
            }
        }
    }
}";

#[rstest]
#[tokio::test]
async fn each_object_is_found_by_its_id(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = with_everything(&app, "ada").await;
    let objects = objects(&app, &ada).await;

    for (type_name, id) in &objects {
        let reply = node(&app, &ada, id).await;

        assert_eq!(reply["node"], json!({ "__typename": type_name, "id": id }));
    }

    let mut types: Vec<_> = objects
        .iter()
        .map(|(type_name, _)| type_name.as_str())
        .collect();
    types.sort_unstable();
    types.dedup();
    let all = [
        "LinkedInPostingPreferences",
        "LinkedInPostingTarget",
        "OrgPage",
        "Organization",
        "Personal",
        "PersonalPage",
    ];
    assert_eq!(types, all);
}

#[rstest]
#[tokio::test]
async fn nobody_finds_what_is_somebody_elses(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = with_everything(&app, "ada").await;
    let bob = with_everything(&app, "bob").await;

    for (_, id) in objects(&app, &ada).await {
        let reply = node(&app, &bob, &id).await;

        assert_eq!(reply["node"], Value::Null);
    }
}

#[rstest]
#[case::of_nothing("nothing")]
#[case::empty("")]
#[case::not_base64("%%%")]
#[case::a_nul("\u{0}")]
#[case::a_record_s("00000000-0000-4000-8000-000000000001")]
#[case::of_an_unknown_type("Tm90aGluZzox")]
#[tokio::test]
async fn an_id_that_was_never_answered_finds_nothing(#[case] id: &str) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = with_everything(&app, "ada").await;

    let reply = node(&app, &ada, id).await;

    assert_eq!(reply["node"], Value::Null);
}

#[rstest]
#[tokio::test]
async fn ids_are_unique_and_stay_what_they_are(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = with_everything(&app, "ada").await;
    let before = objects(&app, &ada).await;

    app.clock.advance(TimeDelta::days(1));
    let save = "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
    app.gql(&ada, save).await.data();
    let after = objects(&app, &ada).await;

    assert_eq!(after, before);
    let mut ids: Vec<_> = before.iter().map(|(_, id)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), before.len());
}

#[rstest]
#[tokio::test]
async fn a_target_has_one_id_wherever_it_is_answered(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = with_everything(&app, "ada").await;
    let document = "{
        linkedInTargets { ...Id }
        linkedInPostingPreferences { targets { target { ...Id } } }
    }
    fragment Id on LinkedInDestination { id }";

    let data = app.gql(&ada, document).await.data();

    let preferences = data["linkedInPostingPreferences"]["targets"]
        .as_array()
        .unwrap();
    let preferred: Vec<_> = preferences
        .iter()
        .map(|pair| pair["target"].clone())
        .collect();
    assert_eq!(data["linkedInTargets"], json!(preferred));
}

#[rstest]
#[tokio::test]
async fn the_organizations_of_many_pages_cost_one_more_statement(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let world = app.world();
    for number in 0..20 {
        let name = format!("Organization {number}");
        let organization = world.organization(&name, &ada.id).await.unwrap();
        for page in ["first", "second"] {
            let page = world
                .org_page(&organization, &format!("{number}-{page}"), page)
                .await;
            world.assign(&page.unwrap(), &ada.id).await.unwrap();
        }
    }
    let document = "{
        linkedInTargets { ...Page }
        linkedInPostingPreferences { targets { target { ...Page } } }
    }
    fragment Page on OrgPage { organization { name } }";

    let data = app.gql(&ada, document).await.data();

    let targets = data["linkedInTargets"].as_array().unwrap();
    assert_eq!(targets.len(), 40);
    assert!(
        targets
            .iter()
            .all(|page| page["organization"]["name"].is_string())
    );
    assert_eq!(app.take_statements().len(), 2);
}

#[rstest]
#[tokio::test]
async fn who_asks_is_looked_up_once_however_much_is_asked(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = with_everything(&app, "ada").await;
    let document = "{
        linkedInTargets { __typename }
        linkedInPostingPreferences { id targets { id } }
        a: node(id: \"a\") { id }
        b: node(id: \"b\") { id }
    }";

    app.gql(&ada, document).await.data();

    assert_eq!(app.take_statements().len(), 1);
}

#[rstest]
#[case::its_root("{ __typename }")]
#[case::its_types("{ __schema { queryType { name } } }")]
#[case::nothing_else_after_all(
    "query ($no: Boolean = false) { __typename linkedInTargets @include(if: $no) { __typename } }"
)]
#[tokio::test]
async fn nobody_is_looked_up_for_what_is_about_the_schema(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] document: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;

    app.gql(&ada, document).await.data();

    assert_eq!(app.take_statements().len(), 0);
}

#[rstest]
#[case::nothing("nobody")]
#[case::of_nobody("00000000-0000-4000-8000-00000000ffff")]
#[tokio::test]
async fn whoever_is_not_signed_in_is_told_so_by_every_field(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] session: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let nobody = Person {
        id: String::new(),
        session: session.to_owned(),
    };
    let fields = [
        "{ linkedInTargets { __typename } }",
        "{ linkedInPostingPreferences { id } }",
        "{ node(id: \"x\") { id } }",
        "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }",
    ];

    for document in fields {
        let reply = app.gql(&nobody, document).await;

        assert_eq!(reply.status, 200);
        assert_eq!(reply.codes(), ["UNAUTHENTICATED"], "{document}");
        let message = reply.json()["errors"][0]["message"].to_string();
        assert!(message.contains("Sign in first"), "{message}");
    }
}

#[rstest]
#[tokio::test]
async fn a_session_that_has_ended_is_none(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let document = "{ linkedInTargets { __typename } }";

    let alive = app.gql(&ada, document).await;
    app.clock.advance(TimeDelta::days(31));
    let ended = app.gql(&ada, document).await;

    assert_eq!(alive.data(), json!({ "linkedInTargets": [] }));
    assert_eq!(ended.codes(), ["UNAUTHENTICATED"]);
}

#[rstest]
#[tokio::test]
async fn a_native_clients_token_works_as_well(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    app.world().token(&ada.id, "native").await.unwrap();

    let body = json!({ "query": "{ linkedInTargets { __typename } }" });
    let request = app
        .request(reqwest::Method::POST, "/graphql")
        .bearer_auth("native");
    let reply = request.json(&body).reply().await;

    assert_eq!(reply.data(), json!({ "linkedInTargets": [] }));
}

/// What the database says of a failure names tables and columns: none of that is a client's business.
#[rstest]
#[tokio::test]
async fn a_failure_of_the_database_is_answered_without_its_text(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(
        "{ linkedInTargets { __typename } }",
        "{ linkedInPostingPreferences { id } }",
        "{ node(id: \"x\") { id } }",
        "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }"
    )]
    document: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    hide_table(&app, "sessions").await;

    let reply = app.gql(&ada, document).await;

    assert_masked(&reply, "INTERNAL_SERVER_ERROR", INTERNAL);
}

#[rstest]
#[tokio::test]
async fn a_save_that_fails_half_way_is_answered_without_the_databases_text(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let column = r#"ALTER TABLE "linkedin_posting_target_preferences" RENAME COLUMN "createdAt" TO "madeAt""#;
    app.db.execute_unprepared(column).await.unwrap();

    let save = "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
    let reply = app.gql(&ada, save).await;

    assert_eq!(
        reply.json()["data"],
        json!({ "setLinkedInPostingPreferences": null })
    );
    assert_masked(&reply, "INTERNAL_SERVER_ERROR", INTERNAL);
}

#[rstest]
#[tokio::test]
async fn organizations_that_cannot_be_loaded_harm_no_other_field(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = with_everything(&app, "ada").await;
    hide_table(&app, "organizations").await;

    let document = "{ linkedInTargets { ... on OrgPage { label organization { name } } } }";
    let reply = app.gql(&ada, document).await;

    let page = json!({ "label": "Page of ada", "organization": null });
    assert_eq!(
        reply.json()["data"]["linkedInTargets"],
        json!([{}, page, {}])
    );
    assert_masked(&reply, "INTERNAL_SERVER_ERROR", INTERNAL);
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_a_passing_trouble() {
    let Some(app) = TestApp::new(Backend::Postgres).await else {
        return;
    };
    let ada = app.person("ada").await;
    // What a server says that is starting or stopping.
    let starting = r#"
        ALTER TABLE "sessions" RENAME TO "gone";
        CREATE FUNCTION refuse() RETURNS SETOF "gone" LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'secret text' USING ERRCODE = 'cannot_connect_now'; END $$;
        CREATE VIEW "sessions" AS SELECT * FROM refuse();"#;
    app.db.execute_unprepared(starting).await.unwrap();

    let reply = app.gql(&ada, "{ node(id: \"x\") { id } }").await;

    assert_masked(&reply, "UNAVAILABLE", UNAVAILABLE);
}

/// The record ids of an answer are what the input takes; global ids are not.
#[rstest]
#[tokio::test]
async fn a_save_takes_the_ids_of_records(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = with_everything(&app, "ada").await;
    let document = "{ linkedInTargets { ... on OrgPage { id pageId } ... on PersonalPage { id personalPageId } } }";
    let targets = app.gql(&ada, document).await.data()["linkedInTargets"].clone();
    let (page, personal) = (&targets[1], &targets[2]);

    let saved = save(
        &app,
        &ada,
        json!([
            { "personalPageId": personal["personalPageId"] },
            { "orgPageId": page["pageId"] },
            { "personal": "VIEWER" },
        ]),
    );
    let saved = saved.await;
    let refused = save(
        &app,
        &ada,
        json!([
            { "personal": "VIEWER" },
            { "orgPageId": page["id"] },
            { "personalPageId": personal["id"] },
            { "orgPageId": personal["personalPageId"] },
            { "personalPageId": page["pageId"] },
            { "orgPageId": "a\u{0}b" },
        ]),
    );
    let refused = refused.await;

    let enabled = json!({ "enabled": true });
    assert_eq!(
        saved,
        json!({ "preferences": { "targets": [enabled, enabled, enabled] } })
    );
    let places: Vec<_> = refused["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refusal| &refusal["index"])
        .collect();
    assert_eq!(places, [1, 2, 3, 4, 5]);
    assert_eq!(refused["code"], "TARGETS_UNAVAILABLE");
    assert_eq!(refused["refusals"][0]["reason"], "ORG_PAGE_NOT_ASSIGNED");
    assert_eq!(
        refused["refusals"][1]["reason"],
        "PERSONAL_PAGE_NOT_AVAILABLE"
    );
    assert_eq!(refused["message"], refused["refusals"][0]["message"]);
}

/// The specification lets a client send a number where an id is wanted.
#[tokio::test]
async fn an_id_may_be_a_number() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let document = "query($id: ID!) { a: node(id: 7) { id } b: node(id: $id) { id } }";

    let reply = app.gql_with(&ada, document, json!({ "id": 8 })).await;

    assert_eq!(reply.data(), json!({ "a": null, "b": null }));
}

/// Somebody with a target of each kind.
async fn with_everything(app: &TestApp, name: &str) -> Person {
    let person = app.person(name).await;
    let identity = app.connect_linkedin(&person, name).await;
    let world = app.world();
    let number = format!("1-{name}");
    world
        .personal_page(&identity, &number, "Own page")
        .await
        .unwrap();
    let company = format!("Company of {name}");
    let organization = world.organization(&company, &person.id).await.unwrap();
    let label = format!("Page of {name}");
    let page = world
        .org_page(&organization, &format!("2-{name}"), &label)
        .await
        .unwrap();
    world.assign(&page, &person.id).await.unwrap();
    person
}

/// Type and id of all objects that the person sees, in the order of the answer.
async fn objects(app: &TestApp, person: &Person) -> Vec<(String, String)> {
    fn collect(value: &Value, objects: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) => {
                if let (Some(Value::String(name)), Some(Value::String(id))) =
                    (members.get("__typename"), members.get("id"))
                {
                    objects.push((name.clone(), id.clone()));
                }
                members.values().for_each(|member| collect(member, objects));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, objects)),
            _ => {}
        }
    }
    let mut objects = Vec::new();
    collect(&app.gql(person, EVERYTHING).await.data(), &mut objects);
    assert_eq!(objects.len(), 8);
    objects
}

async fn node(app: &TestApp, person: &Person, id: &str) -> Value {
    let document = "query($id: ID!) { node(id: $id) { __typename id } }";
    let reply = app.gql_with(person, document, json!({ "id": id }));
    reply.await.data()
}

async fn save(app: &TestApp, person: &Person, targets: Value) -> Value {
    let document = "mutation($input: SetLinkedInPostingPreferencesInput!) {
        outcome: setLinkedInPostingPreferences(input: $input) {
            ... on SetLinkedInPostingPreferencesSuccess { preferences { targets { enabled } } }
            ... on MutationError { message code }
            ... on LinkedInTargetsUnavailable { refusals { index reason message } }
        }
    }";
    let variables = json!({ "input": { "targets": targets } });
    let reply = app.gql_with(person, document, variables).await;
    reply.data()["outcome"].clone()
}

async fn hide_table(app: &TestApp, table: &str) {
    let rename = format!(r#"ALTER TABLE "{table}" RENAME TO "gone""#);
    app.db.execute_unprepared(&rename).await.unwrap();
}

/// The one error of an answer says nothing but what was written for clients.
fn assert_masked(reply: &Reply, code: &str, message: &str) {
    let json = reply.json();
    let errors = json["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{json}");
    assert_eq!(errors[0]["message"], message);
    assert_eq!(errors[0]["extensions"], json!({ "code": code }));
    let keys: Vec<_> = errors[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["extensions", "locations", "message", "path"]);
}

const INTERNAL: &str =
    "Something went wrong on our side. If it stays so, report the x-request-id of this answer.";
const UNAVAILABLE: &str = "The database cannot be reached right now. Try again in a moment.";
