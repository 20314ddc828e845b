//! Every answer of the REST face that a test sees must be one that its description knows.

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::Validator;
use reqwest::{
    Method,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use super::app::Reply;

/// The REST face as the server describes it.
pub(crate) static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let text = linkedin_targets::openapi(&["session".to_owned()]);
    serde_json::from_str(&text).unwrap()
});

/// What checks a value against each schema of the description.
static SCHEMAS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let components = &DESCRIPTION["components"];
    let validator = |name: &String| {
        let reference = format!("#/components/schemas/{name}");
        let schema = json!({ "$ref": reference, "components": components });
        let options = jsonschema::options().should_validate_formats(true);
        (reference, options.build(&schema).unwrap())
    };
    let names = components["schemas"].as_object().unwrap().keys();
    names.map(validator).collect()
});

/// Panics when the answer is none that the description allows.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    // A browser's question before a request to another site, which no operation answers.
    let is_rest = path.starts_with("/api/") && method != Method::OPTIONS;
    if is_rest && let Err(difference) = compare(method, path, reply) {
        panic!(
            "{method} {path} has an answer that openapi.json does not describe: {difference}\n{reply:?}"
        );
    }
}

fn compare(method: &Method, path: &str, reply: &Reply) -> Result<(), String> {
    let described = described(method, path, reply.status.as_u16())?;
    for (name, _) in entries(&described["headers"]) {
        reply.header(name).ok_or(format!("no {name}"))?;
    }
    let media_type = reply.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    if described["content"].is_null() || method == Method::HEAD {
        return is(reply.text.is_empty(), "a body");
    }
    let content = &described["content"][media_type];
    is(content.is_object(), "another content type")?;
    if media_type != "application/json" {
        return Ok(());
    }
    let body = reply.json();
    let schema = &SCHEMAS[content["schema"]["$ref"].as_str().unwrap()];
    schema.validate(&body).map_err(|error| error.to_string())?;
    let mut examples = entries(&content["examples"]).map(|(_, example)| &example["value"]);
    is(
        content["examples"].is_null() || examples.any(|example| *example == body),
        "a sentence that is not among the examples",
    )
}

/// The response object for an answer with this status.
fn described(method: &Method, path: &str, status: u16) -> Result<&'static Value, String> {
    let item = &DESCRIPTION["paths"][path];
    let method = match *method {
        Method::HEAD => "get".to_owned(),
        _ => method.as_str().to_lowercase(),
    };
    let elsewhere = &DESCRIPTION["components"]["responses"];
    let response = match (item, &item[method], status) {
        (Value::Null, _, 308) => &elsewhere["PermanentRedirect"],
        (Value::Null, _, 404) => &elsewhere["NotFound"],
        (_, Value::Null, 405) => &elsewhere["MethodNotAllowed"],
        (_, operation, status) => &operation["responses"][status.to_string()],
    };
    let response = match response["$ref"].as_str() {
        Some(reference) => DESCRIPTION.pointer(&reference[1..]).unwrap(),
        None => response,
    };
    is(response.is_object(), "no such status").map(|()| response)
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn is(as_described: bool, difference: &str) -> Result<(), String> {
    if as_described {
        Ok(())
    } else {
        Err(difference.to_owned())
    }
}

#[test]
fn what_is_not_described_is_noticed() {
    let reply = |status: u16, text: &str| Reply {
        status: status.try_into().unwrap(),
        headers: HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                HeaderName::from_static("x-request-id"),
                HeaderValue::from_static("1"),
            ),
        ]),
        text: text.to_owned(),
    };
    let differs = |path: &str, reply| compare(&Method::GET, path, &reply).is_err();
    let targets = "/api/linkedin/targets";
    let target = r#"{"kind":"personal","label":"Ada","avatarUrl":null}"#;
    let targets_with = |target: &str| reply(200, &format!(r#"{{"targets":[{target}]}}"#));

    assert!(!differs(targets, targets_with(target)));
    assert!(!differs(targets, reply(401, r#"{"error":"Unauthorized"}"#)));
    assert!(differs(targets, reply(418, "{}")));
    assert!(differs(targets, reply(401, r#"{"error":"unauthorized"}"#)));
    assert!(differs(
        targets,
        reply(503, r#"{"error":"Service unavailable"}"#)
    ));
    assert!(differs(
        targets,
        targets_with(&target.replace("personal", "page"))
    ));
    assert!(differs(
        targets,
        targets_with(&target.replace(r#","avatarUrl":null"#, ""))
    ));
    assert!(differs(targets, targets_with(&target.replace("null", "1"))));
    assert!(differs("/api/other", targets_with(target)));
}
