//! JSON as `JSON.parse` reads it, which is what InterlinedList's clients and database rows were written against:
//! the last of repeated keys counts, and numbers, depth and lone surrogates never fail.

use std::collections::HashMap;

use serde_bytes::{ByteBuf, Bytes};
use serde_json::value::RawValue;

/// The members of an object.
pub(crate) struct Object<'a>(HashMap<ByteBuf, &'a RawValue>);

impl<'a> Object<'a> {
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.get(Bytes::new(key.as_bytes())).copied()
    }
}

/// One JSON value with nothing but whitespace around it.
pub(crate) fn document(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

pub(crate) fn object(value: &RawValue) -> Option<Object<'_>> {
    serde_json::from_str(value.get()).ok().map(Object)
}

pub(crate) fn array(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// A string; what is not Unicode in it (a lone surrogate) becomes U+FFFD.
pub(crate) fn string(value: &RawValue) -> Option<String> {
    if !value.get().starts_with('"') {
        return None;
    }
    let bytes: ByteBuf = serde_json::from_str(value.get()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A number as JavaScript's own type: too large becomes infinite.
pub(crate) fn number(value: &RawValue) -> Option<f64> {
    let first = value.get().bytes().next()?;
    if first == b'-' || first.is_ascii_digit() {
        value.get().parse().ok()
    } else {
        None
    }
}

/// Whether JavaScript takes the value for true.
pub(crate) fn is_truthy(value: &RawValue) -> bool {
    match value.get() {
        "null" | "false" | "\"\"" => false,
        _ => number(value) != Some(0.0),
    }
}
