//! Bytes that are hardly HTTP, or HTTP that two readers understand differently: what the server says to them, and that
//! it is as well as before.

mod bodies;
mod heads;
mod targets;

use std::time::Duration;

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    app::{Ask, Person, TestApp},
    database::Backend,
    eventually::eventually,
};

/// What somebody says who wants no more than this one answer.
const CLOSE: &str = "connection: close\r\n";
const HOST: &str = "host: localhost\r\n";

struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    /// Whether the client has nothing more to say, and says so.
    ends: bool,
    /// The statuses of the answers, before the server closes the connection.
    answers: &'static [u16],
}

impl Row {
    /// After it the client waits until the server closes the connection.
    fn new(name: &'static str, bytes: impl Into<Vec<u8>>, answers: &'static [u16]) -> Self {
        Self {
            name,
            bytes: bytes.into(),
            ends: false,
            answers,
        }
    }

    fn get(name: &'static str, headers: &str, answers: &'static [u16]) -> Self {
        let head = format!("GET /healthz HTTP/1.1\r\n{headers}{CLOSE}\r\n");
        Self::new(name, head, answers)
    }

    /// To a server that waits for more.
    fn then_ends(mut self) -> Self {
        self.ends = true;
        self
    }
}

#[tokio::test]
async fn heads() {
    all_are_answered(heads::rows()).await;
}

#[tokio::test]
async fn targets() {
    all_are_answered(targets::rows()).await;
}

#[tokio::test]
async fn bodies() {
    all_are_answered(bodies::rows()).await;
}

#[tokio::test]
async fn there_are_many_of_them() {
    let rows = [heads::rows(), targets::rows(), bodies::rows()];
    assert!(rows.iter().map(Vec::len).sum::<usize>() >= 80);
}

async fn all_are_answered(rows: Vec<Row>) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;

    let mut failures = Vec::new();
    for row in rows {
        let answer = say(&app, &ada, &row).await;
        let statuses = statuses(&answer);
        let tells = SECRETS.iter().any(|secret| answer.contains(secret));
        if statuses != row.answers || tells || answer.contains(&ada.session) {
            let start: String = answer.chars().take(600).collect();
            let expected = row.answers;
            failures.push(format!(
                "{}: {statuses:?} for {expected:?}\n{start}",
                row.name
            ));
        }
        let after = app.request(Method::GET, "/healthz").reply().await;
        assert_eq!(after.status, 200, "after {}", row.name);
    }

    assert!(failures.is_empty(), "{}", failures.join("\n---\n"));
    eventually(
        "no connection is left but that of the test's client",
        async || {
            app.counted("http_connections")
                .is_some_and(|count| count <= 1.0)
        },
    )
    .await;
    assert_eq!(app.counted("http_requests_in_flight"), Some(0.0));
    assert_eq!(app.counted("panics_total"), Some(0.0));
}

/// What stands in no answer: internals, and what others have sent.
const SECRETS: &[&str] = &["panicked", "src/", ".rs:", "sqlx", "hyper", "secret"];

/// What comes until the server closes the connection.
async fn say(app: &TestApp, ada: &Person, row: &Row) -> String {
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    let text = String::from_utf8_lossy(&row.bytes);
    let bytes = if text.contains("{session}") {
        text.replace("{session}", &ada.session).into_bytes()
    } else {
        row.bytes.clone()
    };
    let (mut hears, mut says) = connection.split();
    let saying = async {
        // The server may have heard enough.
        let _ = says.write_all(&bytes).await;
        if row.ends {
            let _ = says.shutdown().await;
        }
    };
    let hearing = async {
        let mut answer = Vec::new();
        let _ = hears.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let both = futures_util::future::join(saying, hearing);
    let ((), answer) = timeout(PATIENCE, both)
        .await
        .unwrap_or_else(|_| panic!("{}: the connection stays open", row.name));
    answer
}

/// Longer than the server lets anybody wait for an answer, and shorter than a connection may be idle.
const PATIENCE: Duration = Duration::from_secs(40);

fn statuses(answer: &str) -> Vec<u16> {
    let status = |start: &str| start.get(..3).and_then(|text| text.parse().ok());
    let starts = answer.split("HTTP/1.1 ").skip(1);
    let older = answer.split("HTTP/1.0 ").skip(1);
    starts.chain(older).filter_map(status).collect()
}
