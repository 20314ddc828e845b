use std::{convert::Infallible, sync::Arc};

use async_graphql::{Value, Variables};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request},
};
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
pub(super) struct Forwarder(Arc<Inner>);

struct Inner {
    api: Arc<Api>,
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

/// Extracted from a request's head, as it is: an extractor for the headers would copy them.
impl FromRequestParts<Forwarder> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(
        head: &mut request::Parts,
        forwarder: &Forwarder,
    ) -> Result<Self, Infallible> {
        Ok(forwarder.caller(&head.headers))
    }
}

impl Forwarder {
    pub(super) fn new(api: Arc<Api>) -> Result<Self, String> {
        Ok(Self(Arc::new(Inner {
            targets: api.parse(include_str!("documents/targets.graphql"))?,
            posting_targets: api.parse(include_str!("documents/posting_targets.graphql"))?,
            set_posting_targets: api
                .parse(include_str!("documents/set_posting_targets.graphql"))?,
            sync_pages: api.parse(include_str!("documents/sync_pages.graphql"))?,
            api,
        })))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.api.app.settings
    }

    /// One more sync by whoever sent these headers.
    pub(super) fn ask_to_sync(&self, headers: &HeaderMap) -> Option<Standing> {
        let credentials = auth::credentials(headers, self.settings());
        self.0.api.ask_to_sync(&credentials)
    }

    pub(super) fn caller(&self, headers: &HeaderMap) -> Caller {
        let credentials = auth::credentials(headers, self.settings());
        self.0.api.caller(credentials)
    }

    /// Runs an operation and reads its data.
    pub(super) async fn run<Data: DeserializeOwned>(
        &self,
        operation: Operation,
        caller: Caller,
    ) -> Result<Data, Refusal> {
        let (document, variables) = match operation {
            Operation::Targets => (&self.0.targets, json!({})),
            Operation::SyncPages => (&self.0.sync_pages, json!({})),
            Operation::PostingTargets => (&self.0.posting_targets, json!({})),
            Operation::SetPostingTargets(targets) => (
                &self.0.set_posting_targets,
                json!({ "input": { "targets": targets } }),
            ),
        };
        let variables = Variables::from_json(variables);
        let response = self.0.api.run(document, variables, caller).await;
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
