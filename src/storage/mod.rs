//! The database: how it is reached, its tables, and every statement that is run on it.

pub(crate) mod account;
mod connect;
pub mod entity;
pub(crate) mod failure;
pub(crate) mod organization;
pub(crate) mod preference;

pub(crate) use connect::begin_write;
pub use connect::{Pool, connect};
