//! A session comes from a cookie of the right name, in whatever company, and a token keeps other sites out.
#![no_main]

use arbitrary::Arbitrary;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, COOKIE, HOST, ORIGIN},
};
use libfuzzer_sys::fuzz_target;
use linkedin_targets::fuzzing::{credentials, is_cross_site};
use linkedin_targets_fuzz::settings;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    cookies: Vec<&'a [u8]>,
    authorization: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    is_marked: bool,
    id: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    let settings = settings();
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value: &[u8]| {
        HeaderValue::from_bytes(value).is_ok_and(|value| headers.append(name, value))
    };
    for cookie in &input.cookies {
        add(COOKIE, cookie);
    }
    for (name, value) in [
        (AUTHORIZATION, input.authorization),
        (HOST, input.host),
        (ORIGIN, input.origin),
    ] {
        value.map(|value| add(name, value));
    }
    if input.is_marked {
        add(HeaderName::from_static("sec-fetch-site"), b"cross-site");
    }

    let found = credentials(&headers, &settings);
    for id in &found.session_ids {
        assert!(
            !id.is_empty() && id.trim() == id && !id.contains(','),
            "{id:?}"
        );
    }
    let crosses = is_cross_site(&headers, &settings);
    match &found.token_hash {
        Some(hash) => {
            assert!(hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()));
            assert!(!crosses, "no page makes a browser send a token");
        }
        None => assert!(crosses || !input.is_marked),
    }

    // The last cookie of a name counts, as a page wrote it with encodeURIComponent.
    let cookie = format!(
        "session={}",
        utf8_percent_encode(input.id, NON_ALPHANUMERIC)
    );
    headers.append(COOKIE, cookie.parse().unwrap());
    let own: Vec<_> = input
        .id
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .collect();
    let found = credentials(&headers, &settings).session_ids;
    assert_eq!(found.get(..own.len()).unwrap_or_default(), own);
});
