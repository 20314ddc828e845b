//! Answers that go on, read as they come.

use std::time::Duration;

use reqwest::{
    Method, Response, StatusCode,
    header::{ACCEPT, HeaderMap},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::app::{Ask, Person, TestApp};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer under way.
pub(crate) struct Arriving {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    response: Response,
    /// What has come and was not read yet.
    text: String,
}

impl Arriving {
    /// Asks for an operation, by POST.
    pub(crate) async fn post(app: &TestApp, person: &Person, accept: &str, query: &str) -> Self {
        let request = app
            .request(Method::POST, "/graphql")
            .by(person)
            .header(ACCEPT, accept)
            .json(&json!({ "query": query }));
        Self::new(request.send().await.unwrap())
    }

    pub(crate) fn new(response: Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            response,
            text: String::new(),
        }
    }

    /// What comes until these characters, and they themselves. `None` when the answer ends before.
    pub(crate) async fn until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.text.find(end) {
                let rest = self.text.split_off(at + end.len());
                return Some(std::mem::replace(&mut self.text, rest));
            }
            // An answer that breaks off is an error to the client.
            let chunk = timeout(PATIENCE, self.response.chunk())
                .await
                .expect("the answer goes on")
                .ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next Server-Sent Event that is no comment: its name and its data.
    pub(crate) async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.until("\n\n").await?;
            let field = |name: &str| {
                let mut lines = block.lines();
                lines.find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned()))
            };
            if let Some(name) = field("event:") {
                let data = field("data:").unwrap_or_default();
                let data = match data.as_str() {
                    "" => Value::Null,
                    data => serde_json::from_str(data).unwrap(),
                };
                return Some((name, data));
            }
        }
    }

    /// The rest, when the answer has ended.
    pub(crate) async fn rest(mut self) -> String {
        while let Ok(Some(chunk)) = timeout(PATIENCE, self.response.chunk()).await.unwrap() {
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        self.text
    }
}
