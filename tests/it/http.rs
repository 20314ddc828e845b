//! GraphQL over HTTP: what is taken as a request, and what the answers look like from outside.

use std::process::Command;

use reqwest::{
    Method, RequestBuilder,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ORIGIN},
};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use url::form_urlencoded;

use crate::support::{
    app::{Ask, Reply, TestApp},
    database::{Backend, Database},
    npm::{self, NPM},
    process::Serving,
    skip::skip,
    socket::Socket,
};

const NEWER: &str = "application/graphql-response+json";
const OLDER: &str = "application/json";
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

/// What is asked, and with which answers, stands in `tests/audits/`.
#[tokio::test(flavor = "multi_thread")]
async fn every_audit_of_graphql_over_http_passes() {
    if let Err(reason) = npm::install("tests/audits") {
        return skip("the audits of GraphQL over HTTP", &reason);
    }
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let server = Serving::start(&database.url, &[]);

    let outcome = Command::new(NPM)
        .args(["test", "--silent"])
        .current_dir("tests/audits")
        .env("GRAPHQL_URL", server.url("/graphql"))
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success(), "{told}");
    assert_eq!(told.trim(), "61 of 61 audits passed");
}

#[rstest]
#[tokio::test]
async fn only_json_in_utf_8_is_taken_as_a_body(
    #[values(
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/graphql-response+json",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        ""
    )]
    content_type: &str,
) {
    let app = app().await;

    let reply = post_as(&app, content_type, TYPENAME).reply().await;

    assert_refused(&reply, 415, "BAD_USER_INPUT");
    assert_eq!(reply.header("accept-post"), Some("application/json"));
}

#[rstest]
#[tokio::test]
async fn the_media_type_of_json_may_be_written_as_one_likes(
    #[values(
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON; charset=\"utf-8\""
    )]
    content_type: &str,
) {
    let app = app().await;

    let reply = post_as(&app, content_type, TYPENAME).reply().await;

    assert_eq!(reply.data(), json!({ "__typename": "Query" }));
}

#[rstest]
#[case::usual(64 * 1024)]
#[case::lowered(1_024)]
#[case::raised(100_000)]
#[tokio::test]
async fn a_body_and_a_message_may_be_so_long_and_no_longer(#[case] most: usize) {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.limits.body_bytes = most;
    });
    let app = app.await.unwrap();
    let ada = app.person("ada").await;
    let padded = |text: &str, length: usize| text.to_owned() + &" ".repeat(length - text.len());

    let taken = post(&app, &padded(TYPENAME, most)).reply().await;
    let refused = post(&app, &padded(TYPENAME, most + 1)).reply().await;
    let mut socket = Socket::ready(&app, &ada).await;
    let ping = r#"{"type":"ping"}"#;
    socket.send(Message::text(padded(ping, most))).await;
    let heard = socket.hear().await;
    socket.send(Message::text(padded(ping, most + 1))).await;
    let ended = socket.hear().await;

    assert_eq!(taken.data(), json!({ "__typename": "Query" }));
    assert_refused(&refused, 413, "BAD_USER_INPUT");
    assert!(refused.text.contains(&format!("larger than {most} bytes")));
    assert_eq!(heard.unwrap(), json!({ "type": "pong" }));
    assert!(ended.is_err());
}

#[rstest]
#[case::nothing("", "The body is not JSON")]
#[case::no_json("{ __typename }", "The body is not JSON")]
#[case::more_than_json(r#"{"query":"{ __typename }"} x"#, "The body is not JSON")]
#[case::a_batch(r#"[{"query":"{ __typename }"}]"#, "batches are not taken")]
#[case::an_empty_batch("[]", "batches are not taken")]
#[case::a_string(r#""{ __typename }""#, "must be a JSON object")]
#[case::null("null", "must be a JSON object")]
#[case::no_query("{}", "There is no `query`")]
#[case::a_null_query(r#"{"query":null}"#, "There is no `query`")]
#[case::no_persisted_query(r#"{"extensions":{"persistedQuery":null}}"#, "There is no `query`")]
#[case::a_number_as_query(r#"{"query":1}"#, "`query` must be a string")]
#[case::a_list_as_variables(r#"{"query":"{ __typename }","variables":[]}"#, "`variables` must be")]
#[case::text_as_variables(
    r#"{"query":"{ __typename }","variables":"{}"}"#,
    "`variables` must be"
)]
#[case::a_number_as_name(
    r#"{"query":"{ __typename }","operationName":1}"#,
    "`operationName` must be"
)]
#[case::a_list_as_extensions(
    r#"{"query":"{ __typename }","extensions":[]}"#,
    "`extensions` must be"
)]
#[tokio::test]
async fn a_body_that_is_no_request_is_refused_whatever_is_accepted(
    #[case] body: String,
    #[case] reason: &str,
    #[values(NEWER, OLDER)] accept: &str,
) {
    let app = app().await;

    let reply = post(&app, &body).header(ACCEPT, accept).reply().await;

    assert_refused(&reply, 400, "BAD_USER_INPUT");
    assert!(reply.text.contains(reason), "{}", reply.text);
    assert!(reply.header("content-type").unwrap().starts_with(accept));
}

