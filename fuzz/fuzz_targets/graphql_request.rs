//! A request means the same by GET and by POST, whoever sends it, and there is none that the server fails at.
#![no_main]

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use libfuzzer_sys::fuzz_target;
use linkedin_targets_fuzz::Server;
use serde_json::{Map, Value};
use url::form_urlencoded;

const ACCEPT: &str = "application/graphql-response+json";

fuzz_target!(|query: &str| {
    // Other letters do not stand in an address, and are refused before anything is read.
    if !query.bytes().all(|byte| byte.is_ascii_graphic()) {
        return;
    }
    let uri = format!("/graphql?{query}");
    let request = Request::builder().method(Method::GET).uri(&uri);
    let Ok(request) = request.header(header::ACCEPT, ACCEPT).body(Body::empty()) else {
        return;
    };
    // Without its fragment.
    let query = request.uri().query().unwrap_or_default();
    let by_post = body(query).map(|body| {
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        request
            .header(header::ACCEPT, ACCEPT)
            .body(body.into())
            .unwrap()
    });

    let got = ask(request);
    if let Some(request) = by_post
        && got.0 != StatusCode::METHOD_NOT_ALLOWED
    {
        assert_eq!(ask(request), got);
    }
});

fn ask(mut request: Request<Body>) -> (StatusCode, Value) {
    Server::with(|server| {
        request
            .headers_mut()
            .insert(header::COOKIE, server.cookie.parse().unwrap());
        let answer = server.answer(request);
        let status = answer.status();
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        let errors = body["errors"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        for error in errors {
            let code = error["extensions"]["code"].as_str().unwrap();
            assert!(
                !["INTERNAL_SERVER_ERROR", "TIMEOUT", "UNAVAILABLE"].contains(&code),
                "{error}"
            );
        }
        match status {
            StatusCode::OK => assert!(body.get("data").is_some()),
            _ => assert!(
                status.is_client_error() && !errors.is_empty(),
                "{status} {body}"
            ),
        }
        (status, body)
    })
}

/// The parameters as JSON, when they are fit to be.
fn body(query: &str) -> Option<String> {
    let mut body = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = match &*name {
            _ if value.is_empty() => continue,
            "query" | "documentId" | "operationName" => value.into(),
            "variables" | "extensions" => serde_json::from_str(&value).ok()?,
            _ => continue,
        };
        if body.insert(name.into_owned(), value).is_some() {
            return None;
        }
    }
    Some(Value::Object(body).to_string())
}
