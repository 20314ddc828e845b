//! Apollo's automatic persisted queries: a document is sent once, and by its hash from then on.

use reqwest::header::ACCEPT;
use rstest::rstest;
use serde_json::{Value, json};

use super::{NEWER, OLDER, assert_refused, extensions, get, hash, post};
use crate::support::{
    app::{Ask, TestApp},
    database::Backend,
    events::Arriving,
    socket::Socket,
};

const TYPENAME: &str = "{ __typename }";
const TARGETS: &str = "{ linkedInTargets { __typename } }";

#[rstest]
#[tokio::test]
async fn a_document_that_was_sent_once_is_found_by_its_hash(#[values(NEWER, OLDER)] accept: &str) {
    let app = app().await;
    let extensions = extensions(&hash(TYPENAME));
    let alone = json!({ "extensions": extensions });
    let in_full = json!({ "query": TYPENAME, "extensions": extensions });

    let before = post(&app, accept, &alone).reply().await;
    let sent = post(&app, accept, &in_full).reply().await;
    let after = post(&app, accept, &alone).reply().await;

    let status = if accept == NEWER { 400 } else { 200 };
    assert_refused(&before, status, "PERSISTED_QUERY_NOT_FOUND");
    // Clients look for these very words.
    let message = &before.json()["errors"][0]["message"];
    assert_eq!(message, "PersistedQueryNotFound");
    for reply in [sent, after] {
        assert_eq!(reply.data(), json!({ "__typename": "Query" }));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn its_variables_and_its_operations_name_come_with_each_request() {
    let app = app().await;
    let document = "query A { __typename } query B($with: Boolean!) { b: __typename @include(if: $with) c: __typename }";
    let ask = |with: bool, query: Option<&str>| {
        let body = json!({
            "query": query, "operationName": "B", "variables": { "with": with },
            "extensions": extensions(&hash(document)),
        });
        post(&app, OLDER, &body).reply()
    };

    let sent = ask(true, Some(document)).await;
    let by_hash = ask(false, None).await;

    assert_eq!(sent.data(), json!({ "b": "Query", "c": "Query" }));
    assert_eq!(by_hash.data(), json!({ "c": "Query" }));
}

/// A browser's own cache may keep the answer of a GET, but nobody else's and not for somebody else.
#[tokio::test]
async fn a_get_by_hash_may_be_kept_by_the_visitors_browser() {
    let app = app().await;
    let ada = app.person("ada").await;
    let extensions = extensions(&hash(TARGETS)).to_string();
    let by_hash = [("extensions", extensions.as_str())];
    let in_full = [("query", TARGETS), ("extensions", extensions.as_str())];

    let before = get(&app, &by_hash).by(&ada).reply().await;
    let sent = get(&app, &in_full).by(&ada).reply().await;
    let after = get(&app, &by_hash).by(&ada).reply().await;
    let of_nobody = get(&app, &by_hash).reply().await;

    assert_refused(&before, 200, "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(sent.data(), json!({ "linkedInTargets": [] }));
    assert_eq!(sent.header("cache-control"), Some("no-store"));
    assert_eq!(after.data(), json!({ "linkedInTargets": [] }));
    assert_eq!(after.header("cache-control"), Some("private, no-cache"));
    let vary = "accept, cookie, authorization";
    assert_eq!(after.header("vary"), Some(vary));
    assert_eq!(of_nobody.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(of_nobody.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_mutation_is_not_run_by_get_though_only_its_hash_is_sent() {
    let app = app().await;
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    let disable_all =
        "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
    let extensions = extensions(&hash(disable_all));
    let in_full = json!({ "query": disable_all, "extensions": extensions });
    post(&app, OLDER, &in_full).reply().await;

    let extensions = extensions.to_string();
    let request = get(&app, &[("extensions", &extensions)]).by(&ada);
    let reply = request.reply().await;

    assert_refused(&reply, 405, "METHOD_NOT_ALLOWED");
    let preferences = "{ linkedInPostingPreferences { targets { enabled } } }";
    let preferences = app.gql(&ada, preferences).await.data();
    let untouched = json!({ "targets": [{ "enabled": true }] });
    assert_eq!(preferences["linkedInPostingPreferences"], untouched);
}

#[rstest]
#[case::another_document(json!({ "version": 1, "sha256Hash": hash("{ a }") }), "is not the SHA-256")]
#[case::no_hash_at_all(json!({ "version": 1, "sha256Hash": "x" }), "is not the SHA-256")]
#[case::a_version_to_come(json!({ "version": 2, "sha256Hash": hash(TYPENAME) }), "must be 1")]
#[case::a_version_in_words(json!({ "version": "1", "sha256Hash": hash(TYPENAME) }), "must be 1")]
#[case::no_version(json!({ "sha256Hash": hash(TYPENAME) }), "must have `version` 1")]
#[case::no_hash(json!({ "version": 1 }), "must have `version` 1 and a `sha256Hash`")]
#[case::a_number_as_hash(json!({ "version": 1, "sha256Hash": 1 }), "must have `version` 1")]
#[case::nothing(json!({}), "must have `version` 1")]
#[case::a_list(json!([]), "must have `version` 1")]
#[tokio::test]
async fn whoever_gets_the_protocol_wrong_is_told_how(
    #[case] persisted_query: Value,
    #[case] reason: &str,
    #[values(NEWER, OLDER)] accept: &str,
) {
    let app = app().await;
    let body = json!({ "query": TYPENAME, "extensions": { "persistedQuery": persisted_query } });

    let reply = post(&app, accept, &body).reply().await;

    assert_refused(&reply, 400, "BAD_USER_INPUT");
    assert!(reply.text.contains(reason), "{}", reply.text);
}

#[rstest]
#[case::of_nothing("")]
#[case::no_hexadecimal("zz")]
#[case::too_short("ab")]
#[tokio::test]
async fn a_hash_that_is_none_is_not_found(#[case] hash: &str) {
    let app = app().await;
    let body = json!({ "extensions": extensions(hash) });

    let reply = post(&app, OLDER, &body).reply().await;

    assert_refused(&reply, 200, "PERSISTED_QUERY_NOT_FOUND");
}

/// Otherwise the limits could be got round, and the store be filled with rubbish.
#[rstest]
#[case::syntax("{ __typename", "GRAPHQL_PARSE_FAILED")]
#[case::unknown_field("{ nothing }", "GRAPHQL_VALIDATION_FAILED")]
#[case::too_much(
    "{ a: __typename b: __typename c: __typename d: __typename e: __typename f: __typename g: __typename h: __typename i: __typename j: __typename k: __typename l: __typename m: __typename n: __typename o: __typename p: __typename q: __typename r: __typename s: __typename t: __typename u: __typename }",
    "QUERY_TOO_COMPLEX"
)]
#[tokio::test]
async fn what_may_not_run_is_not_kept(#[case] document: &str, #[case] code: &str) {
    let app = app().await;
    let extensions = extensions(&hash(document));
    let in_full = json!({ "query": document, "extensions": extensions });

    let sent = post(&app, OLDER, &in_full).reply().await;
    let by_hash = post(&app, OLDER, &json!({ "extensions": extensions }));
    let by_hash = by_hash.reply().await;

    assert_eq!(sent.codes()[0], code);
    assert_refused(&by_hash, 200, "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn another_hash_for_a_document_is_not_kept_either() {
    let app = app().await;
    let extensions = extensions(&hash("{ something else }"));
    let lie = json!({ "query": TYPENAME, "extensions": extensions });

    let refused = post(&app, OLDER, &lie).reply().await;
    let by_hash = post(&app, OLDER, &json!({ "extensions": extensions }));
    let by_hash = by_hash.reply().await;

    assert_refused(&refused, 400, "BAD_USER_INPUT");
    assert_refused(&by_hash, 200, "PERSISTED_QUERY_NOT_FOUND");
}

/// What was kept makes room for what comes, and is then sent again.
#[tokio::test]
async fn the_store_has_a_bound() {
    let app = app().await;
    let padded = |number: u32| format!("{:<16000}", format!("{{ a{number}: __typename }}"));
    let ask = |document: String, in_full: bool| {
        let query = in_full.then_some(&document);
        let body = json!({ "query": query, "extensions": extensions(&hash(&document)) });
        post(&app, OLDER, &body).reply()
    };

    for number in 0..40 {
        assert!(ask(padded(number), true).await.data().is_object());
    }

    let mut forgotten = 0;
    for number in 0..40 {
        let reply = ask(padded(number), false).await;
        forgotten += usize::from(reply.codes() == ["PERSISTED_QUERY_NOT_FOUND"]);
    }
    // 16 of them have room.
    assert!((20..40).contains(&forgotten), "{forgotten}");
}

#[rstest]
#[case::events("text/event-stream", "event: next\ndata: ", "\n\n")]
#[case::multipart(
    "multipart/mixed;subscriptionSpec=1.0",
    "{\"payload\":",
    "}\r\n--graphql"
)]
#[tokio::test]
async fn answers_that_go_on_are_asked_for_by_hash_too(
    #[case] accept: &str,
    #[case] start: &str,
    #[case] end: &str,
) {
    let app = app().await;
    let ada = app.person("ada").await;
    let follow = "subscription { linkedInPostingPreferencesChanged { reason } }";
    let extensions = extensions(&hash(follow));
    let ask = async |body: &Value| {
        let request = post(&app, OLDER, body).by(&ada);
        let (client, request) = request.build_split();
        let mut request = request.unwrap();
        request
            .headers_mut()
            .insert(ACCEPT, accept.parse().unwrap());
        let mut arriving = Arriving::new(client.execute(request).await.unwrap());
        arriving.until(start).await.expect("an answer");
        let text = arriving.until(end).await.unwrap();
        serde_json::from_str::<Value>(text.strip_suffix(end).unwrap()).unwrap()
    };

    let before = ask(&json!({ "extensions": extensions })).await;
    let sent = ask(&json!({ "query": follow, "extensions": extensions })).await;
    let after = ask(&json!({ "extensions": extensions })).await;

    let code = &before["errors"][0]["extensions"]["code"];
    assert_eq!(code, "PERSISTED_QUERY_NOT_FOUND");
    let event = json!({ "linkedInPostingPreferencesChanged": { "reason": "PRESENT_STATE" } });
    assert_eq!(sent["data"], event);
    assert_eq!(after["data"], event);
}

#[tokio::test]
async fn operations_of_a_websocket_are_asked_for_by_hash_too() {
    let app = app().await;
    let ada = app.person("ada").await;
    let mut socket = Socket::ready(&app, &ada).await;
    let extensions = extensions(&hash(TARGETS));
    let subscribe = |id: &str, query: Option<&str>| json!({ "type": "subscribe", "id": id, "payload": { "query": query, "extensions": extensions } });

    socket.say(subscribe("1", None)).await;
    let before = socket.payload("error", "1").await;
    socket.say(subscribe("2", Some(TARGETS))).await;
    let sent = socket.payload("next", "2").await;
    socket.payload("complete", "2").await;
    socket.say(subscribe("3", None)).await;
    let after = socket.payload("next", "3").await;

    assert_eq!(before[0]["message"], "PersistedQueryNotFound");
    for answer in [sent, after] {
        assert_eq!(answer["data"], json!({ "linkedInTargets": [] }));
    }
}

async fn app() -> TestApp {
    TestApp::new(Backend::Sqlite).await.unwrap()
}
