//! What the servers are asked, by whom, and how fast they answer.

use std::{cell::Cell, fs, process::Command, time::Duration};

use clap::ValueEnum;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    Outcome,
    data::{Data, Person},
    process::{Cpu, Process},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    /// `GET /api/linkedin/targets`
    Targets,
    /// `GET /api/linkedin/posting-targets`
    PostingTargets,
    /// `PUT /api/linkedin/posting-targets`
    Save,
    /// The targets and whether they are enabled, as a document over GraphQL.
    Graphql,
    /// The same, asked for by the document's hash.
    Persisted,
}

const GRAPHQL: &str = "/graphql";
const DOCUMENT: &str = include_str!("targets.graphql");

impl Operation {
    pub(crate) const ALL: &[Self] = &[
        Self::Targets,
        Self::PostingTargets,
        Self::Save,
        Self::Graphql,
        Self::Persisted,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Targets => "REST targets",
            Self::PostingTargets => "REST posting-targets",
            Self::Save => "REST save",
            Self::Graphql => "GraphQL, plain document",
            Self::Persisted => "GraphQL, persisted",
        }
    }

    fn request(self) -> (&'static str, &'static str) {
        match self {
            Self::Targets => ("GET", "/api/linkedin/targets"),
            Self::PostingTargets => ("GET", "/api/linkedin/posting-targets"),
            Self::Save => ("PUT", "/api/linkedin/posting-targets"),
            Self::Graphql | Self::Persisted => ("POST", GRAPHQL),
        }
    }

    fn body(self, person: &Person) -> String {
        match self {
            Self::Targets | Self::PostingTargets => String::new(),
            Self::Save => json!({"targets": [
                {"kind": "personal"},
                {"kind": "orgPage", "pageId": person.page},
                {"kind": "personalPage", "personalPageId": person.personal_page},
            ]})
            .to_string(),
            Self::Graphql => json!({ "query": DOCUMENT }).to_string(),
            Self::Persisted => {
                let hash = hex::encode(Sha256::digest(DOCUMENT));
                json!({ "documentId": format!("sha256:{hash}") }).to_string()
            }
        }
    }
}

/// A load by random people of the database.
pub(crate) struct Load {
    people: Vec<Person>,
    time: Duration,
    /// The script of each operation.
    folder: TempDir,
    slices: Cell<usize>,
}

/// How a server did in one slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) requests_per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Of the server, for each request.
    pub(crate) cpu: Duration,
    /// Of PostgreSQL, for each request.
    pub(crate) database_cpu: Duration,
}

impl Load {
    pub(crate) fn new(people: Vec<Person>, time: Duration) -> Outcome<Self> {
        let folder = TempDir::new()?;
        for operation in Operation::ALL {
            let (method, path) = operation.request();
            let lines = people.iter().map(|person| {
                let body = operation.body(person);
                format!(
                    "{method} {path} HTTP/1.1\\r\\nHost: localhost\\r\\nCookie: session={}\\r\\n\
                    Content-Type: application/json\\r\\nContent-Length: {}\\r\\n\\r\\n{}",
                    person.session,
                    body.len(),
                    body.replace('\\', "\\\\")
                        .replace('\n', "\\n")
                        .replace('"', "\\\"")
                )
            });
            let requests: Vec<_> = lines.map(|line| format!("\"{line}\"")).collect();
            let script = format!(
                "local requests = {{\n{}\n}}\n{}",
                requests.join(",\n"),
                include_str!("wrk.lua")
            );
            fs::write(folder.path().join(operation.title()), script)?;
        }
        Ok(Self {
            people,
            time,
            folder,
            slices: Cell::new(0),
        })
    }

    /// The answer's body, which must be the same from both.
    pub(crate) fn same_answer(
        &self,
        operation: Operation,
        ours: &Process,
        ceiling: &Process,
    ) -> Outcome<String> {
        if operation == Operation::Persisted {
            // Sent once in full, it is known.
            self.same_answer(Operation::Graphql, ours, ceiling)?;
        }
        let mut last = String::new();
        for person in self.people.iter().take(100) {
            let ask = |server: &Process| -> Outcome<String> {
                let (method, path) = operation.request();
                let answer = server.ask(method, path, &person.session, &operation.body(person))?;
                let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
                Ok(body.to_owned())
            };
            let answers = [ask(ours)?, ask(ceiling)?];
            let [left, right] = answers.each_ref().map(|answer| {
                serde_json::from_str::<Value>(answer)
                    .unwrap_or_else(|_| Value::from(answer.as_str()))
            });
            if left != right || left.get("error").is_some() || left.get("errors").is_some() {
                return Err(
                    format!("not the same answer to {operation:?}: {left}\n{right}").into(),
                );
            }
            let [_, right] = answers;
            last = right;
        }
        Ok(last)
    }

    pub(crate) fn slice(
        &self,
        operation: Operation,
        connections: u32,
        server: &Process,
        data: &Data,
    ) -> Outcome<Slice> {
        let slices = self.slices.replace(self.slices.get() + 1);
        let look =
            || -> Outcome<[Cpu; 2]> { Ok([Cpu::of([server.id()]), Cpu::of(data.processes()?)]) };
        let before = look()?;
        let wrk = Command::new("wrk")
            .args(["--threads", "1", "--connections", &connections.to_string()])
            .args(["--duration", &format!("{}s", self.time.as_secs())])
            .args(["--timeout", "30s", "--script"])
            .arg(self.folder.path().join(operation.title()))
            .arg(format!("http://{}/", server.address))
            // Where the script begins, so that no two slices ask for the same people in a row.
            .args(["--", &(slices * 997).to_string()])
            .output()
            .map_err(|cause| {
                format!("wrk cannot be started: {cause}; install it (`apt install wrk`)")
            })?;
        let after = look()?;
        let out = String::from_utf8(wrk.stdout)?;
        let line = out.lines().last().unwrap_or_default();
        let fields: Vec<f64> = line
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| format!("wrk failed: {out}"))?;
        let [requests, microseconds, p50, p99, failed] = fields[..] else {
            return Err(format!("wrk failed: {out}").into());
        };
        if failed > 0.0 || requests < 1.0 {
            return Err(format!("{failed} of {requests} requests of {operation:?} failed").into());
        }
        let micros = |time: f64| Duration::from_nanos((time * 1_000.0) as u64);
        Ok(Slice {
            requests_per_second: requests / microseconds * 1e6,
            p50: micros(p50),
            p99: micros(p99),
            cpu: after[0].since(&before[0]).div_f64(requests),
            database_cpu: after[1].since(&before[1]).div_f64(requests),
        })
    }
}
