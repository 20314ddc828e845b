//! What a client asks to be executed, however it came.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::graphql::{
    Api,
    document::{Document, Operation},
    error::{Code, RequestError},
};

/// The parameters of one request, of the right types.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    #[serde(rename = "extensions")]
    _extensions: Option<Map<String, Value>>,
}

/// A valid document, and which of its operations is to be run.
pub(super) struct Prepared {
    document: Arc<Document>,
    pub(super) operation: Arc<Operation>,
    operation_name: Option<String>,
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
        of_type("operationName", "a string", Value::is_string)?;
        of_type("variables", "an object", Value::is_object)?;
        of_type("extensions", "an object", Value::is_object)?;
        if !body.get("query").is_some_and(Value::is_string) {
            let message = "There is no `query`: send the GraphQL document in it.";
            return Err(bad_input(message));
        }
        serde_json::from_value(Value::Object(body)).map_err(|cause| bad_input(format!("{cause}.")))
    }
}

impl Api {
    /// The document, and the operation in it.
    pub(super) fn prepare(&self, parameters: Parameters) -> Result<Prepared, Vec<RequestError>> {
        let Parameters {
            query,
            operation_name,
            variables,
            ..
        } = parameters;
        let document = self.documents.prepare(&query)?;
        let operation = document
            .operation(operation_name.as_deref())
            .map_err(|error| vec![error])?;
        tracing::Span::current()
            .record("graphql.operation", operation.name().unwrap_or("anonymous"));
        Ok(Prepared {
            document,
            operation,
            operation_name,
            variables: variables.unwrap_or_default(),
        })
    }

    /// What to execute, when the variables fit.
    pub(super) fn request(&self, prepared: Prepared) -> Result<Request, Vec<RequestError>> {
        let Prepared {
            document,
            operation,
            operation_name,
            variables,
        } = prepared;
        self.documents
            .check_variables(&document, &operation, &variables)?;
        let variables = Variables::from_json(Value::Object(variables));
        let mut request = Request::new("").variables(variables);
        request.operation_name = operation_name;
        request.set_parsed_query(document.executable());
        Ok(request)
    }
}

fn bad_input(message: impl Into<String>) -> RequestError {
    RequestError::new(Code::BadUserInput, message)
}
