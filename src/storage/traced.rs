//! Spans of statements, for traces alone: what the database was asked and for how long, never with which values.

use opentelemetry::{Context, trace::TraceContextExt};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};
use tracing::{Instrument, Span, field::Empty};
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
    let outcome = statement.instrument(span.clone()).await;
    if let Err(cause) = &outcome
        && !span.is_disabled()
    {
        span.record("otel.status_code", "ERROR");
        span.record("db.response.status_code", failure::code(cause).as_deref());
        span.record("error.type", &*failure::class(cause));
    }
    outcome
}

fn system(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "sqlite",
        _ => "postgresql",
    }
}
