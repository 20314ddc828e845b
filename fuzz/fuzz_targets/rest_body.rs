//! A save's body means what a strict parser takes it for, where that reads it at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linkedin_targets::fuzzing::read_selection;
use serde_json::{Value, json};

fuzz_target!(|body: &[u8]| {
    let read = read_selection(body);
    if let Err(sentence) = read {
        let sentences = [
            "Invalid JSON body",
            "targets must be an array",
            "Invalid targets",
        ];
        assert!(sentences.contains(&sentence));
    }
    if let Ok(strict) = serde_json::from_slice(body)
        && !body.starts_with(b"\xef\xbb\xbf")
    {
        assert_eq!(read.clone().ok(), selected(&strict));
        assert_ne!(read, Err("Invalid JSON body"));

        let marked = [b"\xef\xbb\xbf \n", body, b"\t"].concat();
        assert_eq!(read_selection(&marked), read);
    }
});

fn selected(body: &Value) -> Option<Vec<Value>> {
    let targets = body.get("targets")?.as_array()?;
    let target = |target: &Value| {
        let id = |key| target.get(key)?.as_str().filter(|id| !id.is_empty());
        match target.get("kind")?.as_str()? {
            "personal" => Some(json!({ "personal": "VIEWER" })),
            "orgPage" => Some(json!({ "orgPageId": id("pageId")? })),
            "personalPage" => Some(json!({ "personalPageId": id("personalPageId")? })),
            _ => None,
        }
    };
    targets.iter().map(target).collect()
}
