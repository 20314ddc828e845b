//! The same rules, as far as the server's own schema can show them.

use reqwest::Method;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::Backend,
};

#[tokio::test]
async fn keys_come_in_the_order_of_the_query_though_one_field_is_slower() {
    let app = app().await;
    let ada = world(&app).await;
    let document = "{ linkedInTargets { ... on OrgPage { organization { slug name } label id } } z: __typename a: __typename }";

    let reply = app.gql(&ada, document).await;

    reply.data();
    let keys = [
        "linkedInTargets",
        "organization",
        "slug",
        "name",
        "label",
        "id",
        "z",
        "a",
    ];
    let places = keys.map(|key| reply.text.find(&format!("\"{key}\":")).unwrap());
    assert!(places.is_sorted(), "{}", reply.text);
}

#[tokio::test]
async fn a_member_of_a_union_that_no_fragment_fits_is_an_empty_object() {
    let app = app().await;
    let ada = world(&app).await;

    let reply = app
        .gql(&ada, "{ linkedInTargets { ... on PersonalPage { id } } }")
        .await;

    assert_eq!(reply.data(), json!({ "linkedInTargets": [{}, {}] }));
}

#[tokio::test]
async fn an_error_in_a_nullable_field_leaves_null_and_all_else() {
    let app = app().await;
    let ada = world(&app).await;
    without_organizations(&app).await;

    let reply = app
        .gql(
            &ada,
            "{ linkedInTargets { __typename ... on OrgPage { organization { name } label } } }",
        )
        .await;

    let page = json!({ "__typename": "OrgPage", "organization": null, "label": "Acme Corp" });
    let targets = json!([{ "__typename": "Personal" }, page]);
    assert_eq!(reply.json()["data"], json!({ "linkedInTargets": targets }));
    let path = json!(["linkedInTargets", 1, "organization"]);
    assert_eq!(reply.json()["errors"][0]["path"], path);
    assert_eq!(reply.codes(), ["INTERNAL_SERVER_ERROR"]);
}

#[tokio::test]
async fn an_error_in_a_non_null_field_nulls_the_nearest_nullable_parent() {
    let app = app().await;

    let nullable = ask(&app, "{ __typename node(id: \"x\") { id } }").await;
    let non_null = ask(&app, "{ __typename linkedInTargets { __typename } }").await;

    assert_eq!(
        nullable.json()["data"],
        json!({ "__typename": "Query", "node": null })
    );
    assert_eq!(nullable.json()["errors"][0]["path"], json!(["node"]));
    assert_eq!(non_null.json()["data"], Value::Null);
    assert!(non_null.text.contains("\"data\":null"), "{}", non_null.text);
    assert_eq!(
        non_null.json()["errors"][0]["path"],
        json!(["linkedInTargets"])
    );
}

#[tokio::test]
async fn mutations_are_run_one_after_the_other() {
    let app = app().await;
    let ada = world(&app).await;
    let save = |targets: &str| {
        format!("setLinkedInPostingPreferences(input: {{ targets: [{targets}] }}) {{ ...Saved }}")
    };
    let document = format!(
        "mutation {{ a: {} b: {} c: {} }} fragment Saved on SetLinkedInPostingPreferencesSuccess {{
            preferences {{ targets {{ enabled }} }}
        }}",
        save("{ personal: VIEWER }"),
        save(""),
        save("{ personal: VIEWER }")
    );

    let reply = app.gql(&ada, &document).await;

    let enabled = |personal: bool| json!({ "preferences": { "targets": [{ "enabled": personal }, { "enabled": false }] } });
    let data = json!({ "a": enabled(true), "b": enabled(false), "c": enabled(true) });
    assert_eq!(reply.data(), data);
}

#[tokio::test]
async fn selections_of_one_name_are_merged() {
    let app = app().await;
    let ada = world(&app).await;
    let document = "{
        linkedInPostingPreferences { orgScopeMissing targets { enabled } }
        ...More
    }
    fragment More on Query { linkedInPostingPreferences { targets { target { __typename } } } }";

    let reply = app.gql(&ada, document).await;

    let target = |name: &str| json!({ "enabled": true, "target": { "__typename": name } });
    let targets = [target("Personal"), target("OrgPage")];
    let merged = json!({ "orgScopeMissing": false, "targets": targets });
    assert_eq!(
        reply.data(),
        json!({ "linkedInPostingPreferences": merged })
    );
}

#[rstest]
#[case(false, false, json!({ "b": "Query" }))]
#[case(true, false, json!({ "a": "Query", "b": "Query" }))]
#[case(true, true, json!({ "a": "Query" }))]
#[tokio::test]
async fn directives_decide_what_is_answered(
    #[case] include: bool,
    #[case] skip: bool,
    #[case] data: Value,
) {
    let app = app().await;
    let ada = app.person("ada").await;
    let document = "query($include: Boolean!, $skip: Boolean!) {
        a: __typename @include(if: $include)
        ... @skip(if: $skip) { b: __typename }
    }";
    let variables = json!({ "include": include, "skip": skip });

    let reply = app.gql_with(&ada, document, variables).await;

    assert_eq!(reply.data(), data);
}

