//! What the parts of a request cost within the server, without sockets: how long a document takes that was never seen,
//! how long one that is kept, and how the answer grows with the targets in it.

mod server;

use std::cell::Cell;

use axum::{
    body::Body,
    http::{
        Method, Request,
        header::{CONTENT_TYPE, COOKIE, HOST},
    },
};
use criterion::{BatchSize, Bencher, BenchmarkId, Criterion, Throughput};
use serde_json::{Value, json};

use server::{Person, Server};

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TARGETS: &str = include_str!("../../src/targets.graphql");

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let server = Server::start();
    unseen_documents(&mut criterion, &server);
    kept_documents(&mut criterion, &server);
    answers(&mut criterion, &server);
    criterion.final_summary();
}

/// Nobody asks, so nothing is read: what remains is the document.
fn unseen_documents(criterion: &mut Criterion, server: &Server) {
    let seen = Cell::new(0_u64);
    let unseen = || {
        seen.set(seen.get() + 1);
        graphql(None, &format!("{TARGETS}# {}", seen.get()))
    };
    assert_eq!(code(server, unseen()), "UNAUTHENTICATED");
    let mut group = criterion.benchmark_group("parse and validate");
    group.throughput(Throughput::Bytes(TARGETS.len() as u64));
    group.bench_function("targets", |bencher| ask(bencher, server, unseen));
    group.finish();
}

/// The same again, and so the difference is what parsing and validation cost.
fn kept_documents(criterion: &mut Criterion, server: &Server) {
    let kept = || graphql(None, TARGETS);
    assert_eq!(code(server, kept()), "UNAUTHENTICATED");
    let mut group = criterion.benchmark_group("kept document");
    group.throughput(Throughput::Bytes(TARGETS.len() as u64));
    group.bench_function("targets", |bencher| ask(bencher, server, kept));
    group.finish();
}

/// By people with more and more pages.
fn answers(criterion: &mut Criterion, server: &Server) {
    let mut group = criterion.benchmark_group("execute and shape");
    for pages in [1, 10, 100, 1_000] {
        let person = server.person(pages);
        group.throughput(Throughput::Elements(pages as u64));
        for face in Face::ALL {
            assert_eq!(face.count(&server.json(face.request(&person))), pages + 1);
            let id = BenchmarkId::new(face.title(), pages);
            group.bench_with_input(id, &person, |bencher, person| {
                ask(bencher, server, || face.request(person));
            });
        }
    }
    group.finish();
}

/// Making the request is not what is timed.
fn ask(bencher: &mut Bencher<'_>, server: &Server, request: impl FnMut() -> Request<Body>) {
    bencher.to_async(server.runtime()).iter_batched(
        request,
        |request| server.answer(request),
        BatchSize::SmallInput,
    );
}

#[derive(Clone, Copy)]
enum Face {
    Targets,
    PostingTargets,
    Graphql,
}

impl Face {
    const ALL: [Self; 3] = [Self::Targets, Self::PostingTargets, Self::Graphql];

    fn title(self) -> &'static str {
        match self {
            Self::Targets => "REST targets",
            Self::PostingTargets => "REST posting-targets",
            Self::Graphql => "GraphQL targets with enabled",
        }
    }

    fn request(self, person: &Person) -> Request<Body> {
        match self {
            Self::Targets => rest(person, "/api/linkedin/targets"),
            Self::PostingTargets => rest(person, "/api/linkedin/posting-targets"),
            Self::Graphql => graphql(Some(person), TARGETS),
        }
    }

    /// The targets in an answer.
    fn count(self, answer: &Value) -> usize {
        let path = match self {
            Self::Targets | Self::PostingTargets => "/targets",
            Self::Graphql => "/data/linkedInPostingPreferences/targets",
        };
        let targets = answer.pointer(path).and_then(Value::as_array);
        targets.map_or(0, Vec::len)
    }
}

fn rest(person: &Person, path: &str) -> Request<Body> {
    Request::get(path)
        .header(HOST, "localhost")
        .header(COOKIE, &person.cookie)
        .body(Body::empty())
        .unwrap()
}

fn graphql(person: Option<&Person>, document: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/graphql")
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/json");
    if let Some(person) = person {
        request = request.header(COOKIE, &person.cookie);
    }
    let body = json!({ "query": document }).to_string();
    request.body(Body::from(body)).unwrap()
}

fn code(server: &Server, request: Request<Body>) -> String {
    let code = &server.json(request)["errors"][0]["extensions"]["code"];
    code.as_str().unwrap_or_default().to_owned()
}
