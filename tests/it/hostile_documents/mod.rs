//! Everything that is known to hurt GraphQL servers, sent by somebody who is signed in: what it is answered with, and
//! what it costs the server, which is little.

mod documents;
mod fragments;
mod questions;
mod requests;
mod sockets;
mod values;

use std::{collections::BTreeSet, fmt::Write, iter, ops::RangeInclusive, time::Duration};

use reqwest::{
    Client, Method,
    header::{ACCEPT, CONTENT_TYPE, COOKIE},
};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{
    app::{Person, TestApp},
    cost::{Cost, Meter},
    database::Backend,
    process::Serving,
    skip::skip,
};

/// The most that any attack may cost; a flood, each request or message of it.
const MOST: Cost = Cost {
    cpu: Duration::from_millis(50),
    memory: 16 * 1024 * 1024,
};

/// How many ordinary requests cost as much. Where a machine is so slow that they cost more, so may an attack.
const MOST_ORDINARY: u32 = 33;

/// What other work on the machine adds to one round is not in every other one.
const ROUNDS: RangeInclusive<usize> = 5..=20;

struct Attack {
    name: &'static str,
    way: Way,
    /// The status, and the first error's code or what closed the socket.
    answer: &'static str,
}

enum Way {
    /// A request, with these headers beside the usual ones or in their place.
    Request(Method, String, Vec<(&'static str, String)>, Vec<u8>),
    /// Requests like this one after another.
    Flood(Vec<Value>),
    /// Messages on a WebSocket that is ready for operations.
    Messages(Vec<String>),
    /// A WebSocket that is asked for with this header.
    Handshake(&'static str, &'static str),
}

impl Attack {
    fn body(name: &'static str, body: impl Into<Vec<u8>>, answer: &'static str) -> Self {
        Self::by(Method::POST, name, &[], body, answer)
    }

    fn by(
        method: Method,
        name: &'static str,
        headers: &[(&'static str, &str)],
        body: impl Into<Vec<u8>>,
        answer: &'static str,
    ) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).into()));
        let way = Way::Request(method, String::new(), headers.collect(), body.into());
        Self { name, way, answer }
    }

    fn json(name: &'static str, body: &Value, answer: &'static str) -> Self {
        Self::body(name, body.to_string(), answer)
    }

    fn document(name: &'static str, document: &str, answer: &'static str) -> Self {
        Self::json(name, &json!({ "query": document }), answer)
    }

    fn address(name: &'static str, parameters: &[(&str, &str)], answer: &'static str) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let query = format!("?{}", query.finish());
        let way = Way::Request(Method::GET, query, Vec::new(), Vec::new());
        Self { name, way, answer }
    }

    fn messages(name: &'static str, messages: Vec<String>, answer: &'static str) -> Self {
        let way = Way::Messages(messages);
        Self { name, way, answer }
    }

    fn bytes(&self) -> usize {
        match &self.way {
            Way::Request(_, query, headers, body) => {
                let headers = headers.iter().map(|(name, value)| name.len() + value.len());
                query.len() + headers.sum::<usize>() + body.len()
            }
            Way::Flood(bodies) => bodies.iter().map(|body| body.to_string().len()).sum(),
            Way::Messages(messages) => messages.iter().map(String::len).sum(),
            Way::Handshake(name, value) => name.len() + value.len(),
        }
    }

    /// How many requests or messages it is.
    fn times(&self) -> u32 {
        let times = match &self.way {
            Way::Request(..) | Way::Handshake(..) => 1,
            Way::Flood(bodies) => bodies.len(),
            Way::Messages(messages) => messages.len(),
        };
        u32::try_from(times).unwrap()
    }
}