/// Somebody with two targets: their own account, and a page of an organization.
async fn world(app: &TestApp) -> Person {
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    let world = app.world();
    let acme = world.organization("Acme", &ada.id).await.unwrap();
    let page = world.org_page(&acme, "1", "Acme Corp").await.unwrap();
    world.assign(&page, &ada.id).await.unwrap();
    ada
}

async fn without_organizations(app: &TestApp) {
    let rename = r#"ALTER TABLE "organizations" RENAME TO "elsewhere""#;
    app.db.execute_unprepared(rename).await.unwrap();
}

#[tokio::test]
async fn mutations_of_one_name_are_run_once() {
    let app = app().await;
    let ada = world(&app).await;
    let save = "setLinkedInPostingPreferences(input: { targets: [] }) { __typename }";
    app.gql(&ada, &format!("mutation {{ {save} }}"))
        .await
        .data();
    app.take_statements();

    app.gql(&ada, &format!("mutation {{ {save} }}"))
        .await
        .data();
    let once = app.take_statements();
    let twice = format!("mutation {{ {save} {save} }}");
    app.gql(&ada, &twice).await.data();

    assert_eq!(app.take_statements(), once);
}

#[tokio::test]
async fn merged_selections_keep_their_order() {
    let app = app().await;
    let ada = world(&app).await;
    let document = "{
        linkedInPostingPreferences { orgScopeMissing }
        ... { linkedInPostingPreferences { reconnectUrl } }
        linkedInPostingPreferences { id orgScopeMissing }
        linkedInPostingPreferences { __typename }
    }";

    let reply = app.gql(&ada, document).await;

    reply.data();
    let keys = ["orgScopeMissing", "reconnectUrl", "id", "__typename"];
    let places = keys.map(|key| reply.text.find(&format!("\"{key}\":")).unwrap());
    assert!(places.is_sorted(), "{}", reply.text);
}

/// A variable without a value hides an argument's default from async-graphql, which the specification has it take.
#[tokio::test]
async fn no_argument_and_no_key_of_an_input_has_a_default() {
    let app = app().await;
    let document = "{ __schema {
        types { name fields { args { name defaultValue } } inputFields { name defaultValue } }
    } }";

    let reply = ask(&app, document).await;

    let types = reply.data()["__schema"]["types"].take();
    let types = types.as_array().unwrap().iter();
    let ours = types.filter(|it| !it["name"].as_str().unwrap().starts_with("__"));
    let defaults = ours
        .clone()
        .map(|it| it.to_string().matches("\"defaultValue\":\"").count());
    let places = ours.map(|it| it.to_string().matches("\"defaultValue\":").count());
    assert_eq!(defaults.sum::<usize>(), 0);
    assert!(places.sum::<usize>() > 3);
}

/// Where a key of a save's input must stand, a variable must be sure to have a value.
#[rstest]
#[case::all_targets(
    "$it: [LinkedInTargetInput!]",
    "$it",
    Some("GRAPHQL_VALIDATION_FAILED")
)]
#[case::the_one_key("$it: ID", "[{ orgPageId: $it }]", Some("GRAPHQL_VALIDATION_FAILED"))]
#[case::a_key_beside_another(
    "$it: ID",
    "[{ personal: VIEWER, orgPageId: $it }]",
    Some("GRAPHQL_VALIDATION_FAILED")
)]
#[case::all_targets_without_fail("$it: [LinkedInTargetInput!]!", "$it", Some("BAD_USER_INPUT"))]
#[case::all_targets_with_a_default("$it: [LinkedInTargetInput!] = []", "$it", None)]
#[tokio::test]
async fn a_save_without_a_variables_value(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] variable: &str,
    #[case] targets: &str,
    #[case] refusal: Option<&str>,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = world(&app).await;
    let document = format!(
        "mutation({variable}) {{ setLinkedInPostingPreferences(input: {{ targets: {targets} }}) {{ __typename }} }}"
    );

    let reply = app.gql(&ada, &document).await;

    assert_eq!(reply.codes(), Vec::from_iter(refusal));
    let enabled = "{ linkedInPostingPreferences { targets { enabled } } }";
    let enabled = app.gql(&ada, enabled).await.data();
    let is_enabled = json!({ "enabled": refusal.is_some() });
    let targets = json!({ "targets": [is_enabled, is_enabled] });
    assert_eq!(enabled, json!({ "linkedInPostingPreferences": targets }));
}

async fn app() -> TestApp {
    TestApp::new(Backend::Sqlite).await.unwrap()
}

/// Asked by nobody.
async fn ask(app: &TestApp, document: &str) -> Reply {
    let request = app.request(Method::POST, "/graphql");
    request.json(&json!({ "query": document })).reply().await
}
