//! Server-Sent Events, and Apollo's multipart answer.

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{DISABLE_ALL, EVENTS, SUBSCRIPTION, short};
use crate::support::{
    app::{Ask, Person, TestApp},
    database::Backend,
    events::Arriving,
};

/// What Apollo Client sends for a subscription.
const APOLLO: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9";

async fn app() -> (TestApp, Person) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    (app, ada)
}

fn by_get(query: &str) -> String {
    let mut parameters = url::form_urlencoded::Serializer::new(String::new());
    parameters.append_pair("query", query);
    format!("/graphql?{}", parameters.finish())
}

#[tokio::test]
async fn server_sent_events_are_written_as_the_protocol_says() {
    let (app, ada) = app().await;
    let mut answer = Arriving::post(&app, &ada, EVENTS, SUBSCRIPTION).await;

    let present = answer.until("event: next\ndata: ").await;
    let data = answer.until("\n\n").await.unwrap();

    assert_eq!(answer.status, StatusCode::OK);
    let header = |name| {
        answer
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(
        header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("x-accel-buffering"), Some("no"));
    assert_eq!(present.as_deref(), Some(":\n\nevent: next\ndata: "));
    assert_eq!(
        short(serde_json::from_str(&data).unwrap()),
        json!(["PRESENT_STATE", { "Ada": true }])
    );
}

#[tokio::test]
async fn a_multipart_answer_has_its_boundary_at_the_end_of_each_part() {
    let (app, ada) = app().await;
    let mut answer = Arriving::post(&app, &ada, APOLLO, SUBSCRIPTION).await;

    let opening = answer.until("--graphql").await.unwrap();
    let first = answer.until("--graphql").await.unwrap();
    app.gql(&ada, DISABLE_ALL).await.data();
    let second = answer.until("--graphql").await.unwrap();

    let content_type = answer.headers["content-type"].to_str().unwrap();
    assert_eq!(
        content_type,
        r#"multipart/mixed; boundary="graphql"; subscriptionSpec="1.0""#
    );
    assert_eq!(opening, "\r\n--graphql");
    let states = [&first, &second].map(|part| {
        let head = "\r\ncontent-type: application/json\r\n\r\n";
        let part = part.strip_prefix(head).unwrap();
        let json = part.strip_suffix("\r\n--graphql").unwrap();
        let mut json: Value = serde_json::from_str(json).unwrap();
        short(json["payload"].take())
    });
    assert_eq!(states[0], json!(["PRESENT_STATE", { "Ada": true }]));
    assert_eq!(states[1], json!(["PREFERENCES_SAVED", { "Ada": false }]));
}

#[tokio::test]
async fn a_multipart_answer_ends_with_its_last_boundary() {
    let (app, ada) = app().await;
    let nobody = Person {
        session: "none".to_owned(),
        ..ada
    };

    let answer = Arriving::post(&app, &nobody, APOLLO, SUBSCRIPTION).await;

    let text = answer.rest().await;
    assert!(text.contains("UNAUTHENTICATED"), "{text}");
    assert!(text.ends_with("\r\n--graphql--\r\n"), "{text}");
}

/// Compression would hold back what is sent until there is more of it.
#[rstest]
#[case::events(EVENTS)]
#[case::multipart(APOLLO)]
#[tokio::test]
async fn answers_that_go_on_are_not_compressed(#[case] accept: &str) {
    let (app, ada) = app().await;
    let request = app.request(Method::POST, "/graphql").by(&ada);
    let request = request
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, "br, gzip")
        .json(&json!({ "query": SUBSCRIPTION }));

    let answer = Arriving::new(request.send().await.unwrap());

    assert_eq!(answer.headers.get("content-encoding"), None);
}

/// The browser's own `EventSource` knows nothing but GET.
#[tokio::test]
async fn a_subscription_is_followed_by_get_as_well() {
    let (app, ada) = app().await;
    let request = app.request(Method::GET, &by_get(SUBSCRIPTION)).by(&ada);
    let request = request.header(ACCEPT, EVENTS);

    let mut answer = Arriving::new(request.send().await.unwrap());

    let (name, data) = answer.event().await.unwrap();
    assert_eq!(
        (name.as_str(), short(data)[0].clone()),
        ("next", json!("PRESENT_STATE"))
    );
}

#[tokio::test]
async fn a_mutation_is_not_run_by_get_whatever_is_accepted() {
    let (app, ada) = app().await;
    let request = app.request(Method::GET, &by_get(DISABLE_ALL)).by(&ada);

    let reply = request.header(ACCEPT, EVENTS).reply().await;

    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.codes(), ["METHOD_NOT_ALLOWED"]);
}

