use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::error::Error;

/// What the documents select is read in these types, and written as REST clients know it.
#[derive(Deserialize, Serialize)]
pub(super) struct Targets {
    targets: Vec<Target>,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
enum Target {
    #[serde(rename(serialize = "personal"))]
    Personal {
        label: String,
        avatar_url: Option<String>,
    },
    #[serde(rename(serialize = "orgPage"))]
    OrgPage {
        page_id: String,
        linked_in_page_id: String,
        label: String,
        logo_url: Option<String>,
    },
    #[serde(rename(serialize = "personalPage"))]
    PersonalPage {
        personal_page_id: String,
        linked_in_page_id: String,
        label: String,
        logo_url: Option<String>,
    },
}

#[derive(Deserialize)]
pub(super) struct PostingTargets {
    pub(super) preferences: Preferences,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Preferences {
    targets: Vec<PostingTarget>,
    /// Left out after a save.
    #[serde(skip_serializing_if = "Option::is_none")]
    org_scope_missing: Option<bool>,
}

#[derive(Deserialize)]
struct PostingTarget {
    target: Target,
    enabled: bool,
}

impl Serialize for PostingTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'a> {
            #[serde(flatten)]
            target: &'a Target,
            enabled: bool,
        }
        Flat {
            target: &self.target,
            enabled: self.enabled,
        }
        .serialize(serializer)
    }
}

#[derive(Deserialize)]
pub(super) struct SetPostingTargets {
    pub(super) outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
pub(super) enum Outcome {
    #[serde(rename = "SetLinkedInPostingPreferencesSuccess")]
    Saved { preferences: Preferences },
    #[serde(rename = "LinkedInTargetsUnavailable")]
    Unavailable { message: String },
}

#[derive(Deserialize)]
pub(super) struct SyncPages {
    pub(super) outcome: SyncOutcome,
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
pub(super) enum SyncOutcome {
    #[serde(rename = "SyncLinkedInPagesSuccess")]
    Synced { report: Pages },
    #[serde(rename = "LinkedInReconnectRequired")]
    Reconnect { code: String },
    #[serde(rename = "LinkedInUnavailable")]
    Unavailable {},
}

#[derive(Deserialize, Serialize)]
pub(super) struct Pages {
    pages: Vec<Page>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    id: String,
    linked_in_page_id: String,
    page_name: String,
    page_logo_url: Option<String>,
    last_synced_at: Option<String>,
}

/// Every answer that is not the one asked for.
#[derive(Debug)]
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

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match &self {
            Self::NotLinked => (StatusCode::BAD_REQUEST, NOT_LINKED),
            Self::OrgScopeMissing => (StatusCode::BAD_REQUEST, ORG_SCOPE_MISSING),
            Self::SyncFailed => (
                StatusCode::BAD_GATEWAY,
                "Failed to sync LinkedIn company pages",
            ),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "Cross-site request refused"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
            Self::Invalid(message) => (StatusCode::BAD_REQUEST, *message),
            Self::Unavailable(message) => (StatusCode::BAD_REQUEST, message.as_str()),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::ServiceUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
        };
        let code = match &self {
            Self::NotLinked => Some("not_linked"),
            Self::OrgScopeMissing => Some("org_scope_missing"),
            _ => None,
        };
        let body = Body {
            error: message,
            code,
        };
        let mut response = (status, json(&body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// 200 with a JSON body.
pub(super) fn ok(body: &impl Serialize) -> Response {
    json(body).into_response()
}

/// Answers are about one person at one moment: no cache keeps them.
pub(super) const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];

fn json(body: &impl Serialize) -> impl IntoResponse {
    const TYPE: [(HeaderName, HeaderValue); 1] =
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    serde_json::to_vec(body)
        .map(|body| (TYPE, NO_STORE, body))
        .map_err(|cause| {
            tracing::error!(error = %cause, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR
        })
}
