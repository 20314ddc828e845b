//! Subscriptions: what is sent when, and by which protocols.

mod changes;
mod others;
mod over_http;
mod over_websocket;
mod stopping;

use serde_json::{Value, json};

use crate::support::{
    app::{Person, TestApp},
    events::Arriving,
};

const EVENTS: &str = "text/event-stream";

const SUBSCRIPTION: &str = "subscription {
    linkedInPostingPreferencesChanged {
        reason
        preferences { targets { enabled target { ... on LinkedInDestination { label } } } }
    }
}";

const DISABLE_ALL: &str =
    "mutation { setLinkedInPostingPreferences(input: { targets: [] }) { __typename } }";

const ENABLE_PERSONAL: &str = "mutation { setLinkedInPostingPreferences(input: { targets: [{ personal: VIEWER }] }) { __typename } }";

/// What an event says, in short: its reason, and each target with whether it is enabled.
fn short(mut answer: Value) -> Value {
    if answer.get("errors").is_some() {
        return answer["errors"][0]["extensions"]["code"].take();
    }
    let mut change = answer["data"]["linkedInPostingPreferencesChanged"].take();
    let targets = change["preferences"]["targets"].as_array().unwrap();
    let targets: serde_json::Map<_, _> = targets
        .iter()
        .map(|entry| {
            let label = entry["target"]["label"].as_str().unwrap();
            (label.to_owned(), entry["enabled"].clone())
        })
        .collect();
    json!([change["reason"].take(), targets])
}

/// Somebody who follows their preferences.
struct Follower(Arriving);

impl Follower {
    /// Has read the present state.
    async fn new(app: &TestApp, person: &Person) -> Self {
        let mut follower = Self::unread(app, person).await;
        assert_eq!(follower.next().await[0], "PRESENT_STATE");
        follower
    }

    /// Has read nothing yet.
    async fn unread(app: &TestApp, person: &Person) -> Self {
        Self(Arriving::post(app, person, EVENTS, SUBSCRIPTION).await)
    }

    /// The next event in short, or the code of the error that it is.
    async fn next(&mut self) -> Value {
        let (name, data) = self.0.event().await.expect("another event");
        assert_eq!(name, "next");
        short(data)
    }

    /// That there are no more events.
    async fn ends(mut self) {
        assert_eq!(
            self.0.event().await,
            Some(("complete".to_owned(), Value::Null))
        );
        assert_eq!(self.0.rest().await, "");
    }
}
