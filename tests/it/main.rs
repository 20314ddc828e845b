//! What the server promises, asked for over HTTP as its clients do.

mod migrations;
mod support;
mod targets;
