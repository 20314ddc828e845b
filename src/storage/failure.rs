//! What a failed statement means for the one who asked.

use std::borrow::Cow;

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// Whether the database could not be used now, although nothing is wrong with the statement: unreachable, starting,
/// stopping, out of connections, too slow, read-only after a failover, or locked by another process.
pub(crate) fn is_unavailable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    match sqlx_error(error) {
        Some(sqlx::Error::Database(cause)) => {
            let code = cause.code().unwrap_or_default();
            match cause.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                Some(_) => sqlite_primary_code(&code)
                    .is_some_and(|code| SQLITE_UNAVAILABLE.contains(&code)),
                None => {
                    POSTGRES_UNAVAILABLE.contains(&&*code)
                        || code.starts_with("08")
                        || code.starts_with("53")
                        || code.starts_with("57P")
                }
            }
        }
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed,
        ) => true,
        _ => false,
    }
}

/// Whether the connection broke, or the database closed it, before the statement was answered.
pub(crate) fn is_lost_connection(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Io(_)) => true,
        _ => code(error).is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
    }
}

/// Whether a statement may have failed for one of the rows that it read, so that without that row it would succeed.
pub(crate) fn may_be_of_one_row(error: &DbErr) -> bool {
    !is_unavailable(error) || code(error).is_some_and(|code| code == STATEMENT_TIMEOUT)
}

/// Whether the same transaction, begun again, may well succeed: another one was in its way.
pub(crate) fn is_conflict(error: &DbErr) -> bool {
    if matches!(
        error.sql_err(),
        Some(SqlErr::UniqueConstraintViolation(_) | SqlErr::ForeignKeyConstraintViolation(_))
    ) {
        return true;
    }
    is_contention(error)
}

/// Whether the database gave up the transaction for the sake of others: it could not be serialized, or was part of a
/// deadlock.
pub(crate) fn is_contention(error: &DbErr) -> bool {
    matches!(
        code(error).as_deref(),
        Some(SERIALIZATION_FAILURE | DEADLOCK | LOCK_NOT_AVAILABLE)
    )
}

/// Whether a row that the statement's rows belong to is gone.
pub(crate) fn is_missing_owner(error: &DbErr) -> bool {
    matches!(
        error.sql_err(),
        Some(SqlErr::ForeignKeyConstraintViolation(_))
    )
}

const SERIALIZATION_FAILURE: &str = "40001";
const DEADLOCK: &str = "40P01";
const LOCK_NOT_AVAILABLE: &str = "55P03";
const STATEMENT_TIMEOUT: &str = "57014";

/// Read-only transaction · invalid authorization (a password being rotated).
const POSTGRES_UNAVAILABLE: [&str; 4] = [STATEMENT_TIMEOUT, "25006", "28000", "28P01"];

/// `SQLITE_BUSY`, `_LOCKED`, `_READONLY`, `_IOERR`, `_FULL`, `_CANTOPEN`.
const SQLITE_UNAVAILABLE: [u32; 6] = [5, 6, 8, 10, 13, 14];

/// An extended result code carries the primary one in its low byte.
fn sqlite_primary_code(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xFF)
}

/// What kind of failure it is, in a word: the database's own code where it gave one.
pub(super) fn class(error: &DbErr) -> Cow<'_, str> {
    code(error).unwrap_or_else(|| {
        let class = match (error, sqlx_error(error)) {
            (DbErr::ConnectionAcquire(_), _) => "no_connection",
            (_, Some(sqlx::Error::Io(_))) => "connection_lost",
            _ => "_OTHER",
        };
        class.into()
    })
}

/// The code by which the database itself told of the failure: a `SQLSTATE`, or SQLite's extended result code.
pub(super) fn code(error: &DbErr) -> Option<Cow<'_, str>> {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(cause)) => cause.code(),
        _ => None,
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}
