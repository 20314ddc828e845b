//! What a failed statement means for the one who asked.

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
    let Some(sqlx::Error::Database(cause)) = sqlx_error(error) else {
        return false;
    };
    matches!(
        cause.code().as_deref(),
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

/// Query canceled by the statement time-out · read-only transaction · invalid authorization (a password being rotated).
const POSTGRES_UNAVAILABLE: [&str; 4] = ["57014", "25006", "28000", "28P01"];

/// `SQLITE_BUSY`, `_LOCKED`, `_READONLY`, `_IOERR`, `_FULL`, `_CANTOPEN`.
const SQLITE_UNAVAILABLE: [u32; 6] = [5, 6, 8, 10, 13, 14];

/// An extended result code carries the primary one in its low byte.
fn sqlite_primary_code(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xFF)
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}
