//! Traces, as they reach a collector.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, routing::post};
use reqwest::Client;
use serde_json::json;

use crate::support::{
    app::{Ask, TestApp},
    database::{Backend, Database},
    process::Serving,
    wire::{Script, Wire},
};

/// Keeps what it is sent.
struct Collector {
    address: String,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        let keep = async move |body: Bytes| {
            kept.lock().unwrap().extend_from_slice(&body);
            ([("content-type", "application/x-protobuf")], "")
        };
        let routes = Router::new().route("/v1/traces", post(keep));
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { address, received }
    }

    /// Whether these bytes are in what was sent: in protobuf, texts and ids stand as they are.
    fn has(&self, bytes: &[u8]) -> bool {
        let received = self.received.lock().unwrap();
        received.windows(bytes.len()).any(|window| window == bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_part_of_its_callers_trace() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    let world = app.world();
    let far_away = world.now + chrono::TimeDelta::days(100_000);
    let session = world.session(&ada.id, far_away).await.unwrap();
    app.connect_linkedin(&ada, "Ada").await;
    let collector = Collector::start().await;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address.as_str()),
        ("LINKEDIN_API_URL", app.linkedin.base_url().as_str()),
    ];
    let mut server = Serving::start(&app.database.url, &settings);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    let synced = Client::new()
        .post(server.url("/graphql?hidden=the-parameter"))
        .header("cookie", format!("session={session}"))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .json(&json!({ "query": "mutation { syncLinkedInPages { __typename } }" }))
        .reply()
        .await;
    let line = server.line_that_says("\"answered\"");
    server.ask_to_stop();
    let (log, code) = tokio::task::spawn_blocking(|| server.end()).await.unwrap();

    assert_eq!(synced.status, 200);
    assert_eq!(code, Some(0));
    for text in [
        "POST /graphql",
        "LinkedIn",
        "/rest/organizationAcls",
        "service.name",
        "linkedin-targets",
    ] {
        assert!(collector.has(text.as_bytes()), "{text}");
    }
    assert!(collector.has(&hex::decode(trace).unwrap()));
    for secret in [&*session, "the-parameter", "secret-token"] {
        assert!(!collector.has(secret.as_bytes()), "{secret}");
    }
    assert!(!format!("{line}{log}").contains("otel"), "{line}{log}");
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
