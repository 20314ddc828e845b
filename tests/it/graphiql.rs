//! GraphiQL and Swagger UI: their files over HTTP, the examples, and all of it in a browser, with the rest of the demo.

use std::{fs, path::Path, process::Command};

use reqwest::{Method, header::ACCEPT_ENCODING};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, Reply, TestApp},
    database::Backend,
    demo::Demo,
    events::Arriving,
    npm::{self, NPM},
    skip::skip,
};

const BROWSER: &str = "tests/browser";

#[rstest]
#[case("/graphiql/", "linkedInTargets")]
#[case("/openapi/", "/openapi.json")]
#[tokio::test]
async fn files_are_sent_compressed_to_those_who_take_brotli_and_plain_to_others(
    #[case] path: &str,
    #[case] content: &str,
) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let Some(page) = page(&app, path).await else {
        return;
    };
    let script = page.text.split('"').find(|part| part.ends_with(".js"));
    let script = format!("{path}{}", script.unwrap());

    let compressed = get(&app, &script, "gzip, deflate, br").await;
    let plain = get(&app, &script, "br;q=0").await;

    assert_eq!(compressed.header("content-encoding"), Some("br"));
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.text.contains(content));
    for reply in [compressed, plain] {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("text/javascript"));
        assert_eq!(reply.header("vary"), Some("accept-encoding"));
        assert_eq!(
            reply.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
    }
}

#[rstest]
#[tokio::test]
async fn the_page_runs_nothing_but_its_own_files_and_is_always_fresh(
    #[values("/graphiql/", "/openapi/")] path: &str,
) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let Some(page) = page(&app, path).await else {
        return;
    };

    let policy = page.header("content-security-policy").unwrap_or_default();

    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; "),
        "{policy}"
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("content-type"), Some("text/html"));
}

#[rstest]
#[tokio::test]
async fn the_address_without_a_slash_leads_to_the_one_with_it(
    #[values("/graphiql/", "/openapi/")] path: &str,
) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();

    let reply = get(&app, path.trim_end_matches('/'), "br").await;

    assert_eq!(reply.status, 308);
    assert_eq!(reply.header("location"), Some(path));
}

#[rstest]
#[tokio::test]
async fn an_operator_can_leave_it_out(#[values("/graphiql/", "/openapi/")] path: &str) {
    let left_out = TestApp::with(Backend::Sqlite, |settings| settings.graphiql = false).await;
    let app = left_out.unwrap();

    let reply = get(&app, path, "identity").await;

    assert_eq!(reply.status, 404);
    assert!(reply.text.contains("There is nothing at this address."));
}

#[tokio::test]
async fn every_example_explains_itself_and_is_answered() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;

    for (operation, variables) in examples() {
        let request = app.request(Method::POST, "/graphql").by(&ada);
        let request = request
            .header("accept", "text/event-stream")
            .json(&json!({ "query": operation, "variables": variables }));
        let mut answer = Arriving::new(request.send().await.unwrap());

        let (_, data) = answer.event().await.unwrap();
        assert!(operation.starts_with("# "), "{operation}");
        assert!(data["data"].is_object(), "{operation}: {data}");
        assert_eq!(data.get("errors"), None, "{operation}");
    }
}

/// What the browser is made to do, and what must then be seen, stands in `tests/browser/`.
#[test]
fn people_explore_the_demo_in_a_browser() {
    if let Err(reason) = browser_is_there() {
        return skip("the demo in a browser", &reason);
    }
    let demo = Demo::start();

    let tests = Command::new(NPM)
        .arg("test")
        .current_dir(BROWSER)
        .env("BASE_URL", &demo.address)
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&tests.stdout);
    assert!(tests.status.success(), "{told}");
}

/// The page at this path; `None` when the server was built without it.
async fn page(app: &TestApp, path: &str) -> Option<Reply> {
    let page = get(app, path, "identity").await;
    if page.status == 404 {
        let reason = "this server was built without it: install Node.js 20.19 or later, run \
            `cargo clean -p linkedin-targets` and build again";
        skip("the files of GraphiQL and Swagger UI", reason);
        return None;
    }
    Some(page)
}

async fn get(app: &TestApp, path: &str, accept_encoding: &str) -> Reply {
    let request = app.request(Method::GET, path);
    request
        .header(ACCEPT_ENCODING, accept_encoding)
        .reply()
        .await
}

/// The operations that GraphiQL opens with, and their variables.
fn examples() -> Vec<(String, Value)> {
    let files = fs::read_dir("graphiql/src/operations").unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let operations = paths.filter(|path| path.extension().is_some_and(|kind| kind == "graphql"));
    let with_variables = |operation: &Path| {
        let variables = fs::read_to_string(operation.with_extension("variables.json"));
        let variables = variables.map_or(json!({}), |text| serde_json::from_str(&text).unwrap());
        (fs::read_to_string(operation).unwrap(), variables)
    };
    operations.map(|path| with_variables(&path)).collect()
}

/// Whether a browser can be driven; an error is what is missing and how to get it.
fn browser_is_there() -> Result<(), String> {
    npm::install(BROWSER)?;
    let script =
        "import('./chromium.js').then((found) => process.exit(found.executablePath ? 0 : 1))";
    let chromium = Command::new("node")
        .args(["--eval", script])
        .current_dir(BROWSER)
        .status();
    if chromium.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let message = "Chromium is missing: install it from your system's packages, or set CHROMIUM to where it is";
    Err(message.to_owned())
}
