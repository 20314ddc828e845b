//! Documents that are asked for by a name instead of being sent.

mod automatic;
mod trusted;

use reqwest::{
    Method, RequestBuilder,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::support::app::{Reply, TestApp};

const NEWER: &str = "application/graphql-response+json";
const OLDER: &str = "application/json";

/// The SHA-256 of a document, as clients send it.
fn hash(document: &str) -> String {
    hex::encode(Sha256::digest(document))
}

fn extensions(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

fn post(app: &TestApp, accept: &str, body: &Value) -> RequestBuilder {
    app.request(Method::POST, "/graphql")
        .header(ACCEPT, accept)
        .header(CONTENT_TYPE, OLDER)
        .body(body.to_string())
}

fn get(app: &TestApp, parameters: &[(&str, &str)]) -> RequestBuilder {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    app.request(Method::GET, &format!("/graphql?{}", query.finish()))
}

/// What a request that was not executed is answered with.
fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.codes(), [code], "{}", reply.text);
    assert!(reply.json().get("data").is_none(), "{}", reply.text);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}
