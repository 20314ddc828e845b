//! The rules: who can post where, and what they prefer. No GraphQL, no HTTP, no SQL.

pub(crate) mod account;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod health;
pub(crate) mod link;
pub(crate) mod organization;
pub(crate) mod preference;
pub(crate) mod renewal;
mod single_flight;
pub(crate) mod sync;
pub(crate) mod target;
