//! What front-end developers use: Apollo Client, urql, Relay and others, with generated types, against the demo.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::json;

use crate::support::{
    app::Ask,
    database::{Backend, Database},
    demo::Demo,
    npm::{self, NPM},
    process::Serving,
    skip::skip,
};

/// What they do, and what must then be seen, stands in `clients/`.
#[tokio::test(flavor = "multi_thread")]
async fn every_client_works_without_configuration_and_so_do_the_documents_that_were_listed_for_it()
{
    if let Err(reason) = npm::install("clients") {
        return skip("the clients", &reason);
    }
    let demo = Demo::start();

    let tests = Command::new(NPM)
        .args(["test", "--silent"])
        .current_dir("clients")
        .env("BASE_URL", &demo.address)
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&tests.stdout);
    let complaints = String::from_utf8_lossy(&tests.stderr);
    assert!(tests.status.success(), "{told}{complaints}");
    the_list_is_all_that_runs("clients/src/gql/persisted-documents.json").await;
}

async fn the_list_is_all_that_runs(list: &str) {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let list = fs::canonicalize(list).unwrap();
    let settings = [("TRUSTED_DOCUMENTS", list.to_str().unwrap())];
    let server = Serving::start(&database.url, &settings);
    let ask = |body: serde_json::Value| {
        let post = reqwest::Client::new().post(server.url("/graphql"));
        post.json(&body).reply()
    };
    let listed: BTreeMap<String, String> =
        serde_json::from_slice(&fs::read(&list).unwrap()).unwrap();

    assert_eq!(listed.len(), 4, "{listed:#?}");
    for (id, text) in listed {
        let variables = json!({ "input": { "targets": [] } });
        let by_id = ask(json!({ "documentId": id, "variables": variables })).await;
        let in_full = ask(json!({ "query": text, "variables": variables })).await;
        for reply in [by_id, in_full] {
            // It ran, for nobody.
            assert!(reply.text.contains("UNAUTHENTICATED"), "{}", reply.text);
        }
    }
    let other = ask(json!({ "query": "{ __typename }" })).await;
    assert_eq!(other.codes(), ["PERSISTED_QUERY_NOT_IN_LIST"]);
}
