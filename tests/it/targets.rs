//! Which targets a person has, and in which order.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::support::{
    app::{Ask, TestApp},
    database::Backend,
};

#[rstest]
#[tokio::test]
async fn one_statement_answers_who_asks_and_what_they_can_post_to(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
    #[values("/api/linkedin/targets", "/api/linkedin/posting-targets")] path: &str,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;

    let reply = app.get(path, &ada).await;

    assert_eq!(reply.status, 200);
    assert_eq!(app.take_statements().len(), 1);
}

#[rstest]
#[tokio::test]
async fn nobody_costs_no_statement(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };

    let reply = app
        .request(Method::GET, "/api/linkedin/targets")
        .reply()
        .await;

    assert_eq!(reply.json(), json!({ "error": "Unauthorized" }));
    assert_eq!(app.take_statements(), [""; 0]);
}
