//! What the server promises, asked for over HTTP as its clients do.

mod config;
mod documents;
mod faces;
mod federation;
mod graphiql;
mod graphql;
mod health;
mod http;
mod image;
mod layers;
mod link;
mod linkedin;
mod migrations;
mod preferences;
mod rest;
mod schema;
mod schemathesis;
mod secrets;
mod server;
mod subscriptions;
mod support;
mod sync;
mod sync_crash;
mod sync_faults;
mod sync_together;
mod targets;
