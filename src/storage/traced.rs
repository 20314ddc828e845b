//! Spans of statements, for traces alone: what the database was asked and for how long, never with which values.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
};

use opentelemetry::{Context, trace::TraceContextExt};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};
use tracing::{Instrument, Span, dispatcher, field::Empty, span::Id};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::failure;

/// Runs a statement in a span of its own, with the wait for a connection.
///
/// The summary is the operation, and what it is about.
pub(super) async fn traced<T>(
    backend: DbBackend,
    summary: &'static str,
    statement: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    within(span(backend, summary), statement).await
}

pub(crate) async fn commit(transaction: DatabaseTransaction) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    traced(backend, "COMMIT", transaction.commit()).await
}

/// Disabled, and for nothing, where no traces are sent.
pub(super) fn span(backend: DbBackend, summary: &'static str) -> Span {
    tracing::info_span!(
        target: "otel",
        "statement",
        otel.name = summary,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = system(backend),
        db.operation.name = summary.split(' ').next(),
        db.query.summary = summary,
        db.response.status_code = Empty,
        "error.type" = Empty,
    )
}

/// Makes the span that several requests share a child of the first one's, and links it to those of the others.
pub(super) fn share<'a>(span: &Span, mut requests: impl Iterator<Item = &'a Context>) {
    if span.is_disabled() {
        return;
    }
    if let Some(first) = requests.next() {
        // Nothing has happened in the span yet, so that it can still be given another parent.
        let _ = span.set_parent(first.clone());
    }
    for other in requests {
        span.add_link(other.span().span_context().clone());
    }
}

pub(super) async fn within<T>(
    span: Span,
    statement: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let statement = pin!(statement);
    if span.is_disabled() {
        return outside(statement).await;
    }
    let outcome = statement.instrument(span.clone()).await;
    if let Err(cause) = &outcome {
        span.record("otel.status_code", "ERROR");
        span.record("db.response.status_code", failure::code(cause).as_deref());
        span.record("error.type", &*failure::class(cause));
    }
    outcome
}

/// Runs it outside of the request's span: sqlx enters the one that it finds, two times for each row.
fn outside<F: Future>(mut statement: Pin<&mut F>) -> impl Future<Output = F::Output> {
    poll_fn(move |context| {
        let _left = Left::current();
        statement.as_mut().poll(context)
    })
}

/// A span that is entered again when this is dropped.
struct Left(Option<Id>);

impl Left {
    fn current() -> Self {
        dispatcher::get_default(|subscriber| {
            let span = subscriber.current_span().id().cloned();
            span.iter().for_each(|span| subscriber.exit(span));
            Self(span)
        })
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        dispatcher::get_default(|subscriber| {
            self.0.iter().for_each(|span| subscriber.enter(span));
        });
    }
}

fn system(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "sqlite",
        _ => "postgresql",
    }
}