/// What is answered at once is one event, or a part.
#[rstest]
#[case::query(
    "{ linkedInTargets { __typename } }",
    r#"{"data":{"linkedInTargets":[{"__typename":"Personal"}]}}"#
)]
#[case::mutation(DISABLE_ALL, r#"{"data":{"setLinkedInPostingPreferences":{"__typename":"SetLinkedInPostingPreferencesSuccess"}}}"#)]
#[tokio::test]
async fn other_operations_are_answered_by_one_event(#[case] query: &str, #[case] expected: &str) {
    let (app, ada) = app().await;

    let answer = Arriving::post(&app, &ada, EVENTS, query).await;

    assert_eq!(
        answer.rest().await,
        format!(":\n\nevent: next\ndata: {expected}\n\nevent: complete\ndata:\n\n")
    );
}

#[tokio::test]
async fn a_document_that_is_wrong_is_told_by_one_event_without_data() {
    let (app, ada) = app().await;
    let mut answer = Arriving::post(&app, &ada, EVENTS, "subscription { nothing }").await;

    let (name, data) = answer.event().await.unwrap();

    assert_eq!(name, "next");
    assert_eq!(
        data["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(data.get("data"), None);
    assert_eq!(answer.event().await.unwrap().0, "complete");
}

/// Who takes only one answer is told how to get more; who takes all gets events.
#[rstest]
#[case::json("application/json", None)]
#[case::the_newer_type("application/graphql-response+json", None)]
#[case::apollo_deferring("multipart/mixed;deferSpec=20220824, application/json", None)]
#[case::refused_by_weight("text/event-stream;q=0, application/json", None)]
#[case::anything("*/*", Some("text/event-stream; charset=utf-8"))]
#[case::events_and_json(
    "application/json, text/event-stream",
    Some("text/event-stream; charset=utf-8")
)]
#[case::text("text/*", Some("text/event-stream; charset=utf-8"))]
#[case::parts_rather_than_events(
    "text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=\"1.0\"",
    Some(r#"multipart/mixed; boundary="graphql"; subscriptionSpec="1.0""#)
)]
#[tokio::test]
async fn the_client_says_how_a_subscription_is_answered(
    #[case] accept: &str,
    #[case] answered_as: Option<&str>,
) {
    let (app, ada) = app().await;

    let answer = Arriving::post(&app, &ada, accept, SUBSCRIPTION).await;

    let Some(content_type) = answered_as else {
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE);
        let body: Value = serde_json::from_str(&answer.rest().await).unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        return;
    };
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], content_type);
}

/// A query is answered as JSON wherever that is taken, also by those who could read events.
#[rstest]
#[case::anything("*/*")]
#[case::events_and_json("text/event-stream, application/json;q=0.1")]
#[case::apollo(APOLLO)]
#[tokio::test]
async fn a_query_is_answered_whole(#[case] accept: &str) {
    let (app, ada) = app().await;

    let answer = Arriving::post(&app, &ada, accept, "{ __typename }").await;

    assert_eq!(answer.rest().await, r#"{"data":{"__typename":"Query"}}"#);
}

/// The field may stand in fragments, also inside each other.
#[tokio::test]
async fn a_subscription_may_be_written_with_fragments() {
    let (app, ada) = app().await;
    let query = "subscription { ...Outer }
        fragment Outer on Subscription { ... on Subscription { ... { ...Inner } } }
        fragment Inner on Subscription { change: linkedInPostingPreferencesChanged { reason } }";

    let mut answer = Arriving::post(&app, &ada, EVENTS, query).await;

    let (_, data) = answer.event().await.unwrap();
    assert_eq!(
        data,
        json!({ "data": { "change": { "reason": "PRESENT_STATE" } } })
    );
}

#[rstest]
#[case::two_fields(
    "subscription { a: linkedInPostingPreferencesChanged { reason } b: linkedInPostingPreferencesChanged { reason } }"
)]
#[case::introspection("subscription { __typename }")]
#[case::a_condition(
    "subscription { linkedInPostingPreferencesChanged @skip(if: false) { reason } }"
)]
#[tokio::test]
async fn a_subscription_has_one_field_without_conditions(#[case] query: &str) {
    let (app, ada) = app().await;

    let reply = app.gql(&ada, query).await;

    assert_eq!(reply.codes()[0], "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn a_page_of_another_site_follows_nothing() {
    let (app, ada) = app().await;
    let request = app.request(Method::POST, "/graphql").by(&ada);

    let reply = request
        .header(ACCEPT, EVENTS)
        .header("sec-fetch-site", "cross-site")
        .json(&json!({ "query": SUBSCRIPTION }))
        .reply()
        .await;

    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert_eq!(reply.codes(), ["FORBIDDEN"]);
}
