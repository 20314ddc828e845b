//! Requests around documents: bodies, addresses and headers.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Attack, Way, numbered};

const UNFIT: &str = "400 BAD_USER_INPUT";
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;
const SAVE: &str = "mutation{setLinkedInPostingPreferences(input:{targets:[]}){__typename}}";

pub(super) fn attacks(round: usize) -> Vec<Attack> {
    let as_type = |name: &'static str, content_type: &str, body: &str| {
        let headers = [("content-type", content_type)];
        Attack::by(Method::POST, name, &headers, body, "415 BAD_USER_INPUT")
    };
    let with = |name: &'static str, header: &'static str, value: &str, answer: &'static str| {
        Attack::by(Method::POST, name, &[(header, value)], TYPENAME, answer)
    };
    let save = json!({ "query": SAVE }).to_string();
    let hash = |number: usize| format!("{:064x}", round * 1_000 + number);
    let persisted = |hash: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let by_hash = |number| json!({ "extensions": persisted(&hash(number)) });
    vec![
        Attack::body(
            "a batch",
            format!("[{}]", [TYPENAME; 2_000].join(",")),
            UNFIT,
        ),
        Attack::body("lists of JSON inside each other", "[".repeat(60_000), UNFIT),
        Attack::body(
            "objects of JSON inside each other",
            format!(
                r#"{{"query":"{{a}}","variables":{}"#,
                r#"{"a":"#.repeat(12_000)
            ),
            UNFIT,
        ),
        Attack::body(
            "a key of the body, over and over",
            format!(
                "{{{}\"query\":\"{{__typename}}\"}}",
                r#""query":"{a}","#.repeat(4_000)
            ),
            "200",
        ),
        Attack::body(
            "keys that are nobody's business",
            format!(
                "{{{}\"query\":\"{{__typename}}\"}}",
                numbered(4_000, |number| format!(r#""k{number}":1,"#))
            ),
            "200",
        ),
        Attack::body("a body of blanks", " ".repeat(65_000), UNFIT),
        Attack::body("a body of null characters", vec![0; 65_000], UNFIT),
        Attack::body("a body that is no text", vec![0xFF; 65_000], UNFIT),
        Attack::body("a number of many digits", "9".repeat(65_000), UNFIT),
        Attack::body(
            "a string of escapes in JSON",
            format!("\"{}\"", "\\u0041".repeat(10_000)),
            UNFIT,
        ),
        Attack::body(
            "half a character in JSON",
            format!("\"{}\"", "\\uD800".repeat(10_000)),
            UNFIT,
        ),
        Attack::body(
            "a body of a megabyte",
            vec![b' '; 1024 * 1024],
            "413 BAD_USER_INPUT or gone",
        ),
        as_type(
            "a form of another site",
            "application/x-www-form-urlencoded",
            "query=%7B__typename%7D",
        ),
        as_type(
            "a form with files",
            "multipart/form-data; boundary=x",
            "--x--",
        ),
        as_type("text that is JSON", "text/plain", TYPENAME),
        as_type(
            "GraphQL that is no JSON",
            "application/graphql",
            "{__typename}",
        ),
        as_type(
            "a media type of many parameters",
            &format!("application/json{}", ";a=b".repeat(10_000)),
            TYPENAME,
        )
        .answered("200"),
        Attack::by(
            Method::POST,
            "a page of another site",
            &[("sec-fetch-site", "cross-site")],
            save.as_str(),
            "403 FORBIDDEN",
        ),
        with(
            "media types to accept",
            "accept",
            &"a/b;q=0.1,".repeat(6_000),
            "406 BAD_USER_INPUT",
        ),
        with(
            "sessions",
            "cookie",
            &numbered(4_000, |number| format!("session={number};")),
            "200",
        ),
        with(
            "a long token",
            "authorization",
            &format!("Bearer {}", "a".repeat(60_000)),
            "200",
        ),
        Attack::address(
            "a mutation by GET",
            &[("query", SAVE)],
            "405 METHOD_NOT_ALLOWED",
        ),
        Attack::address(
            "a long address",
            &[("query", &"a ".repeat(25_000))],
            "400 QUERY_TOO_COMPLEX",
        ),
        Attack::address(
            "a parameter over and over",
            &[("variables", "{}"); 3_000],
            UNFIT,
        ),
        Attack::address(
            "parameters that are nobody's business",
            &[("a", "b"); 12_000],
            UNFIT,
        ),
        Attack::address(
            "values inside each other by GET",
            &[
                ("query", "{__typename}"),
                ("variables", &r#"{"a":"#.repeat(2_000)),
            ],
            UNFIT,
        ),
        Attack {
            name: "hashes of documents that nobody sent",
            way: Way::Flood((0..100).map(by_hash).collect()),
            answer: "400 PERSISTED_QUERY_NOT_FOUND",
        },
        Attack {
            name: "documents to keep",
            way: Way::Flood(
                (0..100)
                    .map(|number| document_to_keep(round, number))
                    .collect(),
            ),
            answer: "200",
        },
        Attack::json(
            "a long hash",
            &json!({ "extensions": persisted(&"0".repeat(60_000)) }),
            "400 PERSISTED_QUERY_NOT_FOUND",
        ),
        Attack::json(
            "the hash of another document",
            &json!({ "query": " ".repeat(60_000), "extensions": persisted(&hash(0)) }),
            UNFIT,
        ),
    ]
}

/// As long as it may be, and nothing like the others.
fn document_to_keep(round: usize, number: usize) -> Value {
    let names = "name ".repeat(900);
    let padding = " ".repeat(11_000);
    let query = format!("query R{round}N{number}{{__schema{{queryType{{{names}}}}}}}{padding}");
    json!({ "query": query })
}

impl Attack {
    fn answered(self, answer: &'static str) -> Self {
        Self { answer, ..self }
    }
}
