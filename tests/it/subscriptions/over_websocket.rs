//! `graphql-transport-ws`, message by message.

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message};

use super::{DISABLE_ALL, ENABLE_PERSONAL, SUBSCRIPTION, short};
use crate::support::{
    app::{Person, TestApp},
    database::Backend,
    socket::{PROTOCOL, Socket},
};

async fn app() -> (TestApp, Person) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    (app, ada)
}

#[tokio::test]
async fn a_subscription_tells_the_present_state_each_change_and_ends_when_asked() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;
    assert_eq!(
        socket.response.headers()["sec-websocket-protocol"],
        PROTOCOL
    );

    socket.subscribe("1", SUBSCRIPTION).await;
    let present = short(socket.payload("next", "1").await);
    app.gql(&ada, DISABLE_ALL).await.data();
    let saved = short(socket.payload("next", "1").await);
    socket.say(json!({ "type": "complete", "id": "1" })).await;
    socket.subscribe("2", "{ __typename }").await;
    let other = socket.payload("next", "2").await;
    app.gql(&ada, ENABLE_PERSONAL).await.data();
    let end = socket.hear().await.unwrap();
    socket.say(json!({ "type": "ping" })).await;
    let after = socket.hear().await.unwrap();

    assert_eq!(present, json!(["PRESENT_STATE", { "Ada": true }]));
    assert_eq!(saved, json!(["PREFERENCES_SAVED", { "Ada": false }]));
    assert_eq!(other, json!({ "data": { "__typename": "Query" } }));
    assert_eq!(end, json!({ "type": "complete", "id": "2" }));
    assert_eq!(after, json!({ "type": "pong" }), "nothing more of 1");
}

#[tokio::test]
async fn queries_and_mutations_are_answered_as_well() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;

    socket.subscribe("follow", SUBSCRIPTION).await;
    socket.payload("next", "follow").await;
    socket.subscribe("save", DISABLE_ALL).await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let message = socket.hear().await.unwrap();
        heard.push(format!("{} {}", message["type"], message["id"]).replace('"', ""));
    }

    heard.sort_unstable();
    assert_eq!(heard, ["complete save", "next follow", "next save"]);
}

#[tokio::test]
async fn a_session_that_ends_ends_its_subscriptions_and_leaves_the_socket_open() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;
    socket.subscribe("1", SUBSCRIPTION).await;
    socket.payload("next", "1").await;

    app.clock.advance(chrono::TimeDelta::days(31));

    let last = short(socket.payload("next", "1").await);
    assert_eq!(last, "UNAUTHENTICATED");
    let end = socket.hear().await.unwrap();
    assert_eq!(end, json!({ "type": "complete", "id": "1" }));
    socket
        .say(json!({ "type": "ping", "payload": { "still": "there" } }))
        .await;
    assert_eq!(
        socket.hear().await.unwrap(),
        json!({ "type": "pong", "payload": { "still": "there" } })
    );
}

#[rstest]
#[case::parsing("{", "GRAPHQL_PARSE_FAILED")]
#[case::validation("{ nothing }", "GRAPHQL_VALIDATION_FAILED")]
#[case::limits(
    "{ a: __typename b: __typename c: __typename d: __typename e: __typename f: __typename g: __typename h: __typename i: __typename j: __typename k: __typename l: __typename m: __typename n: __typename o: __typename p: __typename q: __typename r: __typename s: __typename t: __typename u: __typename }",
    "QUERY_TOO_COMPLEX"
)]
#[tokio::test]
async fn a_document_that_is_wrong_is_an_error_of_that_operation(
    #[case] query: &str,
    #[case] code: &str,
) {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;

    socket.subscribe("1", query).await;

    let errors = socket.payload("error", "1").await;
    assert_eq!(errors[0]["extensions"]["code"], code);
    // The id is free again.
    socket.subscribe("1", "{ __typename }").await;
    socket.payload("next", "1").await;
}

#[rstest]
#[case::no_json("nonsense", 4400, "Invalid message received")]
#[case::an_unknown_type(r#"{"type":"start"}"#, 4400, "Invalid message received")]
#[case::no_type("{}", 4400, "Invalid message received")]
#[case::no_id(
    r#"{"type":"subscribe","payload":{"query":"{ __typename }"}}"#,
    4400,
    "Invalid message received"
)]
#[case::an_id_that_is_a_number(r#"{"type":"complete","id":1}"#, 4400, "Invalid message received")]
#[case::init_again(
    r#"{"type":"connection_init"}"#,
    4429,
    "Too many initialisation requests"
)]
#[tokio::test]
async fn a_message_against_the_protocol_closes_the_socket(
    #[case] message: &str,
    #[case] code: u16,
    #[case] reason: &str,
) {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;

    socket.send(Message::text(message)).await;

    assert_eq!(socket.hear().await, Err((code, reason.to_owned())));
}

