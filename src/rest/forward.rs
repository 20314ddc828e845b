use std::sync::Arc;

use async_graphql::{Value, Variables};
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::refusal::Refusal;
use crate::{
    app::Settings,
    auth,
    graphql::{self, Api, Code, context::Caller},
    rate_limits::Standing,
};

/// The documents of all operations, parsed once and checked against the schema.
#[derive(Clone)]
pub(super) struct Forwarder {
    api: Arc<Api>,
    documents: Arc<Documents>,
}

struct Documents {
    targets: Arc<graphql::Operation>,
    posting_targets: Arc<graphql::Operation>,
    set_posting_targets: Arc<graphql::Operation>,
    sync_pages: Arc<graphql::Operation>,
}

/// A document to run, with its variables.
pub(super) enum Operation {
    Targets,
    PostingTargets,
    /// Takes the list that `LinkedInTargetInput` describes.
    SetPostingTargets(Vec<serde_json::Value>),
    SyncPages,
}

impl Forwarder {
    pub(super) fn new(api: Arc<Api>) -> Result<Self, String> {
        let documents = Documents {
            targets: api.parse(include_str!("documents/targets.graphql"))?,
            posting_targets: api.parse(include_str!("documents/posting_targets.graphql"))?,
            set_posting_targets: api
                .parse(include_str!("documents/set_posting_targets.graphql"))?,
            sync_pages: api.parse(include_str!("documents/sync_pages.graphql"))?,
        };
        Ok(Self {
            api,
            documents: Arc::new(documents),
        })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.api.app.settings
    }

    /// One more sync by whoever sent these headers.
    pub(super) fn ask_to_sync(&self, headers: &HeaderMap) -> Option<Standing> {
        let credentials = auth::credentials(headers, self.settings());
        self.api.ask_to_sync(&credentials)
    }

    pub(super) fn caller(&self, headers: &HeaderMap) -> Caller {
        self.api.caller(auth::credentials(headers, self.settings()))
    }

    /// Runs an operation and reads its data.
    pub(super) async fn run<Data: DeserializeOwned>(
        &self,
        operation: Operation,
        caller: Caller,
    ) -> Result<Data, Refusal> {
        let (document, variables) = match operation {
            Operation::Targets => (&self.documents.targets, json!({})),
            Operation::SyncPages => (&self.documents.sync_pages, json!({})),
            Operation::PostingTargets => (&self.documents.posting_targets, json!({})),
            Operation::SetPostingTargets(targets) => (
                &self.documents.set_posting_targets,
                json!({ "input": { "targets": targets } }),
            ),
        };
        let variables = Variables::from_json(variables);
        let response = self.api.run(document, variables, caller).await;
        if let Some(error) = response.errors.first() {
            let code = error
                .extensions
                .as_ref()
                .and_then(|extensions| extensions.get("code"));
            return Err(match code {
                Some(Value::String(code)) if code == Code::Unauthenticated.as_str() => {
                    Refusal::Unauthorized
                }
                Some(Value::String(code)) if code == Code::Unavailable.as_str() => {
                    Refusal::ServiceUnavailable
                }
                _ => Refusal::Internal,
            });
        }
        async_graphql::from_value(response.data).map_err(|cause| {
            tracing::error!(error = %cause, "an answer of the schema has another shape than its document asks for");
            Refusal::Internal
        })
    }
}
