//! What the server counts about itself, and the lines that tell who did what.

use std::{
    collections::BTreeSet,
    io::Read,
    process::{Command, Stdio},
    time::Duration,
};

use linkedin_targets::{
    config::{Log, LogFormat},
    telemetry,
};
use reqwest::{Client, Method};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, TestApp},
    database::{Backend, Database},
    eventually::eventually,
    process::{Serving, parsed, program, run},
    skip::variable,
    socket::Socket,
};

const SAVE: &str =
    "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
const SYNC: &str = "mutation { syncLinkedInPages { __typename } }";

#[rstest]
#[tokio::test]
async fn requests_are_counted_by_route_operation_and_outcome(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;

    app.gql(&ada, "query Mine { a: linkedInTargets { __typename } }")
        .await;
    app.gql(
        &ada,
        "{ linkedInTargets { __typename } linkedInConnection { status } }",
    )
    .await;
    app.gql(&ada, "{ nothing }").await;
    app.request(Method::POST, "/graphql")
        .json(&json!({ "query": "{ linkedInTargets { __typename } }" }))
        .reply()
        .await;
    app.get("/api/linkedin/targets", &ada).await;
    app.request(Method::GET, "/api/linkedin/targets")
        .reply()
        .await;
    app.request(Method::GET, "/nowhere/secret").reply().await;
    app.lose_database().await;
    app.get("/api/linkedin/targets", &ada).await;
    app.gql(&ada, "{ linkedInTargets { __typename } }").await;

    let requests = |labels: &str| app.counted(&format!("http_requests_total{{{labels}}}"));
    let graphql = |operation: &str, outcome: &str| {
        requests(&format!(
            r#"method="POST",route="/graphql",operation="{operation}",outcome="{outcome}""#
        ))
    };
    assert_eq!(graphql("linkedInTargets", "ok"), Some(1.0));
    assert_eq!(graphql("linkedInTargets", "refused"), Some(1.0));
    assert_eq!(graphql("linkedInTargets", "unavailable"), Some(1.0));
    assert_eq!(graphql("several", "ok"), Some(1.0));
    assert_eq!(graphql("", "refused"), Some(1.0));
    let rest = |outcome: &str| {
        requests(&format!(
            r#"method="GET",route="/api/linkedin/targets",operation="",outcome="{outcome}""#
        ))
    };
    assert_eq!(
        [rest("ok"), rest("refused"), rest("unavailable")],
        [Some(1.0); 3]
    );
    assert_eq!(
        requests(r#"method="GET",route="none",operation="",outcome="refused""#),
        Some(1.0)
    );
    let took = r#"http_request_duration_seconds_count{method="GET",route="/api/linkedin/targets",operation=""}"#;
    assert_eq!(app.counted(took), Some(3.0));
    assert_eq!(app.counted("http_requests_in_flight"), Some(0.0));
    let text = app.metrics.text().unwrap();
    for secret in ["Mine", "nothing", "secret"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn operations_of_a_websocket_are_counted_too() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let mut socket = Socket::ready(&app, &ada).await;
    let subscribe = |id: &str, query: &str| json!({ "type": "subscribe", "id": id, "payload": { "query": query } });

    socket
        .say(subscribe("1", "{ linkedInTargets { __typename } }"))
        .await;
    socket.payload("next", "1").await;
    socket.payload("complete", "1").await;
    socket.say(subscribe("2", "{ nothing }")).await;
    socket.payload("error", "2").await;
    let follow = "subscription { linkedInPostingPreferencesChanged { reason } }";
    socket.say(subscribe("3", follow)).await;
    socket.payload("next", "3").await;
    app.gql(&ada, SAVE).await;
    socket.payload("next", "3").await;
    // The socket, and what is followed on it.
    assert_eq!(app.counted("subscriptions"), Some(2.0));
    app.lose_database().await;
    socket
        .say(subscribe("4", "{ linkedInTargets { __typename } }"))
        .await;
    socket.payload("next", "4").await;

    let counted = |operation: &str, outcome: &str| {
        app.counted(&format!(
            r#"http_requests_total{{method="WEBSOCKET",route="/graphql",operation="{operation}",outcome="{outcome}"}}"#
        ))
    };
    assert_eq!(counted("linkedInTargets", "ok"), Some(1.0));
    assert_eq!(counted("linkedInTargets", "unavailable"), Some(1.0));
    assert_eq!(
        counted("linkedInPostingPreferencesChanged", "ok"),
        Some(1.0)
    );
    assert_eq!(counted("", "refused"), Some(1.0));
}

#[rstest]
#[tokio::test]
async fn statements_connections_and_the_pool_are_watched(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;

    app.gql(&ada, SAVE).await;

    let statements = |labels: &str| {
        app.counted(&format!(
            "database_statement_duration_seconds_count{{{labels}}}"
        ))
    };
    assert_eq!(statements(r#"statement="delete",outcome="ok""#), Some(1.0));
    assert_eq!(statements(r#"statement="insert",outcome="ok""#), Some(1.0));
    eventually("all connections are given back", async || {
        app.counted("database_connections_used") == Some(0.0)
    })
    .await;
    assert!(app.counted("database_connections_idle") >= Some(1.0));
    assert_eq!(app.counted("database_connections_max"), Some(4.0));
    assert_eq!(app.counted("http_connections"), Some(1.0));
}

#[rstest]
#[tokio::test]
async fn syncs_and_calls_to_linkedin_are_counted_by_their_outcome(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;

    app.gql(&ada, SYNC).await;

    // The stand-in has never given this token.
    assert_eq!(app.counted(r#"syncs_total{outcome="revoked"}"#), Some(1.0));
    let calls = r#"linkedin_call_duration_seconds_count{outcome="token_refused"}"#;
    assert!(
        app.counted(calls) >= Some(1.0),
        "{}",
        app.metrics.text().unwrap()
    );
}

#[tokio::test]
async fn each_server_counts_for_itself() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let other = app.another().await;

    app.request(Method::GET, "/healthz").reply().await;

    let probes = r#"http_requests_total{method="GET",route="/healthz",operation="",outcome="ok"}"#;
    assert_eq!(app.counted(probes), Some(1.0));
    assert_eq!(other.counted(probes), None);
}

#[tokio::test]
async fn a_panic_costs_one_request_and_is_counted() {
    let _logging = variable(LOGGED).map(|_| {
        let log = Log {
            log_format: LogFormat::Json,
            log_filter: "info".to_owned(),
            otlp_endpoint: None,
        };
        telemetry::start(&log).unwrap()
    });
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;

    let save = async |id: &str| {
        let put = app.request(Method::PUT, "/api/linkedin/posting-targets");
        let put = put.by(&ada).header("x-request-id", id);
        put.json(&json!({ "targets": [] })).reply().await
    };
    app.ids.are_gone(true);
    let rest = save("request-1").await;
    let graphql = app.request(Method::POST, "/graphql").by(&ada);
    let graphql = graphql.header("x-request-id", "request-2");
    let graphql = graphql.json(&json!({ "query": SAVE })).reply().await;
    app.ids.are_gone(false);
    let then = save("request-3").await;

    assert_eq!(rest.status, 500);
    assert_eq!(rest.json(), json!({ "error": "Internal server error" }));
    assert_eq!(graphql.status, 500);
    assert_eq!(graphql.codes(), ["INTERNAL_SERVER_ERROR"]);
    assert_eq!(then.status, 200);
    assert_eq!(app.counted("panics_total"), Some(2.0));
}

/// Set where the lines that a test leads to are to be written.
const LOGGED: &str = "TEST_LOGGED";

#[test]
fn a_panic_is_logged_with_its_place_and_its_request() {
    // A process has one log: this needs another.
    let mut tests = Command::new(std::env::current_exe().unwrap());
    let test = "metrics::a_panic_costs_one_request_and_is_counted";
    tests.args(["--exact", test]).env(LOGGED, "1");

    let (output, _, log) = run(&mut tests);

    assert!(output.status.success(), "{log}");
    let lines = log.lines().filter(|line| line.starts_with('{')).map(parsed);
    let panics: Vec<_> = lines
        .filter(|line| line["message"] == "there are no more ids")
        .collect();
    let requests: Vec<_> = panics
        .iter()
        .map(|line| line["span"]["request.id"].as_str().unwrap())
        .collect();
    assert_eq!(requests, ["request-1", "request-2"]);
    for line in panics {
        assert_eq!(line["level"], "ERROR");
        let place = line["panic.location"].as_str().unwrap();
        assert!(place.starts_with("tests/it/support/app.rs:"), "{place}");
    }
}

#[tokio::test]
async fn the_program_shows_its_metrics_on_an_address_of_their_own() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let mut server = Serving::start(&database.url, &[("ADMIN_ADDRESS", "127.0.0.1:0")]);
    let address = server.metrics_url();

    let scraped = Client::new().get(&address).send().await.unwrap();
    let public = Client::new()
        .get(server.url("/metrics"))
        .send()
        .await
        .unwrap();

    assert_eq!(public.status(), 404);
    let media_type = scraped.headers()["content-type"].to_str().unwrap();
    assert!(media_type.starts_with("application/openmetrics-text; version=1.0.0"));
    let text = scraped.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("linkedin_targets_build_info{{version=\"{version}\"}} 1\n");
    assert!(text.contains(&build), "{text}");
    let names: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE linkedin_targets_"))
        .collect();
    for name in [
        "build info",
        "log_lines_dropped counter",
        "panics counter",
        "http_connections gauge",
    ] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
}

#[rstest]
#[case("127.0.0.1", "8081", "127.0.0.1:8081")]
#[case("0.0.0.0", "8081", "127.0.0.1:8081")]
#[case("127.0.0.1", "8081", "0.0.0.0:8081")]
#[test]
fn the_two_addresses_are_not_the_same(#[case] bind: &str, #[case] port: &str, #[case] admin: &str) {
    let variables = [("BIND", bind), ("PORT", port), ("ADMIN_ADDRESS", admin)];

    let (output, _, told) = run(program(&["serve"]).envs(variables));

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        told,
        "error: invalid value for ADMIN_ADDRESS: it must not be the address of BIND and PORT\n"
    );
}

#[rstest]
#[tokio::test]
async fn saves_and_syncs_leave_a_line_that_tells_who_did_what(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    let world = app.world();
    let far_away = world.now + chrono::TimeDelta::days(100_000);
    let session = world.session(&ada.id, far_away).await.unwrap();
    app.connect_linkedin(&ada, "Ada").await;
    let nowhere = [("LINKEDIN_API_URL", "http://127.0.0.1:9")];
    let mut server = Serving::start(&app.database.url, &nowhere);

    let refused = r#"mutation { setLinkedInPostingPreferences(input: { targets: [{ orgPageId: "no" }] }) { __typename } }"#;
    for document in [SAVE, refused, SYNC] {
        let request = Client::new()
            .post(server.url("/graphql"))
            .header("cookie", format!("session={session}"));
        request.json(&json!({ "query": document })).reply().await;
    }
    let lines = [(); 3].map(|()| server.line_that_says(r#""target":"audit""#));

    let told = lines.map(|line| {
        let line = parsed(&line);
        assert!(line["span"]["request.id"].is_string(), "{line}");
        [&line["action"], &line["user.id"], &line["outcome"]].map(Value::clone)
    });
    let line = |action: &str, outcome: &str| [json!(action), json!(ada.id), json!(outcome)];
    assert_eq!(
        told,
        [
            line("save", "done"),
            line("save", "refused"),
            line("sync", "unavailable")
        ]
    );
}

/// A pipe holds 64 KiB. When it is full, a write waits for a reader, who never comes.
#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_no_request() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let mut process = program(&["serve", "--port", "0"])
        .env("DATABASE_URL", &database.url)
        .env("ADMIN_ADDRESS", "127.0.0.1:0")
        .env("RUST_LOG", "trace")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = process.stderr.take().unwrap();
    let mut read = Vec::new();
    let address = |after: &str, read: &[u8]| {
        let text = String::from_utf8_lossy(read).into_owned();
        let (_, rest) = text.split_once(after)?;
        let is_address = |character: char| character.is_ascii_digit() || ".:".contains(character);
        let end = rest.find(|character| !is_address(character))?;
        Some(format!("http://{}", &rest[..end]))
    };
    let mut byte = [0];
    while address("listening on http://", &read).is_none() {
        log.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
    let public = address("listening on http://", &read).unwrap();
    let admin = address("metrics on http://", &read).unwrap();
    let client = Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();

    let dropped = async || {
        let text = client
            .get(format!("{admin}/metrics"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix("linkedin_targets_log_lines_dropped_total "));
        count.unwrap().parse::<u64>().unwrap()
    };
    eventually("lines are dropped", async || {
        for _ in 0..100 {
            let answer = client
                .get(format!("{public}/healthz"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200);
        }
        dropped().await > 0
    })
    .await;

    process.kill().unwrap();
    process.wait().unwrap();
}