#[tokio::test]
async fn a_subscriber_with_the_id_of_another_closes_the_socket() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;
    socket.subscribe("one", SUBSCRIPTION).await;
    socket.payload("next", "one").await;

    socket.subscribe("one", SUBSCRIPTION).await;

    let closed = (4409, "Subscriber for one already exists".to_owned());
    assert_eq!(socket.hear().await, Err(closed));
}

#[tokio::test]
async fn binary_data_closes_the_socket() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;

    socket.send(Message::binary(vec![1, 2, 3])).await;

    assert_eq!(socket.hear().await.unwrap_err().0, 4400);
}

#[tokio::test]
async fn a_message_longer_than_a_body_may_be_closes_the_socket() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;

    socket.send(Message::text(" ".repeat(64 * 1024 + 1))).await;

    assert!(socket.hear().await.is_err());
}

#[tokio::test]
async fn nothing_is_asked_before_the_connection_is_made() {
    let (app, ada) = app().await;
    let mut socket = Socket::of(&app, &ada).await;

    socket.subscribe("1", "{ __typename }").await;

    assert_eq!(socket.hear().await, Err((4401, "Unauthorized".to_owned())));
}

#[tokio::test]
async fn another_protocol_is_not_spoken() {
    let (app, _) = app().await;
    // The predecessor, which many old clients speak. The client library objects to an answer without a protocol.
    let request = Socket::request(&app.address().to_string(), "graphql-ws");

    let opened = Socket::open(request).await;

    assert!(opened.is_err());
}

/// Pages of browsers cannot set headers of a WebSocket, so they send their token in the first message.
#[rstest]
#[case::as_headers_are_written_now("authorization")]
#[case::as_many_write_it("Authorization")]
#[tokio::test]
async fn a_token_may_come_with_the_first_message(#[case] name: &str) {
    let (app, ada) = app().await;
    app.world().token(&ada.id, "adas-token").await.unwrap();
    let request = Socket::request(&app.address().to_string(), PROTOCOL);
    let mut socket = Socket::open(request).await.unwrap();

    let payload = json!({ name: "Bearer adas-token" });
    socket
        .say(json!({ "type": "connection_init", "payload": payload }))
        .await;
    socket.hear().await.unwrap();
    socket.subscribe("1", SUBSCRIPTION).await;

    let present = short(socket.payload("next", "1").await);
    assert_eq!(present, json!(["PRESENT_STATE", { "Ada": true }]));
}

/// No browser asks the server before it opens a WebSocket with the visitor's cookie to another site.
#[rstest]
#[case::another_site("https://evil.example", false)]
#[case::no_site_at_all("null", false)]
#[case::interlinedlist("https://interlinedlist.example", true)]
#[case::one_that_is_allowed("https://app.example", true)]
#[tokio::test]
async fn only_pages_of_ours_open_a_socket(#[case] origin: &str, #[case] opens: bool) {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.allowed_origins = vec!["https://app.example".to_owned()];
    })
    .await
    .unwrap();
    let mut request = Socket::request(&app.address().to_string(), PROTOCOL);
    request
        .headers_mut()
        .insert("origin", origin.parse().unwrap());

    match Socket::open(request).await {
        Ok(_) => assert!(opens),
        Err(tungstenite::Error::Http(response)) => {
            assert!(!opens);
            assert_eq!(response.status().as_u16(), StatusCode::FORBIDDEN.as_u16());
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn operations_of_one_socket_are_bounded() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;
    for number in 0..100 {
        let id = number.to_string();
        socket.subscribe(&id, SUBSCRIPTION).await;
        socket.payload("next", &id).await;
    }

    socket.subscribe("one more", SUBSCRIPTION).await;

    let errors = socket.payload("error", "one more").await;
    assert_eq!(errors[0]["extensions"]["code"], "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn variables_are_checked_as_everywhere() {
    let (app, ada) = app().await;
    let mut socket = Socket::ready(&app, &ada).await;
    let payload = json!({ "query": "query($id: ID!) { node(id: $id) { id } }", "variables": { "id": Value::Null } });

    socket
        .say(json!({ "type": "subscribe", "id": "1", "payload": payload }))
        .await;

    let errors = socket.payload("error", "1").await;
    assert_eq!(errors[0]["extensions"]["code"], "BAD_USER_INPUT");
}
