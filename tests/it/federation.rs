//! The server as a part of a federated graph, as a gateway of Apollo Federation asks it.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use linkedin_targets::federated_sdl;
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Person, TestApp},
    database::Backend,
    npm,
    process::{program, run},
    skip::skip,
};

/// What a gateway asks when it has keys of entities, and wants more of them.
const ENTITIES: &str = "query ($representations: [_Any!]!) {
    _entities(representations: $representations) {
        __typename
        ... on LinkedInConnection { status }
        ... on LinkedInPostingPreferences { orgScopeMissing }
        ... on LinkedInPostingTarget { enabled }
        ... on OrgPage { label organization { name } }
        ... on Organization { name }
        ... on Personal { label }
        ... on PersonalPage { label }
    }
}";

async fn subgraph(on: Backend) -> Option<TestApp> {
    TestApp::with(on, |settings| settings.federation = true).await
}

/// Somebody with a page of each kind. Returns the ids of the pages' records, the organization's first.
async fn with_pages(app: &TestApp, name: &str) -> (Person, String, String) {
    let person = app.person(name).await;
    let world = app.world();
    let own = app.connect_linkedin(&person, name).await;
    let personal_page = world.personal_page(&own, "1", "Studio").await.unwrap();
    let organization = format!("{name} Inc");
    let credential = world.organization(&organization, &person.id).await.unwrap();
    let org_page = world.org_page(&credential, "2", &organization).await;
    let org_page = org_page.unwrap();
    world.assign(&org_page, &person.id).await.unwrap();
    (person, org_page, personal_page)
}

async fn entities(app: &TestApp, person: &Person, representations: Value) -> Value {
    let variables = json!({ "representations": representations });
    let data = app.gql_with(person, ENTITIES, variables).await.data();
    data["_entities"].clone()
}

#[rstest]
#[tokio::test]
async fn every_kind_of_entity_is_found_by_each_of_its_keys(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = subgraph(on).await else {
        return;
    };
    let (ada, org_page, personal_page) = with_pages(&app, "ada").await;
    let ids = "{
        linkedInConnection { __typename id }
        linkedInPostingPreferences { __typename id targets { __typename id } }
        linkedInTargets { __typename ... on LinkedInDestination { id } ... on OrgPage { organization { __typename id } } }
    }";
    let data = app.gql(&ada, ids).await.data();
    let targets = &data["linkedInTargets"];
    let preferences = &data["linkedInPostingPreferences"];
    let by_id = |object: &Value| json!({ "__typename": object["__typename"], "id": object["id"] });

    let representations = json!([
        by_id(&data["linkedInConnection"]),
        by_id(preferences),
        by_id(&preferences["targets"][0]),
        by_id(&targets[0]),
        by_id(&targets[1]),
        { "__typename": "OrgPage", "pageId": org_page },
        by_id(&targets[1]["organization"]),
        { "__typename": "Organization", "slug": "ada inc" },
        by_id(&targets[2]),
        { "__typename": "PersonalPage", "personalPageId": personal_page, "label": "of another subgraph" },
    ]);
    let found = entities(&app, &ada, representations).await;

    let page = json!({ "__typename": "OrgPage", "label": "ada Inc", "organization": { "name": "ada Inc" } });
    let organization = json!({ "__typename": "Organization", "name": "ada Inc" });
    let own_page = json!({ "__typename": "PersonalPage", "label": "Studio" });
    let expected = json!([
        { "__typename": "LinkedInConnection", "status": "ACTIVE" },
        { "__typename": "LinkedInPostingPreferences", "orgScopeMissing": false },
        { "__typename": "LinkedInPostingTarget", "enabled": true },
        { "__typename": "Personal", "label": "ada" },
        page,
        page,
        organization,
        organization,
        own_page,
        own_page,
    ]);
    assert_eq!(found, expected);
}

#[rstest]
#[tokio::test]
async fn what_is_not_the_callers_is_null_like_what_does_not_exist(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = subgraph(on).await else {
        return;
    };
    let (_, org_page, personal_page) = with_pages(&app, "ada").await;
    let (bob, bobs_org_page, bobs_personal_page) = with_pages(&app, "bob").await;
    let ids = "{ linkedInTargets { ... on LinkedInDestination { id } } linkedInConnection { id } }";
    let bobs = app.gql(&bob, ids).await.data();
    let of_another_type = &bobs["linkedInTargets"][0]["id"];

    let representations = json!([
        { "__typename": "OrgPage", "pageId": bobs_org_page },
        { "__typename": "OrgPage", "pageId": org_page },
        { "__typename": "OrgPage", "pageId": "unknown" },
        { "__typename": "OrgPage", "pageId": bobs_personal_page },
        { "__typename": "OrgPage", "id": of_another_type },
        { "__typename": "OrgPage", "id": "no id" },
        { "__typename": "PersonalPage", "personalPageId": personal_page },
        { "__typename": "Organization", "slug": "ada inc" },
        { "__typename": "LinkedInConnection", "id": of_another_type },
        { "__typename": "PersonalPage", "personalPageId": bobs_personal_page },
    ]);
    let found = entities(&app, &bob, representations).await;

    let names: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|found| &found["label"])
        .collect();
    let mut expected = vec![&Value::Null; 10];
    let (first, last) = (json!("bob Inc"), json!("Studio"));
    expected[0] = &first;
    expected[9] = &last;
    assert_eq!(names, expected);
    assert_eq!(found[1], Value::Null);
}