#[tokio::test]
async fn null_is_as_good_as_absent() {
    let app = app().await;
    let body = json!({ "query": "{ __typename }", "operationName": null, "variables": null, "extensions": null });

    let reply = post(&app, &body.to_string()).reply().await;

    assert_eq!(reply.data(), json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn a_get_runs_a_query_with_its_variables_and_name() {
    let app = app().await;
    let query = "query A { __typename } query B($with: Boolean!) { b: __typename @include(if: $with) c: __typename }";

    let reply = get(
        &app,
        &[
            ("query", query),
            ("operationName", "B"),
            ("variables", r#"{"with":true}"#),
            ("extensions", "{}"),
        ],
    )
    .await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.data(), json!({ "b": "Query", "c": "Query" }));
}

#[tokio::test]
async fn empty_parameters_are_absent_and_unknown_ones_nobodys_business() {
    let app = app().await;

    let reply = get(
        &app,
        &[
            ("query", "{ __typename }"),
            ("operationName", ""),
            ("variables", ""),
            ("extensions", ""),
            ("query", ""),
            ("utm", "1"),
            ("utm", "2"),
        ],
    )
    .await;

    assert_eq!(reply.data(), json!({ "__typename": "Query" }));
}

#[rstest]
#[case::none(&[])]
#[case::empty(&[("query", "")])]
#[case::twice(&[("query", "{ __typename }"), ("query", "{ __typename }")])]
#[case::name_twice(&[("query", "query A { __typename }"), ("operationName", "A"), ("operationName", "A")])]
#[case::variables_twice(&[("query", "{ __typename }"), ("variables", "{}"), ("variables", "{}")])]
#[case::variables_no_json(&[("query", "{ __typename }"), ("variables", "{")])]
#[case::variables_no_object(&[("query", "{ __typename }"), ("variables", "[]")])]
#[case::extensions_no_object(&[("query", "{ __typename }"), ("extensions", "1")])]
#[tokio::test]
async fn parameters_that_are_no_request_are_refused(#[case] parameters: &[(&str, &str)]) {
    let app = app().await;

    let reply = get(&app, parameters).await;

    assert_refused(&reply, 400, "BAD_USER_INPUT");
}

#[tokio::test]
async fn the_parameters_of_an_address_do_not_count_for_a_post() {
    let app = app().await;
    let path = path(&[("query", "{ __schema { queryType { name } } }")]);

    let request = app.request(Method::POST, &path);
    let reply = request
        .header(CONTENT_TYPE, OLDER)
        .body(TYPENAME)
        .reply()
        .await;

    assert_eq!(reply.data(), json!({ "__typename": "Query" }));
}

#[rstest]
#[tokio::test]
async fn a_mutation_by_get_is_refused_and_changes_nothing(
    #[values(NEWER, OLDER)] accept: &str,
    #[values("GET", "HEAD")] method: Method,
) {
    let app = app().await;
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    let mutation =
        "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";
    let path = path(&[("query", mutation)]);

    let request = app.request(method.clone(), &path).by(&ada);
    let reply = request.header(ACCEPT, accept).reply().await;

    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("POST"));
    if method == Method::GET {
        assert_refused(&reply, 405, "METHOD_NOT_ALLOWED");
    }
    let preferences = "{ linkedInPostingPreferences { targets { enabled } } }";
    let enabled = app.gql(&ada, preferences).await.data();
    let never_saved = json!({ "targets": [{ "enabled": true }] });
    assert_eq!(enabled["linkedInPostingPreferences"], never_saved);
}

#[tokio::test]
async fn the_query_of_a_document_is_run_by_get_though_a_mutation_stands_beside_it() {
    let app = app().await;
    let query = "query Q { __typename } mutation M { __typename }";

    let asked = get(&app, &[("query", query), ("operationName", "Q")]).await;
    let changed = get(&app, &[("query", query), ("operationName", "M")]).await;

    assert_eq!(asked.data(), json!({ "__typename": "Query" }));
    assert_refused(&changed, 405, "METHOD_NOT_ALLOWED");
}

#[rstest]
#[tokio::test]
async fn other_methods_are_refused_with_those_that_work(
    #[values("PUT", "PATCH", "DELETE", "OPTIONS")] method: Method,
) {
    let app = app().await;

    let reply = app.request(method, "/graphql").reply().await;

    assert_refused(&reply, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("allow"), Some("GET,HEAD,POST"));
}

#[rstest]
#[case("sec-fetch-site", "cross-site", 403)]
#[case("sec-fetch-site", "same-site", 200)]
#[case("sec-fetch-site", "same-origin", 200)]
#[case("sec-fetch-site", "none", 200)]
#[case("origin", "https://elsewhere.example", 403)]
#[case("origin", "http://interlinedlist.example", 403)]
#[case("origin", "null", 403)]
#[case("origin", "https://interlinedlist.example", 200)]
#[case("origin", "https://partner.example", 200)]
#[tokio::test]
async fn pages_of_other_sites_cannot_use_the_visitors_cookie(
    #[case] header: &str,
    #[case] value: &str,
    #[case] status: u16,
    #[values("GET", "POST")] method: Method,
) {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.allowed_origins = vec!["https://partner.example".to_owned()];
    });
    let app = app.await.unwrap();
    let ada = app.person("ada").await;

    let request = ask_typename(&app, method).by(&ada);
    let reply = request.header(header, value).reply().await;

    assert_eq!(reply.status, status);
    if status == 403 {
        assert_refused(&reply, 403, "FORBIDDEN");
    }
}

