use serde_json::{Value, json, value::RawValue};

use crate::lenient_json as lenient;

pub(super) const NOT_JSON: &str = "Invalid JSON body";
const NO_LIST: &str = "targets must be an array";
const BAD_ENTRY: &str = "Invalid targets";

/// The `targets` of a body as a list of `LinkedInTargetInput`, or the sentence that says what is wrong with it.
///
/// What existing clients send counts, so it is read as the web application reads it: whatever is not UTF-8 becomes
/// U+FFFD, a byte order mark is skipped, and unknown keys are ignored.
pub(super) fn targets(body: &[u8]) -> Result<Vec<Value>, &'static str> {
    let text = String::from_utf8_lossy(body);
    let document =
        lenient::document(text.strip_prefix('\u{feff}').unwrap_or(&text)).ok_or(NOT_JSON)?;
    let list = lenient::object(document)
        .and_then(|body| body.get("targets"))
        .and_then(lenient::array);
    list.ok_or(NO_LIST)?
        .into_iter()
        .map(|entry| target(entry).ok_or(BAD_ENTRY))
        .collect()
}

fn target(entry: &RawValue) -> Option<Value> {
    let entry = lenient::object(entry)?;
    let text = |key| entry.get(key).and_then(lenient::string);
    let id = |key| text(key).filter(|id| !id.is_empty());
    match text("kind")?.as_str() {
        "personal" => Some(json!({ "personal": "VIEWER" })),
        "orgPage" => Some(json!({ "orgPageId": id("pageId")? })),
        "personalPage" => Some(json!({ "personalPageId": id("personalPageId")? })),
        _ => None,
    }
}
