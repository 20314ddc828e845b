//! LinkedIn targets and posting preferences of InterlinedList users.
//!
//! Read top down, the way a request goes: [`server`] routes it to a face (`graphql`, or `rest`, which forwards to
//! `graphql`; `auth` says who asks), the face calls `domain`, where the rules are, and that reads and writes through
//! [`storage`]. Arrows never point up.

mod accept;
pub mod app;
mod auth;
mod clock;
pub mod config;
pub mod demo;
pub mod doctor;
mod domain;
#[cfg(fuzzing)]
pub mod fuzzing;
mod graphiql;
mod graphql;
mod lenient_json;
pub mod linkedin;
pub mod manifest;
pub mod metrics;
mod pages;
pub mod rate_limits;
mod rest;
pub mod seal;
pub mod server;
pub mod storage;
pub mod streams;
pub mod telemetry;
mod unambiguous;

pub use graphql::{federated_sdl, prepared_request, sdl};
pub use rest::openapi;
