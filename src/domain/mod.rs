//! The rules: who can post where, and what they prefer. No GraphQL, no HTTP, no SQL.

pub(crate) mod account;
mod connection;
pub(crate) mod error;
pub(crate) mod organization;
pub(crate) mod preference;
pub(crate) mod target;
