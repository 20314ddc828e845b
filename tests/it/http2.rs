//! HTTP/2, as a proxy may speak it to the server: which host a request is for stands elsewhere than in HTTP/1.1.

use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{HOST, ORIGIN},
    redirect,
};
use rstest::rstest;
use serde_json::json;

use crate::support::{
    app::{Ask, Person, TestApp},
    database::Backend,
    demo::Demo,
};

#[tokio::test]
async fn a_page_of_the_address_that_is_asked_uses_the_visitors_cookie() {
    let (app, ada) = scene().await;

    let request = ask_for_targets(&app, &ada).header(ORIGIN, app.url(""));
    let reply = request.reply().await;

    assert_eq!(
        reply.data(),
        json!({ "linkedInTargets": [{ "label": "Ada" }] })
    );
}

#[rstest]
#[case::host("http://elsewhere.example")]
#[case::port("http://127.0.0.1:9")]
#[case::scheme("ftp://127.0.0.1")]
#[case::nothing("null")]
#[tokio::test]
async fn a_page_of_another_address_does_not(#[case] origin: &str) {
    let (app, ada) = scene().await;

    let reply = ask_for_targets(&app, &ada)
        .header(ORIGIN, origin)
        .reply()
        .await;

    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert_eq!(reply.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn a_host_beside_the_authority_is_the_same_or_the_request_is_refused() {
    let (app, ada) = scene().await;
    let page_elsewhere = "http://elsewhere.example";

    let same = ask_for_targets(&app, &ada).header(HOST, app.address().to_string());
    let other = ask_for_targets(&app, &ada)
        .header(HOST, "elsewhere.example")
        .header(ORIGIN, page_elsewhere);

    let statuses = [same.reply().await.status, other.reply().await.status];
    assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_REQUEST]);
}

#[tokio::test]
async fn the_demo_signs_in_whoever_asks_for_this_machine() {
    let demo = Demo::start();

    let people = http2().get(format!("{}/", demo.address)).send();
    let people = people.await.unwrap();
    let alice = http2().get(format!("{}/demo/sign-in/alice", demo.address));
    let alice = alice.send().await.unwrap();

    assert_eq!(people.status(), StatusCode::OK);
    assert!(people.text().await.unwrap().contains("/demo/sign-in/alice"));
    assert_eq!(alice.status(), StatusCode::SEE_OTHER);
    assert!(alice.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn the_demo_is_not_there_under_another_name() {
    let demo = Demo::start();
    let (_, port) = demo.address.rsplit_once(':').unwrap();
    let here = format!("127.0.0.1:{port}").parse().unwrap();
    let misled = Client::builder()
        .http2_prior_knowledge()
        .resolve("elsewhere.example", here);

    let request = misled.build().unwrap();
    let request = request.get(format!("http://elsewhere.example:{port}/"));
    let response = request.send().await.unwrap();

    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
}

async fn scene() -> (TestApp, Person) {
    let app = TestApp::new(Backend::Sqlite).await.unwrap();
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    (app, ada)
}

fn ask_for_targets(app: &TestApp, person: &Person) -> RequestBuilder {
    http2()
        .request(Method::POST, app.url("/graphql"))
        .by(person)
        .json(&json!({ "query": "{ linkedInTargets { ... on Personal { label } } }" }))
}

/// Speaks nothing else, and takes redirects for answers.
fn http2() -> Client {
    Client::builder()
        .http2_prior_knowledge()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}
