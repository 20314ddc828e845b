//! What the server promises, asked for over HTTP as its clients do.

mod clients;
mod config;
mod documents;
mod faces;
mod federation;
mod graphiql;
mod graphql;
mod health;
mod http;
mod image;
mod isolation;
mod layers;
mod link;
mod linkedin;
mod metrics;
mod migrations;
mod persisted;
