use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Pos, ServerError, Value};

use crate::{domain::error::Error, metrics::Outcome};

/// What a client can branch on: `extensions.code` of every error that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    ParseFailed,
    ValidationFailed,
    BadUserInput,
    OperationResolutionFailure,
    QueryTooComplex,
    PersistedQueryNotFound,
    PersistedQueryNotInList,
    Unauthenticated,
    Forbidden,
    MethodNotAllowed,
    Timeout,
    Unavailable,
    RateLimited,
    Internal,
}

impl Code {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryNotInList => "PERSISTED_QUERY_NOT_IN_LIST",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::RateLimited => "RATE_LIMITED",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }
}

/// What answering these errors means for the server's own account of itself.
pub(crate) fn outcome(errors: &[ServerError]) -> Outcome {
    let of_code = |code: &str| match code {
        "TIMEOUT" | "UNAVAILABLE" => Outcome::Unavailable,
        "INTERNAL_SERVER_ERROR" => Outcome::Failed,
        _ => Outcome::Refused,
    };
    let of_error = |error: &ServerError| match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(of_code(code)),
        _ => None,
    };
    let outcomes = errors
        .iter()
        .map(|error| of_error(error).unwrap_or(Outcome::Failed));
    outcomes.max().unwrap_or(Outcome::Ok)
}

/// Why a request was not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestError {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) locations: Vec<Pos>,
}

impl RequestError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            locations: Vec::new(),
        }
    }
}

impl From<RequestError> for ServerError {
    fn from(error: RequestError) -> Self {
        let mut answer = Self::new(error.message, None);
        answer.locations = error.locations;
        answer.extensions = Some(extensions(error.code));
        answer
    }
}

/// A resolver's failure. It has no `Display`, so that nothing but the domain's errors passes through `?`, and no
/// cause ever becomes a message.
#[derive(Clone, Debug)]
pub(crate) struct ApiError(Error);

impl From<Error> for ApiError {
    fn from(cause: Error) -> Self {
        Self(cause)
    }
}

impl From<ApiError> for async_graphql::Error {
    fn from(ApiError(cause): ApiError) -> Self {
        let (code, message) = public(&cause);
        Self {
            message: message.to_owned(),
            source: Some(Arc::new(cause)),
            extensions: Some(extensions(code)),
        }
    }
}

pub(crate) fn public(error: &Error) -> (Code, &'static str) {
    match error {
        Error::Unauthenticated => (
            Code::Unauthenticated,
            "Sign in first: the request carries no live session and no valid token.",
        ),
        Error::Unavailable(_) => (
            Code::Unavailable,
            "The database cannot be reached right now. Try again in a moment.",
        ),
        Error::Storage(_) | Error::Panicked => (Code::Internal, INTERNAL_MESSAGE),
    }
}

pub(crate) const INTERNAL_MESSAGE: &str =
    "Something went wrong on our side. If it stays so, report the x-request-id of this answer.";

pub(crate) fn extensions(code: Code) -> ErrorExtensionValues {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code.as_str());
    extensions
}
