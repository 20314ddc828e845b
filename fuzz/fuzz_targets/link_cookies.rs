//! The way back from LinkedIn is open to whoever went there, with the cookie and the state that they were given, and
//! to nobody else.
#![no_main]

use std::cell::OnceCell;

use arbitrary::Arbitrary;
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use libfuzzer_sys::fuzz_target;
use linkedin_targets_fuzz::Server;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    before: &'a [u8],
    cookie: Vec<(u16, u8)>,
    after: &'a [u8],
    state: Vec<(u16, u8)>,
}

#[derive(Clone)]
struct Attempt {
    cookie: String,
    state: String,
}

thread_local! {
    static ATTEMPT: OnceCell<Attempt> = const { OnceCell::new() };
}

fuzz_target!(|input: Input<'_>| {
    let attempt = ATTEMPT.with(|attempt| attempt.get_or_init(begin).clone());
    let cookie = edited(&attempt.cookie, &input.cookie);
    let state = edited(&attempt.state, &input.state);
    let is_alone = input.before.is_empty() && input.after.is_empty();
    let header = [input.before, b"; ", &cookie, b";", input.after].concat();
    let Ok(header) = HeaderValue::from_bytes(&header) else {
        return;
    };

    let is_let_in = come_back(&state, header.clone());
    let was_there = state == attempt.state.as_bytes() && cookie == attempt.cookie.as_bytes();
    if was_there && is_alone {
        assert!(is_let_in);
    }
    if is_let_in {
        // It may stand in what surrounds the edited one.
        let given = attempt.cookie.as_bytes();
        assert!(
            header
                .as_bytes()
                .windows(given.len())
                .any(|part| part == given)
        );
        assert_eq!(state, attempt.state.as_bytes());
    }
});

fn edited(text: &str, edits: &[(u16, u8)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (place, byte) in edits {
        let place = usize::from(*place) % bytes.len();
        bytes[place] = *byte;
    }
    bytes
}

fn begin() -> Attempt {
    let request = Request::get("/api/auth/linkedin/authorize?link=true");
    let answer = ask(request, None);
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    let (cookie, _) = cookie.split_once(';').unwrap();
    let address = address(&answer);
    let (_, state) = address
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap();
    Attempt {
        cookie: cookie.to_owned(),
        state: state.into_owned(),
    }
}

/// With an error of LinkedIn's, so that it is not asked; those who are let in hear that it was one.
fn come_back(state: &[u8], cookie: HeaderValue) -> bool {
    let state: String = percent_encoding::percent_encode(state, NON_ALPHANUMERIC).collect();
    let error = utf8_percent_encode("unauthorized_scope_error", NON_ALPHANUMERIC);
    let uri = format!("/api/auth/linkedin/callback?state={state}&error={error}");
    let answer = ask(Request::get(uri), Some(cookie));
    let address = address(&answer);
    let (_, sentence) = address
        .query_pairs()
        .find(|(name, _)| name == "error")
        .unwrap();
    match &*sentence {
        STALE => false,
        NOT_ALLOWED => true,
        other => panic!("{other}"),
    }
}

const STALE: &str =
    "This attempt to link LinkedIn is too old or was begun elsewhere. Please try again.";
const NOT_ALLOWED: &str = "LinkedIn does not let this application ask for all the permissions it needs. Its operator must act.";

fn ask(request: axum::http::request::Builder, cookie: Option<HeaderValue>) -> Response<Bytes> {
    Server::with(|server| {
        let mut request = request.body(Body::empty()).unwrap();
        let headers = request.headers_mut();
        headers.extend(cookie.map(|cookie| (header::COOKIE, cookie)));
        // Last, as the last of two counts.
        headers.append(header::COOKIE, server.cookie.parse().unwrap());
        server.answer(request)
    })
}

fn address(answer: &Response<Bytes>) -> Url {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}
