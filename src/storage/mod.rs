//! The database: how it is reached, its tables, and every statement that is run on it.

pub(crate) mod account;
mod connect;
pub(crate) mod connection;
mod database;
pub mod entity;
pub(crate) mod failure;
mod kept;
pub(crate) mod notifications;
pub(crate) mod organization;
pub(crate) mod page_sync;
pub(crate) mod personal_page;
pub(crate) mod preference;
mod traced;
pub(crate) mod unavailable;

pub use connect::{Pool, connect};
pub(crate) use connect::{PoolState, again_if_lost, current_time, is_read_only, pool_state};
pub use database::Database;
pub(crate) use kept::Told;
pub(crate) use traced::commit;

use chrono::NaiveDateTime;
use sea_orm::{DbBackend, Value};

/// A moment as a value of a statement.
fn time(backend: DbBackend, at: NaiveDateTime) -> Value {
    match backend {
        DbBackend::Sqlite => sqlite_time(at).into(),
        _ => at.into(),
    }
}

/// SQLite compares text; with all three decimals it orders as the times do.
fn sqlite_time(at: NaiveDateTime) -> String {
    at.format("%F %T%.3f").to_string()
}
