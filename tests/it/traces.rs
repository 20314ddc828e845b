//! Traces, as they reach a collector.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use opentelemetry_proto::tonic::trace::v1::Span;
use reqwest::{Client, Method, RequestBuilder};
use rstest::rstest;
use serde_json::json;

use crate::support::{
    app::{Ask, Person, Reply, TestApp},
    collector::{Collector, attribute, has_failed},
    database::{Backend, Database, take_turn},
    eventually::eventually,
    member::{long_lived, meanwhile, serve, settled},
    process::Serving,
    wire::{Script, Wire},
};

const TARGETS: &str = "/api/linkedin/targets";
const SAVE: &str =
    "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
const SYNC: &str = "mutation { syncLinkedInPages { __typename } }";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_request_leads_to_is_part_of_its_callers_trace(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    let mut traced = Traced::serve(&app, &[]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    let synced = traced
        .request(Method::POST, "/graphql?hidden=the-parameter")
        .by(&ada)
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .json(&json!({ "query": SYNC }))
        .reply()
        .await;
    let line = traced.server.line_that_says("\"answered\"");
    let (collector, log) = traced.end().await;

    assert_eq!(synced.status, 200);
    let spans = collector.spans();
    let trace = hex::decode(trace).unwrap();
    assert!(spans.iter().all(|span| span.trace_id == trace), "{spans:?}");
    let request = named(&spans, "POST /graphql");
    assert_eq!(hex::encode(&request.parent_span_id), "00f067aa0ba902b7");
    let call = named(&spans, "LinkedIn");
    assert_eq!(attribute(call, "url.path"), Some("/rest/organizationAcls"));
    for name in ["LinkedIn", "SELECT account", "INSERT linkedin_page_syncs"] {
        assert!(is_child(named(&spans, name), request), "{name}");
    }
    for text in ["service.name", "linkedin-targets"] {
        assert!(collector.has(text), "{text}");
    }
    for secret in [&*ada.session, "the-parameter", "secret-token"] {
        assert!(!collector.has(secret), "{secret}");
    }
    assert!(!format!("{line}{log}").contains("otel"), "{line}{log}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_told_statement_by_statement(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    let traced = Traced::serve(&app, &[]).await;

    let saved = traced.gql(&ada, SAVE).await;
    let (collector, _) = traced.end().await;

    assert_eq!(saved.status, 200);
    let spans = collector.spans();
    let request = named(&spans, "POST /graphql");
    let of_request: Vec<_> = spans
        .iter()
        .filter(|span| is_child(span, request))
        .collect();
    let names: Vec<_> = of_request.iter().map(|span| &*span.name).collect();
    let lock = (on == Backend::Postgres).then_some("SELECT pg_advisory_xact_lock");
    let mut expected = vec!["SELECT account", "BEGIN"];
    expected.extend(lock);
    expected.extend([
        "SELECT account",
        "DELETE linkedin_posting_target_preferences",
        "INSERT linkedin_posting_target_preferences",
        "COMMIT",
    ]);
    assert_eq!(names, expected);
    let system = match on {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgresql",
    };
    for span in of_request {
        let operation = span.name.split(' ').next();
        assert_eq!(attribute(span, "db.system.name"), Some(system));
        assert_eq!(attribute(span, "db.operation.name"), operation);
        assert_eq!(attribute(span, "db.query.summary"), Some(&*span.name));
        assert_eq!(attribute(span, "error.type"), None);
        assert!(span.links.is_empty() && !has_failed(span), "{span:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_tells_by_what_code(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    let impatient = [
        ("DATABASE_ACQUIRE_TIMEOUT", "1s"),
        ("DATABASE_STATEMENT_TIMEOUT", "1s"),
    ];
    let traced = Traced::serve(&app, &impatient).await;

    let turn = take_turn(&app.db, &ada.id).await;
    let saved = traced.gql(&ada, SAVE).await;
    turn.rollback().await.unwrap();
    let (collector, _) = traced.end().await;

    assert_eq!(saved.codes(), ["UNAVAILABLE"]);
    let spans = collector.spans();
    let (name, code) = match on {
        Backend::Sqlite => ("BEGIN", "5"),
        Backend::Postgres => ("SELECT pg_advisory_xact_lock", "57014"),
    };
    let failed = named(&spans, name);
    assert!(has_failed(failed), "{failed:?}");
    assert_eq!(attribute(failed, "error.type"), Some(code));
    assert_eq!(attribute(failed, "db.response.status_code"), Some(code));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_requests_share_is_found_from_each_of_them(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    const CROWD: usize = 10;
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    // While somebody else has Ada's turn, a save of hers waits with the only connection. With one thread, who is
    // counted has got as far as possible when the metrics are told.
    let settings = [
        ("DATABASE_MAX_CONNECTIONS", "1"),
        ("DATABASE_ACQUIRE_TIMEOUT", "60s"),
        ("DATABASE_STATEMENT_TIMEOUT", "60s"),
        ("REQUEST_TIMEOUT", "60s"),
        ("TOKIO_WORKER_THREADS", "1"),
        ("ADMIN_ADDRESS", "127.0.0.1:0"),
    ];
    let mut traced = Traced::serve(&app, &settings).await;
    let metrics = traced.server.metrics_url();
    let in_flight = async |count: usize| {
        let told = format!("linkedin_targets_http_requests_in_flight {count}\n");
        eventually("so many have come", async || {
            text(&metrics).await.contains(&told)
        })
        .await;
    };

    let selected = async || counted(&text(&metrics).await).get("select").copied();
    let at_start = selected().await.unwrap_or_default();
    let turn = take_turn(&app.db, &ada.id).await;
    let save = traced.request(Method::POST, "/graphql").by(&ada);
    let save = tokio::spawn(save.json(&json!({ "query": SAVE })).reply());
    // From then on it is the first to have the connection.
    eventually("the save knows who asks", async || {
        selected().await == Some(at_start + 1)
    })
    .await;
    let read = || traced.request(Method::GET, TARGETS).by(&ada).reply();
    let mut reads = vec![tokio::spawn(read())];
    in_flight(2).await;
    // Nobody waits for a statement that takes longer than this: the next one begins beside it.
    let since = Instant::now();
    eventually("the first is slow", async || {
        since.elapsed() > Duration::from_millis(10)
    })
    .await;
    reads.push(tokio::spawn(read()));
    in_flight(3).await;
    reads.extend((2..CROWD).map(|_| tokio::spawn(read())));
    in_flight(1 + CROWD).await;
    turn.rollback().await.unwrap();
    let replies = join_all(reads).await;
    save.await.unwrap();
    let (collector, _) = traced.end().await;

    assert!(
        replies
            .iter()
            .all(|reply| reply.as_ref().unwrap().status == 200)
    );
    let spans = collector.spans();
    let is_read = |span: &&Span| span.name == format!("GET {TARGETS}");
    let reads: Vec<_> = spans.iter().filter(is_read).collect();
    assert_eq!(reads.len(), CROWD);
    for read in reads {
        let told = |span: &&Span| is_child(span, read) || is_linked(span, read);
        assert_eq!(spans.iter().filter(told).count(), 1, "{spans:#?}");
    }
    // Two went ahead alone, and the third took all others.
    let shared: Vec<_> = spans.iter().map(|span| span.links.len()).collect();
    assert_eq!(shared.iter().max(), Some(&(CROWD - 3)), "{shared:?}");
}

/// Whoever adds a statement is to give it a span.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_that_is_counted_has_a_span(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    const READ: &str = "{
        linkedInTargets { ... on OrgPage { organization { name } } }
        unavailableLinkedInTargets { id }
        linkedInConnection { lastSync { at } }
    }";
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = long_lived(&app, "ada").await;
    settled(&app, &ada).await;
    app.linkedin.world(meanwhile);
    let world = app.world();
    let acme = world.organization("Acme", &ada.id).await.unwrap();
    let page = world.org_page(&acme, "11", "Acme Corp").await.unwrap();
    world.assign(&page, &ada.id).await.unwrap();
    let mut traced = Traced::serve(&app, &[("ADMIN_ADDRESS", "127.0.0.1:0")]).await;
    let metrics = traced.server.metrics_url();
    // It looks at its tables when it starts.
    let at_start = counted(&text(&metrics).await);

    for query in [READ, SAVE, SYNC] {
        traced.gql(&ada, query).await.data();
    }
    let mut statements = counted(&text(&metrics).await);
    let (collector, _) = traced.end().await;

    for (operation, count) in at_start {
        *statements.get_mut(&operation).unwrap() -= count;
    }
    let mut told = BTreeMap::<_, u64>::new();
    for span in collector.spans() {
        match attribute(&span, "db.operation.name") {
            None | Some("BEGIN" | "COMMIT") => {}
            Some(operation) => *told.entry(operation.to_lowercase()).or_default() += 1,
        }
        let is_request = span.name == "POST /graphql";
        assert_eq!(span.parent_span_id.is_empty(), is_request, "{span:?}");
    }
    assert_eq!(told, statements);
    assert_eq!(told.len(), 4, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_does_not_answer_holds_up_nothing() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let collector = Wire::start().await;
    collector.follow(Script::SaysAndWaits(""));
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "16"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16"),
    ];
    let server = Serving::start(&database.url, &settings);
    let client = Client::new();

    for _ in 0..100 {
        let probe = client.get(server.url("/healthz")).send();
        assert_eq!(probe.await.unwrap().status(), 200);
    }
    server.ask_to_stop();
    let (_, code) = tokio::task::spawn_blocking(|| server.end()).await.unwrap();

    assert_eq!(code, Some(0));
}

/// The program, and a collector that it tells everything.
struct Traced {
    server: Serving,
    collector: Collector,
    client: Client,
}

impl Traced {
    async fn serve(app: &TestApp, settings: &[(&str, &str)]) -> Self {
        let collector = Collector::start().await;
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.address);
        let server = serve(app, &[&[endpoint], settings].concat());
        let client = Client::new();
        Self {
            server,
            collector,
            client,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.server.url(path))
    }

    async fn gql(&self, person: &Person, query: &str) -> Reply {
        let request = self.request(Method::POST, "/graphql").by(person);
        request.json(&json!({ "query": query })).reply().await
    }

    /// Stops the program, which then sends what it has not sent yet. Its log is the other thing that is left.
    async fn end(self) -> (Collector, String) {
        let server = self.server;
        server.ask_to_stop();
        let ended = tokio::task::spawn_blocking(|| server.end()).await;
        let (log, code) = ended.unwrap();
        assert_eq!(code, Some(0));
        (self.collector, log)
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let span = spans.iter().find(|span| span.name == name);
    span.unwrap_or_else(|| panic!("no {name}: {spans:#?}"))
}

fn is_child(span: &Span, of: &Span) -> bool {
    span.trace_id == of.trace_id && span.parent_span_id == of.span_id
}

fn is_linked(span: &Span, to: &Span) -> bool {
    let mut links = span.links.iter();
    links.any(|link| link.trace_id == to.trace_id && link.span_id == to.span_id)
}

async fn text(url: &str) -> String {
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

/// How many statements of each kind the metrics tell of.
fn counted(metrics: &str) -> BTreeMap<String, u64> {
    let start = r#"linkedin_targets_database_statement_duration_seconds_count{statement=""#;
    let counts = metrics.lines().filter_map(|line| {
        let (operation, rest) = line.strip_prefix(start)?.split_once('"')?;
        let count = rest.split(' ').next_back()?.parse().ok()?;
        Some((operation.to_owned(), count))
    });
    counts.collect()
}
