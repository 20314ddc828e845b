use axum::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::json;
use crate::domain::error::Error;

/// Every answer that is not the one asked for.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// The caller must link LinkedIn.
    NotLinked,
    /// The caller must connect LinkedIn again.
    OrgScopeMissing,
    SyncFailed,
    Unauthorized,
    CrossSite,
    BodyTooLarge,
    Invalid(&'static str),
    /// A target that is not the caller's; the sentence comes from the domain.
    Unavailable(String),
    NotFound,
    MethodNotAllowed,
    ServiceUnavailable,
    TooManyRequests,
    Internal,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        error.log();
        match error {
            Error::Unauthenticated => Self::Unauthorized,
            Error::Unavailable(_) => Self::ServiceUnavailable,
            Error::Storage(_) | Error::Panicked => Self::Internal,
        }
    }
}

const NOT_LINKED: &str = "Your LinkedIn account is not linked";
const ORG_SCOPE_MISSING: &str = "Your LinkedIn connection does not include company page access. Reconnect LinkedIn to \
    grant the required permissions.";

/// Why a request was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct Body<'a> {
    /// A sentence for people.
    pub(super) error: &'a str,
    /// The reason, where a client can do something about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) code: Option<Code>,
}

/// What is in the way: LinkedIn was never linked, or must be connected again, with the permission for company pages.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErrorCode)]
pub(super) enum Code {
    NotLinked,
    OrgScopeMissing,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotLinked | Self::OrgScopeMissing | Self::Invalid(_) | Self::Unavailable(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::SyncFailed => StatusCode::BAD_GATEWAY,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    pub(super) fn body(&self) -> Body<'_> {
        let error = match self {
            Self::NotLinked => NOT_LINKED,
            Self::OrgScopeMissing => ORG_SCOPE_MISSING,
            Self::SyncFailed => "Failed to sync LinkedIn company pages",
            Self::Unauthorized => "Unauthorized",
            Self::CrossSite => "Cross-site request refused",
            Self::BodyTooLarge => "Request body too large",
            Self::Invalid(message) => message,
            Self::Unavailable(message) => message,
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::ServiceUnavailable => "Service unavailable",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "Internal server error",
        };
        let code = match self {
            Self::NotLinked => Some(Code::NotLinked),
            Self::OrgScopeMissing => Some(Code::OrgScopeMissing),
            _ => None,
        };
        Body { error, code }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), json(&self.body())).into_response();
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}
