//! Lenient JSON is JSON: what a strict parser reads is read alike, however deep it stands.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linkedin_targets::fuzzing::{connection, json};
use serde_json::{Value, value::RawValue};

fuzz_target!(|text: &str| {
    let document = json::document(text);
    let depth = 200;
    let deep = format!(" {}{text}{}\n", "[".repeat(depth), "]".repeat(depth));
    let is_blank = text.trim_matches([' ', '\t', '\n', '\r']).is_empty();
    if !is_blank && !text.contains(',') {
        assert_eq!(document.is_some(), json::document(&deep).is_some());
    }
    let strict: Option<Value> = serde_json::from_str(text).ok();
    match (document, &strict) {
        (Some(document), Some(strict)) => compare(document, strict),
        (None, Some(_)) => panic!("only a strict parser reads it"),
        _ => {}
    }

    let now = "2026-06-12T00:00:00".parse().unwrap();
    let (works, ends) = connection(text, now);
    if works && let Some(ends) = ends {
        assert!(ends > now);
    }
});

/// serde_json's own mark of a value that it keeps as text.
const RAW: &str = "$serde_json::private::RawValue";

fn compare(lenient: &RawValue, strict: &Value) {
    assert_eq!(json::string(lenient).as_deref(), strict.as_str());
    assert_eq!(
        json::array(lenient).map(|items| items.len()),
        strict.as_array().map(Vec::len)
    );
    let number = strict.as_number().and_then(serde_json::Number::as_f64);
    match (json::number(lenient), number) {
        // serde_json rounds a little off where there are many digits.
        (Some(exact), Some(near)) => assert!((exact - near).abs() <= exact.abs() * 1e-15),
        (exact, none) => assert_eq!(exact, none),
    }
    let is_truthy = match strict {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(_) => number != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    };
    assert_eq!(json::is_truthy(lenient), is_truthy);
    match strict {
        Value::Array(items) => {
            let lenient = json::array(lenient).unwrap();
            lenient
                .into_iter()
                .zip(items)
                .for_each(|(lenient, item)| compare(lenient, item));
        }
        Value::Object(members) => {
            for (key, member) in members.iter().filter(|(key, _)| *key != RAW) {
                compare(json::member(lenient, key).unwrap().unwrap(), member);
            }
        }
        _ => assert!(json::member(lenient, "").is_none()),
    }
}
