//! A server that stops does not wait for subscribers, and tells them to go elsewhere.

use serde_json::json;

use super::{EVENTS, SUBSCRIPTION};
use crate::support::{
    app::TestApp,
    database::Backend,
    events::Arriving,
    member::{long_lived, serve},
    socket::{PROTOCOL, Socket},
};

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_end_with_the_server() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = long_lived(&app, "ada").await;
    let server = serve(&app, &[]);
    let cookie = format!("session={}", ada.session);
    let request = reqwest::Client::new()
        .post(server.url("/graphql"))
        .header("cookie", &cookie)
        .header("accept", EVENTS)
        .json(&json!({ "query": SUBSCRIPTION }));
    let mut events = Arriving::new(request.send().await.unwrap());
    assert_eq!(events.event().await.unwrap().0, "next");
    let mut request = Socket::request(&server.address, PROTOCOL);
    request
        .headers_mut()
        .insert("cookie", cookie.parse().unwrap());
    let mut socket = Socket::open(request).await.unwrap();
    socket.say(json!({ "type": "connection_init" })).await;
    socket.hear().await.unwrap();

    server.ask_to_stop();

    // Without an end: one that the client takes for the end would not make it come back.
    assert_eq!(events.event().await, None);
    let away = (1001, "The server is stopping".to_owned());
    assert_eq!(socket.hear().await, Err(away));
    let (_, code) = server.end();
    assert_eq!(code, Some(0));
}

/// What was promised as the most, holds for WebSockets and events alike.
#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_most_there_is_no_room() {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = long_lived(&app, "ada").await;
    let server = serve(&app, &[("MAX_SUBSCRIPTIONS", "1")]);
    let request = || {
        reqwest::Client::new()
            .post(server.url("/graphql"))
            .header("cookie", format!("session={}", ada.session))
            .header("accept", EVENTS)
            .json(&json!({ "query": SUBSCRIPTION }))
    };
    let mut first = Arriving::new(request().send().await.unwrap());
    first.event().await.unwrap();

    let second = request().send().await.unwrap();
    let socket = Socket::open(Socket::request(&server.address, PROTOCOL)).await;

    assert_eq!(second.status(), 503);
    assert_eq!(second.headers()["retry-after"], "1");
    let body: serde_json::Value = second.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    let error = socket.err().unwrap().to_string();
    assert!(error.contains("503"), "{error}");
}
