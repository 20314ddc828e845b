//! Answers to the question for the list of roles that make no sense.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use reqwest::StatusCode;
use serde_json::json;
use stand_in_linkedin::Fault;

use super::{
    rows::{
        Row, UNAVAILABLE, answer, body, healthy, incomplete, json, list, right_list, role, role_of,
    },
    scene::Stage,
};

const OK: StatusCode = StatusCode::OK;

pub(super) fn rows(_: &Stage) -> Vec<Row> {
    [no_json(), encodings(), shapes(), lengths()]
        .into_iter()
        .flatten()
        .collect()
}

fn no_json() -> Vec<Row> {
    vec![
        list("no body", body(""), UNAVAILABLE),
        list("204", answer(StatusCode::NO_CONTENT, [], ""), UNAVAILABLE),
        list("blanks alone", body(" \n "), UNAVAILABLE),
        list("garbage", Fault::Garbage, UNAVAILABLE),
        list("a web page with 200", Fault::Html(OK), UNAVAILABLE),
        list(
            "JSON and more",
            body(format!("{} {{", right_list())),
            UNAVAILABLE,
        ),
        list(
            "not a number",
            body(r#"{"elements":[],"paging":{"start":NaN}}"#),
            UNAVAILABLE,
        ),
        list(
            "a number beyond all",
            body(r#"{"elements":[],"paging":{"start":1e999}}"#),
            UNAVAILABLE,
        ),
        list(
            "half the answer, as if it were all",
            body(r#"{"elements":[{"organiz"#),
            UNAVAILABLE,
        ),
        list(
            "no JSON type",
            answer(
                OK,
                [("content-type", "text/plain")],
                right_list().to_string(),
            ),
            healthy(),
        ),
    ]
}

fn encodings() -> Vec<Row> {
    let zipped = gzip(right_list().to_string().as_bytes());
    let bomb = [right_list().to_string().into_bytes(), vec![b' '; 64 << 20]].concat();
    let utf_16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = [br#"{"elements":[],"#.as_slice(), b"\"x\":\"\xfc\"}"].concat();
    vec![
        list(
            "bytes that are not UTF-8",
            body(b"\xff\xfe\xfa".as_slice()),
            UNAVAILABLE,
        ),
        list("text that is not UTF-8", body(latin), UNAVAILABLE),
        list("UTF-16", body(utf_16), UNAVAILABLE),
        list(
            "a byte order mark",
            body(format!("\u{feff}{}", right_list())),
            UNAVAILABLE,
        ),
        list(
            "half a surrogate",
            body(r#"{"elements":[{"organization":"\ud800"}]}"#),
            UNAVAILABLE,
        ),
        list(
            "gzip that was not asked for",
            answer(OK, [("content-encoding", "gzip")], zipped.clone()),
            UNAVAILABLE,
        ),
        list("gzip that is not said", body(zipped), UNAVAILABLE),
        list(
            "a gzip bomb",
            answer(OK, [("content-encoding", "gzip")], gzip(&bomb)),
            UNAVAILABLE,
        ),
        list(
            "an unknown encoding",
            answer(OK, [("content-encoding", "x-rot13")], "{ryrzragf:[]}"),
            UNAVAILABLE,
        ),
        list(
            "brotli that is none",
            answer(OK, [("content-encoding", "br")], right_list().to_string()),
            healthy(),
        ),
    ]
}

fn shapes() -> Vec<Row> {
    let mut known = right_list();
    known["future"] = json!({ "elements": [1] });
    known["paging"]["future"] = json!(null);
    known["elements"][0]["future"] = json!([]);
    let twice = format!(r#"{{"elements":[],{}"#, &right_list().to_string()[1..]);
    vec![
        list("wrong types", Fault::WrongTypes, UNAVAILABLE),
        list("null", json(json!(null)), UNAVAILABLE),
        list("a list", json(json!([right_list()])), UNAVAILABLE),
        list("a text", json(json!("down for maintenance")), UNAVAILABLE),
        list(
            "an error with 200",
            json(json!({ "status": 401, "code": "REVOKED_ACCESS_TOKEN" })),
            UNAVAILABLE,
        ),
        list(
            "no elements",
            json(json!({ "paging": { "start": 0, "count": 100, "links": [] } })),
            UNAVAILABLE,
        ),
        list(
            "elements that are null",
            json(json!({ "elements": null })),
            UNAVAILABLE,
        ),
        list(
            "an element that is null",
            json(json!({ "elements": [role(1), null] })),
            UNAVAILABLE,
        ),
        list(
            "an element without a page",
            json(
                json!({ "elements": [role(1), { "role": "ADMINISTRATOR", "state": "APPROVED" }] }),
            ),
            UNAVAILABLE,
        ),
        list(
            "an element without a role",
            json(
                json!({ "elements": [{ "organization": "urn:li:organization:1", "state": "APPROVED" }] }),
            ),
            UNAVAILABLE,
        ),
        list(
            "an element without a state",
            json(
                json!({ "elements": [{ "organization": "urn:li:organization:1", "role": "ADMINISTRATOR" }] }),
            ),
            UNAVAILABLE,
        ),
        list(
            "a person's URN",
            json(json!({ "elements": [role(1), role_of("urn:li:person:1")] })),
            UNAVAILABLE,
        ),
        list(
            "a URN without a number",
            json(json!({ "elements": [role_of("urn:li:organization:acme")] })),
            UNAVAILABLE,
        ),
        list(
            "a number beyond all URNs",
            json(json!({ "elements": [role_of("urn:li:organization:99999999999999999999")] })),
            UNAVAILABLE,
        ),
        list(
            "a place before the first",
            json(json!({ "elements": [], "paging": { "start": -1 } })),
            UNAVAILABLE,
        ),
        list("a key twice", body(twice), UNAVAILABLE),
        list("unknown keys", json(known), healthy()),
    ]
}

fn lengths() -> Vec<Row> {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep = format!(
        r#"{{"future":{},{}"#,
        nested(100_000),
        &right_list().to_string()[1..]
    );
    let long = format!("{}{}", right_list(), " ".repeat(2 << 20));
    let many = json!({ "elements": vec![role(1); 10_000] });
    vec![
        list("without end", Fault::Endless, UNAVAILABLE),
        list("two megabytes", body(long), UNAVAILABLE),
        list(
            "the same ten thousand times",
            json(many),
            incomplete(["Acme Corp", "Bakery"]),
        ),
        list("deep JSON", body(nested(100_000)), UNAVAILABLE),
        list(
            "deep JSON without an end",
            body("[".repeat(500_000)),
            UNAVAILABLE,
        ),
        list("deep JSON in an unknown key", body(deep), healthy()),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
