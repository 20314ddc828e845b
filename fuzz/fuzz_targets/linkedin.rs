//! Whatever LinkedIn answers: every operation ends, tells no secret, asks for nothing that LinkedIn did not name, and
//! lists each page once.
//!
//! An input's first line says what is asked, and every further one is an answer: its status, and its body.
#![no_main]

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use libfuzzer_sys::fuzz_target;
use linkedin_targets::linkedin::{Client, Error, Listing, Logo};
use linkedin_targets_fuzz::{linkedin, listen};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::{Builder, Runtime};

const TOKEN: &str = "s3cr3t-t0k3n";

/// What is to be answered, the last one first, and the queries that came.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<(Vec<(StatusCode, String)>, Vec<String>)>>);

struct LinkedIn {
    runtime: Runtime,
    client: Client,
    script: Script,
}

thread_local! {
    static LINKEDIN: RefCell<Option<LinkedIn>> = const { RefCell::new(None) };
}

fuzz_target!(|text: &str| LINKEDIN.with_borrow_mut(|linkedin| {
    let linkedin = linkedin.get_or_insert_with(LinkedIn::start);
    let mut lines = text.split('\n');
    let what = lines.next().unwrap_or_default();
    let mut answers: Vec<_> = lines.take(20).map(answer).collect();
    answers.reverse();
    *linkedin.script.0.lock().unwrap() = (answers, Vec::new());
    let LinkedIn {
        runtime,
        client,
        script,
    } = linkedin;
    let token = SecretString::from(TOKEN);
    let failed = runtime.block_on(async {
        match what {
            "redeem" => match client.redeem("a code").await {
                Ok((grant, member)) => {
                    assert!(!grant.access_token.expose_secret().is_empty());
                    assert!(!member.sub.is_empty());
                    None
                }
                Err(error) => Some(error),
            },
            "refresh" => client.refresh(&token).await.err(),
            "member" => client.member(&token, false).await.err(),
            _ => match client.administered_pages(&token, false).await {
                Ok(listing) => {
                    assert_sound(&listing, text);
                    None
                }
                Err(error) => Some(error),
            },
        }
    });
    if let Some(error) = failed {
        assert_discreet(&error, text);
    }
    for query in &script.0.lock().unwrap().1 {
        assert_answerable(query);
    }
}));

impl LinkedIn {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let script = Script::default();
        let routes = Router::new().fallback(play).with_state(script.clone());
        let address = runtime.block_on(listen(routes));
        let url = format!("http://{address}").parse().unwrap();
        let client = Client::new(linkedin(url)).unwrap();
        Self {
            runtime,
            client,
            script,
        }
    }
}

async fn play(State(Script(script)): State<Script>, request: Request) -> Response {
    let mut script = script.lock().unwrap();
    script.1.extend(request.uri().query().map(str::to_owned));
    match script.0.pop() {
        // Far too long to be waited for.
        Some((status, body)) => (status, [(RETRY_AFTER, "60")], body).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(line: &str) -> (StatusCode, String) {
    let (status, body) = line.split_once(' ').unwrap_or(("200", line));
    let status = status
        .parse()
        .ok()
        .filter(|status| (200..=599).contains(status));
    let status = StatusCode::from_u16(status.unwrap_or(200)).unwrap();
    (status, body.to_owned())
}

fn assert_sound(listing: &Listing, text: &str) {
    let posted = listing.pages.iter().map(|page| &page.number);
    let skipped = listing.skipped.iter().map(|page| &page.number);
    let numbers: Vec<_> = posted.clone().chain(skipped.clone()).collect();
    assert_eq!(
        numbers.len(),
        numbers.iter().collect::<BTreeSet<_>>().len(),
        "each once"
    );
    assert!(in_order(posted) && in_order(skipped));
    for page in &listing.pages {
        if let Logo::Url(address) = &page.logo {
            assert!(address.starts_with("https://") || address.starts_with("http://"));
        }
    }
    // A name as LinkedIn wrote it, unless it is written in another way.
    if !text.contains('\\') {
        let names = listing.pages.iter().filter_map(|page| page.name.as_ref());
        names.for_each(|name| assert!(text.contains(name.as_str())));
    }
}

fn in_order<'a>(numbers: impl Iterator<Item = &'a String>) -> bool {
    numbers
        .map(|number| number.parse::<u64>().unwrap())
        .is_sorted()
}

fn assert_discreet(error: &Error, text: &str) {
    let mut told = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        told += &next.to_string();
        cause = next.source();
    }
    assert!(text.contains(TOKEN) || !told.contains(TOKEN), "{told}");
}

/// What is asked of Rest.li is a list that LinkedIn's own parser reads.
fn assert_answerable(query: &str) {
    assert!(query.is_ascii());
    let Some(list) = query.strip_prefix("ids=List(") else {
        assert!(
            query.starts_with("q=roleAssignee&state=APPROVED&start="),
            "{query}"
        );
        return;
    };
    let list = list.strip_suffix(')').unwrap();
    let ids: Vec<_> = list.split(',').collect();
    assert!(query.len() <= 4_096 || ids.len() == 1);
    for id in ids {
        assert!(
            id.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'%'),
            "{id}"
        );
        let id = percent_decode_str(id).decode_utf8().unwrap();
        assert!(
            id.parse::<u64>().is_ok() || id.starts_with("urn:li:image:"),
            "{id}"
        );
    }
}
