//! Requests that schemathesis makes up from what the server says of itself, and whether the answers are what it says.

use std::{
    fs,
    process::{Command, Output},
};

use rstest::rstest;

use crate::{
    support::{
        app::{Person, TestApp},
        database::Backend,
        python,
        skip::skip,
    },
    sync::ada,
};

/// So that a run finds what the last one found.
const SEED: &str = "20260612";

#[rstest]
#[case::rest("/openapi.json", "25")]
#[case::graphql("/graphql", "40")]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_person_asks_is_answered_as_described(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[case] description: &str,
    #[case] cases: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = ada(&app).await;
    let world = app.world();
    let acme = world.organization("Acme", &ada.id).await.unwrap();
    let page = world.org_page(&acme, "1000", "Acme Labs").await.unwrap();
    world.assign(&page, &ada.id).await.unwrap();

    run(&app, Some(&ada), description, &["--max-examples", cases]).await;
}

#[rstest]
#[case::rest("/openapi.json", &[])]
// For schemathesis, that nobody is signed in is a fault of a GraphQL server; a check of our own is stricter.
#[case::graphql("/graphql", &["--exclude-checks", "not_a_server_error"])]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_nobody_asks_is_refused_as_described(
    #[case] description: &str,
    #[case] options: &[&str],
) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();

    let options = [&["--max-examples", "10"], options].concat();
    run(&app, None, description, &options).await;
}

async fn run(app: &TestApp, person: Option<&Person>, description: &str, options: &[&str]) {
    let programs = match python::install("tests/schemathesis") {
        Ok(programs) => programs,
        Err(reason) => return skip("made-up requests by schemathesis", &reason),
    };
    let file = |name: &str| fs::canonicalize(format!("tests/schemathesis/{name}")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(programs.join("schemathesis"));
    program
        .arg("--config-file")
        .arg(file("schemathesis.toml"))
        .args(["--no-color", "run", &app.url(description)])
        .args(["--checks", "all", "--seed", SEED])
        .args(options)
        .env("HOOKS", file("hooks.py"))
        .env("SESSION", person.map_or("", |person| &person.session))
        .current_dir(&folder);
    if let Some(person) = person
        && description == "/graphql"
    {
        let cookie = format!("Cookie: session={}", person.session);
        program.args(["--header", &cookie]);
    }

    let Output { status, stdout, .. } = tokio::task::spawn_blocking(move || program.output())
        .await
        .unwrap()
        .unwrap();

    let told = String::from_utf8_lossy(&stdout);
    assert!(status.success(), "{told}");
    // It ran, and met no limit of its own.
    assert!(
        told.contains("generated,") && told.contains("passed"),
        "{told}"
    );
}
