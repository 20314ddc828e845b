//! What a client asks to be executed, however it came.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::graphql::{
    Api,
    document::{self, Document, Operation, Reference},
    error::{Code, RequestError},
};
use crate::manifest::SHA_256;

/// The parameters of one request, of the right types.
#[derive(Debug)]
pub(super) struct Parameters {
    document: Reference,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
}

/// What a request may hold.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Extensions>,
}

/// Others than these are nobody's business.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    persisted_query: Option<Value>,
}

/// Apollo's protocol of automatic persisted queries.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery {
    version: Value,
    sha256_hash: String,
}

/// A valid document, and which of its operations is to be run.
pub(super) struct Prepared {
    document: Arc<Document>,
    pub(super) operation: Arc<Operation>,
    variables: Map<String, Value>,
}

impl Parameters {
    pub(super) fn new(body: Value) -> Result<Self, RequestError> {
        let body = match body {
            Value::Object(body) => body,
            Value::Array(_) => {
                let message = "Send one operation at a time: batches are not taken.";
                return Err(bad_input(message));
            }
            _ => {
                let message = "The body must be a JSON object with a `query`.";
                return Err(bad_input(message));
            }
        };
        let of_type = |name: &str, wanted: &str, is_fine: fn(&Value) -> bool| match body.get(name) {
            None | Some(Value::Null) => Ok(()),
            Some(value) if is_fine(value) => Ok(()),
            Some(_) => Err(bad_input(format!("`{name}` must be {wanted}."))),
        };
        of_type("query", "a string", Value::is_string)?;
        of_type("documentId", "a string", Value::is_string)?;
        of_type("operationName", "a string", Value::is_string)?;
        of_type("variables", "an object", Value::is_object)?;
        of_type("extensions", "an object", Value::is_object)?;
        let body: Body = serde_json::from_value(Value::Object(body))
            .map_err(|cause| bad_input(format!("{cause}.")))?;
        let hash = body.extensions.unwrap_or_default().hash()?;
        Ok(Self {
            document: reference(body.query, body.document_id, hash)?,
            operation_name: body.operation_name,
            variables: body.variables,
        })
    }

    /// Whether the document stands somewhere else than in the request.
    pub(super) fn are_persisted(&self) -> bool {
        !matches!(self.document, Reference::Text(_))
    }
}

impl Extensions {
    fn hash(self) -> Result<Option<String>, RequestError> {
        let Some(persisted) = self.persisted_query else {
            return Ok(None);
        };
        let PersistedQuery {
            version,
            sha256_hash,
        } = serde_json::from_value(persisted).map_err(|_| {
            bad_input("`extensions.persistedQuery` must have `version` 1 and a `sha256Hash`.")
        })?;
        if version == 1 {
            Ok(Some(sha256_hash))
        } else {
            Err(bad_input(
                "`extensions.persistedQuery.version` must be 1: there is no other.",
            ))
        }
    }
}

/// `document_id` is GraphQL over HTTP's way to name a document, `hash` Apollo's.
fn reference(
    query: Option<String>,
    document_id: Option<String>,
    hash: Option<String>,
) -> Result<Reference, RequestError> {
    let document_id = document_id.map(|id| match id.strip_prefix(SHA_256) {
        Some(hash) => hash.to_owned(),
        None => id,
    });
    let id = match (document_id, hash) {
        (Some(id), Some(hash)) if id != hash => {
            let message = "`documentId` and `extensions.persistedQuery` name two documents.";
            return Err(bad_input(message));
        }
        (id, hash) => id.or(hash),
    };
    match (query, id) {
        // What was sent in full is found by its hash from then on.
        (Some(text), Some(id)) if document::hash(&text) != id => Err(bad_input(
            "The hash that was sent with `query` is not the SHA-256 of it.",
        )),
        (Some(text), _) => Ok(Reference::Text(text)),
        (None, Some(id)) => Ok(Reference::Id(id)),
        (None, None) => Err(bad_input(
            "There is no `query`: send the GraphQL document in it.",
        )),
    }
}

impl Api {
    /// The document, and the operation in it.
    pub(super) fn prepare(&self, parameters: Parameters) -> Result<Prepared, Vec<RequestError>> {
        let Parameters {
            document,
            operation_name,
            variables,
        } = parameters;
        let document = self.documents.find(&document)?;
        let operation = document
            .operation(operation_name.as_deref())
            .map_err(|error| vec![error])?;
        tracing::Span::current()
            .record("graphql.operation", operation.name().unwrap_or("anonymous"));
        Ok(Prepared {
            document,
            operation,
            variables: variables.unwrap_or_default(),
        })
    }

    /// What to execute, when the variables fit.
    pub(super) fn request(&self, prepared: Prepared) -> Result<Request, Vec<RequestError>> {
        let Prepared {
            document,
            operation,
            variables,
        } = prepared;
        self.documents
            .check_variables(&document, &operation, &variables)?;
        let variables = Variables::from_json(Value::Object(variables));
        Ok(self.documents.request(&operation, variables))
    }
}

fn bad_input(message: impl Into<String>) -> RequestError {
    RequestError::new(Code::BadUserInput, message)
}