#[tokio::test]
async fn a_bearer_token_is_proof_that_no_other_site_asks() {
    let app = app().await;

    let request = ask_typename(&app, Method::POST)
        .header(AUTHORIZATION, "Bearer some-token")
        .header("sec-fetch-site", "cross-site")
        .header(ORIGIN, "https://elsewhere.example");
    let reply = request.reply().await;

    assert_eq!(reply.data(), json!({ "__typename": "Query" }));
}

#[rstest]
#[case("*/*", OLDER)]
#[case("*", OLDER)]
#[case("application/*", OLDER)]
#[case("text/html, */*;q=0.1", OLDER)]
#[case(NEWER, NEWER)]
#[case("application/graphql-response+json; charset=utf-8", NEWER)]
#[case("APPLICATION/GRAPHQL-RESPONSE+JSON", NEWER)]
#[case("application/graphql-response+json, application/json;q=0.9", NEWER)]
#[case("application/json;q=0.9, application/graphql-response+json", NEWER)]
#[case("application/json, application/graphql-response+json", NEWER)]
#[case("application/graphql-response+json;q=0.5, application/json", OLDER)]
#[case("application/graphql-response+json;q=0.5, */*;q=0.4", NEWER)]
#[case("application/graphql-response+json;q=0.4, */*;q=0.5", OLDER)]
#[case("application/json;q=0, */*", NEWER)]
#[case("application/json;q=0, application/*;q=0.1", NEWER)]
#[case("application/graphql-response+json;q=0, */*", OLDER)]
#[case("*/*;q=0, application/json", OLDER)]
#[case("application/*;q=0, */*;q=0.5, application/json;q=0.1", OLDER)]
#[case("nonsense, application/json", OLDER)]
#[case("", OLDER)]
#[tokio::test]
async fn the_answer_comes_as_the_client_likes_it_best(
    #[case] accept: &str,
    #[case] media_type: &str,
    #[values("GET", "POST")] method: Method,
) {
    let app = app().await;

    let request = ask_typename(&app, method).header(ACCEPT, accept);
    let reply = request.reply().await;

    assert_eq!(reply.data(), json!({ "__typename": "Query" }));
    let expected = format!("{media_type}; charset=utf-8");
    assert_eq!(reply.header("content-type"), Some(expected.as_str()));
    assert_eq!(reply.header("vary"), Some("accept"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn several_accept_headers_are_one_list() {
    let app = app().await;

    let reply = ask_typename(&app, Method::POST)
        .header(ACCEPT, "application/json;q=0.5")
        .header(ACCEPT, NEWER)
        .reply()
        .await;

    let expected = format!("{NEWER}; charset=utf-8");
    assert_eq!(reply.header("content-type"), Some(expected.as_str()));
}

#[rstest]
#[tokio::test]
async fn whoever_takes_neither_media_type_is_told_which_there_are(
    #[values(
        "text/html",
        "application/xml, image/*",
        "application/json;q=0",
        "application/json;q=0, application/graphql-response+json;q=0, text/event-stream;q=0, */*",
        "*/*;q=0",
        "nonsense"
    )]
    accept: &str,
) {
    let app = app().await;

    let request = ask_typename(&app, Method::POST).header(ACCEPT, accept);
    let reply = request.reply().await;

    assert_refused(&reply, 406, "BAD_USER_INPUT");
    assert!(reply.text.contains(NEWER));
}

#[rstest]
#[case::syntax("{ __typename", json!({}), "GRAPHQL_PARSE_FAILED")]
#[case::unknown_field("{ nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED")]
#[case::missing_variable("query($id: ID!) { node(id: $id) { id } }", json!({}), "BAD_USER_INPUT")]
#[case::null_variable("query($id: ID!) { node(id: $id) { id } }", json!({ "id": null }), "BAD_USER_INPUT")]
#[case::wrong_variable("query($id: ID!) { node(id: $id) { id } }", json!({ "id": [] }), "BAD_USER_INPUT")]
#[case::no_operation("fragment F on Query { __typename }", json!({}), "GRAPHQL_VALIDATION_FAILED")]
#[case::which_operation("query A { __typename } query B { __typename }", json!({}), "OPERATION_RESOLUTION_FAILURE")]
#[tokio::test]
async fn the_newer_media_type_tells_by_its_status_that_nothing_was_executed(
    #[case] query: &str,
    #[case] variables: Value,
    #[case] code: &str,
) {
    let app = app().await;
    let body = json!({ "query": query, "variables": variables }).to_string();

    let newer = post(&app, &body).header(ACCEPT, NEWER).reply().await;
    let older = post(&app, &body).header(ACCEPT, OLDER).reply().await;

    assert_refused(&newer, 400, code);
    assert_refused(&older, 200, code);
}

#[rstest]
#[tokio::test]
async fn what_fails_while_it_is_executed_is_200(#[values(NEWER, OLDER)] accept: &str) {
    let app = app().await;
    let body = json!({ "query": "{ __typename node(id: \"x\") { id } }" }).to_string();

    let reply = post(&app, &body).header(ACCEPT, accept).reply().await;

    assert_eq!(reply.status, 200);
    let data = json!({ "__typename": "Query", "node": null });
    assert_eq!(reply.json()["data"], data);
    assert_eq!(reply.codes(), ["UNAUTHENTICATED"]);
}

#[rstest]
#[case("Missing", "OPERATION_RESOLUTION_FAILURE")]
#[case("", "OPERATION_RESOLUTION_FAILURE")]
#[case("a", "OPERATION_RESOLUTION_FAILURE")]
#[tokio::test]
async fn an_operation_is_named_exactly(#[case] name: &str, #[case] code: &str) {
    let app = app().await;
    let body = json!({ "query": "query A { __typename }", "operationName": name }).to_string();

    let reply = post(&app, &body).header(ACCEPT, NEWER).reply().await;

    assert_refused(&reply, 400, code);
}

#[tokio::test]
async fn the_named_operation_alone_is_run() {
    let app = app().await;
    let query = "query A($never: ID!) { node(id: $never) { id } } query B { __typename }";
    let body = json!({ "query": query, "operationName": "B" }).to_string();

    let reply = post(&app, &body).reply().await;

    assert_eq!(reply.data(), json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = app().await;

    let reply = app
        .request(Method::HEAD, &path(&[("query", "{ __typename }")]))
        .reply()
        .await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.text, "");
    let expected = format!("{OLDER}; charset=utf-8");
    assert_eq!(reply.header("content-type"), Some(expected.as_str()));
}

async fn app() -> TestApp {
    TestApp::new(Backend::Sqlite).await.unwrap()
}

fn post(app: &TestApp, body: &str) -> RequestBuilder {
    post_as(app, OLDER, body)
}

fn post_as(app: &TestApp, content_type: &str, body: &str) -> RequestBuilder {
    app.request(Method::POST, "/graphql")
        .header(CONTENT_TYPE, content_type)
        .body(body.to_owned())
}

async fn get(app: &TestApp, parameters: &[(&str, &str)]) -> Reply {
    app.request(Method::GET, &path(parameters)).reply().await
}

fn ask_typename(app: &TestApp, method: Method) -> RequestBuilder {
    if method == Method::POST {
        post(app, TYPENAME)
    } else {
        app.request(method, &path(&[("query", "{ __typename }")]))
    }
}

fn path(parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("/graphql?{}", query.finish())
}

/// A request that was not executed says why, in errors alone, and no cache keeps it.
fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.codes(), [code], "{}", reply.text);
    assert!(reply.json().get("data").is_none(), "{}", reply.text);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}
