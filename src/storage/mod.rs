//! The database: how it is reached, its tables, and every statement that is run on it.

pub(crate) mod account;
mod connect;
pub(crate) mod connection;
pub mod entity;
pub(crate) mod failure;
pub(crate) mod notifications;
pub(crate) mod organization;
pub(crate) mod page_sync;
pub(crate) mod personal_page;
pub(crate) mod preference;
pub(crate) mod unavailable;

pub(crate) use connect::begin_write;
pub use connect::{Pool, connect};
pub(crate) use connect::{PoolState, current_time, is_read_only, pool_state};

use chrono::NaiveDateTime;
use sea_orm::{DbBackend, Value};

/// A moment as a value of a statement.
///
/// SQLite compares text; with all three decimals it orders as the times do.
fn time(backend: DbBackend, at: NaiveDateTime) -> Value {
    match backend {
        DbBackend::Sqlite => at.format("%F %T%.3f").to_string().into(),
        _ => at.into(),
    }
}
