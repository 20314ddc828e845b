//! The rules: who can post where, and what they prefer. No GraphQL, no HTTP, no SQL.

pub(crate) mod account;
pub(crate) mod connection;
pub(crate) mod error;
mod granted;
pub(crate) mod health;
pub(crate) mod link;
pub(crate) mod listeners;
pub(crate) mod organization;
pub(crate) mod preference;
pub(crate) mod ready;
mod single_flight;
pub(crate) mod sync;
pub(crate) mod target;
pub(crate) mod watch;
