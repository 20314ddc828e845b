//! JSON as `JSON.parse` reads it, which is what InterlinedList's clients and database rows were written against:
//! the last of repeated keys counts, and numbers, depth and lone surrogates never fail.

use std::{
    borrow::{Borrow, Cow},
    collections::HashMap,
};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The members of an object.
pub(crate) struct Object<'a>(HashMap<Text<'a>, &'a RawValue>);

/// What is between quotation marks, which may not be Unicode.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Text<'a>(#[serde(borrow, with = "serde_bytes")] Cow<'a, [u8]>);

impl Borrow<[u8]> for Text<'_> {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl<'a> Object<'a> {
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.get(key.as_bytes()).copied()
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
    let Text(bytes) = serde_json::from_str(value.get()).ok()?;
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
