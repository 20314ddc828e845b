//! The same rules, as far as the server's own schema can show them.

use std::process::Command;

use reqwest::Method;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    database::Backend,
    npm,
    skip::skip,
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
    let (ada, _) = world_with_identity(app).await;
    ada
}

/// The same, and the id of what LinkedIn is linked by.
async fn world_with_identity(app: &TestApp) -> (Person, String) {
    let ada = app.person("ada").await;
    let identity = app.connect_linkedin(&ada, "Ada").await;
    let world = app.world();
    let acme = world.organization("Acme", &ada.id).await.unwrap();
    let page = world.org_page(&acme, "1", "Acme Corp").await.unwrap();
    world.assign(&page, &ada.id).await.unwrap();
    (ada, identity)
}

async fn without_organizations(app: &TestApp) {
    let rename = r#"ALTER TABLE "organizations" RENAME TO "elsewhere""#;
    app.db.execute_unprepared(rename).await.unwrap();
}

#[rstest]
#[case::side_by_side("{field} {field}")]
#[case::in_a_fragment_and_beside("...F {field} ... { {field} }")]
#[case::in_two_fragments("...F ...G")]
#[tokio::test]
async fn mutations_of_one_name_are_run_once(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] selections: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
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
    let reply = app
        .gql(&ada, &spread("mutation", "Mutation", selections, save))
        .await;

    let saved = json!({ "__typename": "SetLinkedInPostingPreferencesSuccess" });
    assert_eq!(
        reply.data(),
        json!({ "setLinkedInPostingPreferences": saved })
    );
    assert_eq!(app.take_statements(), once);
}

#[rstest]
#[case::in_a_fragment_and_beside("...F {field} ... { {field} }")]
#[case::in_two_fragments("...F ...G")]
#[tokio::test]
async fn fields_of_one_name_read_rows_once(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] selections: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = world(&app).await;
    let field = "unavailableLinkedInTargets { label }";
    app.gql(&ada, &format!("{{ {field} }}")).await.data();
    let once = app.take_statements();

    app.gql(&ada, &spread("query", "Query", selections, field))
        .await
        .data();

    assert_eq!(app.take_statements(), once);
}

#[tokio::test]
async fn an_error_of_fields_of_one_name_is_told_once() {
    let app = app().await;
    let document = spread(
        "query",
        "Query",
        "...F {field} ...G",
        "node(id: \"x\") { id }",
    );

    let reply = ask(&app, &document).await;

    let errors = reply.json()["errors"].take();
    assert_eq!(errors.as_array().unwrap().len(), 1, "{}", reply.text);
    assert_eq!(reply.codes(), ["UNAUTHENTICATED"]);
}

/// An operation with the field in all places that `selections` names: `{field}` itself, the fragments F and G.
fn spread(operation: &str, root: &str, selections: &str, field: &str) -> String {
    let selections = selections.replace("{field}", field);
    let fragments = ["F", "G"]
        .into_iter()
        .filter(|name| selections.contains(*name));
    let fragments = fragments.map(|name| format!(" fragment {name} on {root} {{ {field} }}"));
    format!(
        "{operation} {{ {selections} }}{}",
        fragments.collect::<String>()
    )
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

#[tokio::test]
async fn a_variable_without_a_value_leaves_an_argument_its_default() {
    let app = app().await;
    let names = |argument: &str| {
        format!("{{ __type(name: \"OrgPage\") {{ fields{argument} {{ name }} }} }}")
    };
    let document = format!(
        "query($all: Boolean) {}",
        names("(includeDeprecated: $all)")
    );

    let reply = ask(&app, &document).await;

    assert_eq!(reply.data(), ask(&app, &names("")).await.data());
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

/// Which documents stands in `tests/audits/execution.js`.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_were_made_up_are_answered_as_graphql_js_does() {
    if let Err(reason) = npm::install("tests/audits") {
        return skip("the comparison with graphql-js", &reason);
    }
    let app = TestApp::with(Backend::Sqlite, |settings| settings.limits.aliases = 1_000);
    let app = app.await.unwrap();
    let (ada, own) = world_with_identity(&app).await;
    app.world()
        .personal_page(&own, "2", "Studio")
        .await
        .unwrap();

    let outcome = Command::new("node")
        .arg("execution.js")
        .current_dir("tests/audits")
        .env("SERVER", app.url(""))
        .env("SESSION", &ada.session)
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&outcome.stdout);
    let failed = String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success(), "{told}{failed}");
    assert_eq!(told.trim(), "500 documents were answered alike");
}

async fn app() -> TestApp {
    TestApp::new(Backend::Sqlite).await.unwrap()
}

/// Asked by nobody.
async fn ask(app: &TestApp, document: &str) -> Reply {
    let request = app.request(Method::POST, "/graphql");
    request.json(&json!({ "query": document })).reply().await
}