#[rstest]
#[tokio::test]
async fn the_number_of_statements_does_not_depend_on_the_number_of_representations(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values(1, 100)] count: usize,
) {
    let Some(app) = subgraph(on).await else {
        return;
    };
    let (ada, org_page, personal_page) = with_pages(&app, "ada").await;
    let mut representations = vec![
        json!({ "__typename": "Organization", "slug": "ada inc" }),
        json!({ "__typename": "PersonalPage", "personalPageId": personal_page }),
    ];
    for number in 0..count {
        let name = format!("Organization {number}");
        let world = app.world();
        let credential = world.organization(&name, &ada.id).await.unwrap();
        let page = world.org_page(&credential, "3", &name).await.unwrap();
        world.assign(&page, &ada.id).await.unwrap();
        representations.push(json!({ "__typename": "OrgPage", "pageId": page }));
    }
    representations.push(json!({ "__typename": "OrgPage", "pageId": org_page }));
    app.take_statements();

    let found = entities(&app, &ada, json!(representations)).await;

    assert_eq!(found.as_array().unwrap().len(), count + 3);
    assert_eq!(
        found[count + 1]["organization"]["name"],
        format!("Organization {}", count - 1)
    );
    // The account with all its targets, and the organizations.
    assert_eq!(app.take_statements().len(), 2);
}

#[tokio::test]
async fn nobody_learns_nothing() {
    let app = subgraph(Backend::Sqlite).await.unwrap();
    let representations = json!([{ "__typename": "OrgPage", "pageId": "unknown" }]);
    let body = json!({ "query": ENTITIES, "variables": { "representations": representations } });

    let reply = app
        .request(Method::POST, "/graphql")
        .json(&body)
        .reply()
        .await;

    assert_eq!(reply.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(reply.json()["data"], Value::Null);
}

#[rstest]
#[case(json!({}), "A representation needs its `__typename`.")]
#[case(json!("OrgPage"), "A representation needs its `__typename`.")]
#[case(json!({ "__typename": 1 }), "A representation needs its `__typename`.")]
#[case(json!({ "__typename": "Post", "id": "x" }), "`Post` is no entity of this graph.")]
#[case(json!({ "__typename": "OrgPage" }), "A representation of `OrgPage` needs its `id` or `pageId`.")]
#[case(json!({ "__typename": "OrgPage", "id": 1, "slug": "x" }), "A representation of `OrgPage` needs its `id` or `pageId`.")]
#[tokio::test]
async fn a_representation_that_is_none_is_refused(
    #[case] representation: Value,
    #[case] sentence: &str,
) {
    let app = subgraph(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let variables = json!({ "representations": [representation] });

    let reply = app.gql_with(&ada, ENTITIES, variables).await;

    assert_eq!(reply.codes(), ["BAD_USER_INPUT"]);
    let error = &reply.json()["errors"][0];
    assert_eq!(error["message"], sentence);
    assert_eq!(error["path"], json!(["_entities"]));
    assert_eq!(error["locations"], json!([{ "line": 2, "column": 5 }]));
}

#[tokio::test]
async fn a_gateway_reads_the_schema_that_the_program_prints() {
    let app = subgraph(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;

    let served = app.gql(&ada, "{ _service { sdl } }").await.data();
    let (output, printed, _) = run(&mut program(&["schema", "--federation"]));

    assert!(output.status.success());
    assert_eq!(served["_service"]["sdl"], printed);
    assert_eq!(printed, federated_sdl());
}

#[tokio::test]
async fn where_introspection_is_off_a_gateway_reads_no_schema_and_finds_entities() {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.federation = true;
        settings.introspection = false;
    });
    let app = app.await.unwrap();
    let (ada, org_page, _) = with_pages(&app, "ada").await;

    let schema = app.gql(&ada, "{ _service { sdl } }").await;
    let representations = json!([{ "__typename": "OrgPage", "pageId": org_page }]);
    let found = entities(&app, &ada, representations).await;

    assert_eq!(schema.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    assert_eq!(found[0]["label"], "ada Inc");
}

#[tokio::test]
async fn unless_it_is_a_subgraph_nothing_of_federation_is_in_the_schema() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;

    let representations = json!({ "representations": [] });
    let entities = app.gql_with(&ada, ENTITIES, representations).await;
    let service = app.gql(&ada, "{ _service { sdl } }").await;
    let types = app
        .gql(&ada, "{ __schema { types { name fields { name } } } }")
        .await;

    assert!(
        entities
            .codes()
            .iter()
            .all(|code| code == "GRAPHQL_VALIDATION_FAILED")
    );
    assert_eq!(service.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    for name in ["_Any", "_Entity", "_Service", "_entities", "_service"] {
        assert!(!types.text.contains(&format!(r#""{name}""#)), "{name}");
    }
}

#[test]
fn it_composes_with_another_subgraph() {
    if let Err(reason) = npm::install("tests/audits") {
        return skip("the composition of a federated graph", &reason);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.graphql");
    std::fs::write(&file, federated_sdl()).unwrap();

    let composition = Command::new("node")
        .arg("composition.js")
        .current_dir("tests/audits")
        .stdin(Stdio::from(File::open(&file).unwrap()))
        .output()
        .unwrap();

    let complaints = String::from_utf8_lossy(&composition.stderr);
    assert!(composition.status.success(), "{complaints}");
    let queries = "linkedInConnection linkedInPostingPreferences linkedInTargets node posts unavailableLinkedInTargets";
    assert_eq!(String::from_utf8_lossy(&composition.stdout).trim(), queries);
}