/// Every attack as it is sent in this round: nothing that the server keeps of one helps it with the next.
fn attacks(round: usize) -> Vec<Attack> {
    [
        documents::attacks(round),
        fragments::attacks(round),
        questions::attacks(round),
        values::attacks(round),
        requests::attacks(round),
        sockets::attacks(round),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[tokio::test]
async fn no_attack_costs_much() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let world = app.world();
    let mallory = world.user("mallory", "mallory").await.unwrap();
    let session = world
        .session(&mallory, world.now + chrono::TimeDelta::days(100_000))
        .await
        .unwrap();
    let mallory = Person {
        id: mallory,
        session,
    };
    app.connect_linkedin(&mallory, "Mallory").await;
    let server = Serving::start(&app.database.url, &SETTINGS);
    let attacker = Attacker {
        server: &server,
        // A connection of its own for each: some are closed by the server.
        client: Client::builder().pool_max_idle_per_host(0).build().unwrap(),
        person: &mallory,
    };
    if let Err(reason) = Meter::start(server.id()) {
        return skip("what attacks cost", &reason);
    }

    let first = attacks(0);
    // The first time, an attack meets code that was never run.
    for attack in &first {
        attacker.attack(attack).await;
    }
    let ordinary = Attack::json(
        "nothing out of the ordinary",
        &json!({ "query": "{ linkedInTargets { ... on LinkedInDestination { label } } }" }),
        "200",
    );
    let mut usual = Vec::new();
    for _ in ROUNDS {
        usual.push(attacker.cost(&ordinary).await);
    }
    let most = MOST.cpu.max(cpu(&usual, &ordinary) * MOST_ORDINARY);
    let mut told: Vec<Vec<(String, Cost)>> = first.iter().map(|_| Vec::new()).collect();
    for round in 1..=*ROUNDS.end() {
        for (attack, told) in attacks(round).iter().zip(&mut told) {
            let is_told = told.len() >= *ROUNDS.start() && cpu(told, attack) <= most;
            if !is_told {
                told.push(attacker.cost(attack).await);
            }
        }
    }

    let mut table = format!(
        "{:52} {:>7} {:>7} {:>8} {:>6}  answer\n",
        "attack", "times", "bytes", "CPU ms", "MiB"
    );
    let mut failures = Vec::new();
    let lines = iter::once((&ordinary, &usual)).chain(first.iter().zip(&told));
    for (attack, told) in lines {
        let times = attack.times();
        let answers: BTreeSet<_> = told.iter().map(|(answer, _)| answer.as_str()).collect();
        let answer = Vec::from_iter(answers).join(" or ");
        let cpu = cpu(told, attack);
        let memory = told.iter().map(|(_, cost)| cost.memory).max().unwrap();
        let line = format!(
            "{:52} {times:>7} {:>7} {:>8.2} {:>6.1}  {answer}",
            attack.name,
            attack.bytes(),
            cpu.as_secs_f64() * 1e3,
            memory as f64 / f64::from(1024 * 1024),
        );
        writeln!(table, "{line}").unwrap();
        let is_answered = told
            .iter()
            .all(|(answer, _)| attack.answer.split(" or ").any(|other| other == answer));
        if !is_answered || cpu > most || memory > MOST.memory {
            failures.push(format!("{line}, and it ought to be {}", attack.answer));
        }
    }
    show(&table);
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(first.len() >= 50);
}

/// The least of all rounds.
fn cpu(rounds: &[(String, Cost)], attack: &Attack) -> Duration {
    let least = rounds.iter().map(|(_, cost)| cost.cpu).min();
    least.unwrap() / attack.times()
}

#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it to whoever asks"
)]
fn show(table: &str) {
    println!("{table}");
}

/// Memory that is free goes back at once, so that what one attack has had does not hide what the next one takes.
const SETTINGS: [(&str, &str); 2] = [("RATE_LIMIT_USER", "off"), ("MIMALLOC_PURGE_DELAY", "0")];

struct Attacker<'a> {
    server: &'a Serving,
    client: Client,
    person: &'a Person,
}

impl Attacker<'_> {
    async fn cost(&self, attack: &Attack) -> (String, Cost) {
        let meter = Meter::start(self.server.id()).unwrap();
        let answer = self.attack(attack).await;
        (answer, meter.stop())
    }

    /// Returns the status, and the first error's code or what closed the socket.
    async fn attack(&self, attack: &Attack) -> String {
        match &attack.way {
            Way::Request(method, query, headers, body) => {
                self.send(method, query, headers, body.clone()).await
            }
            Way::Flood(bodies) => {
                let mut answer = String::new();
                for body in bodies {
                    let body = body.to_string().into_bytes();
                    answer = self.send(&Method::POST, "", &[], body).await;
                }
                answer
            }
            Way::Messages(messages) => {
                sockets::send(self.server, self.person, messages.clone()).await
            }
            Way::Handshake(name, value) => {
                sockets::ask(self.server, self.person, name, value).await
            }
        }
    }

    async fn send(
        &self,
        method: &Method,
        query: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> String {
        let url = self.server.url(&format!("/graphql{query}"));
        let mut request = self
            .client
            .request(method.clone(), url)
            .header(COOKIE, format!("session={}", self.person.session))
            .header(ACCEPT, "application/graphql-response+json")
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .build()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        // What is too long is not read to its end, so the client may learn of that alone.
        let Ok(response) = self.client.execute(request).await else {
            return "gone".to_owned();
        };
        let status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap_or_default();
        match answer["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => format!("{status} {code}"),
            None => status.to_string(),
        }
    }
}

/// `line` for each number, one after another.
fn numbered(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}
