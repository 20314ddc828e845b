//! What LinkedIn's refusals and failures mean.

use std::{sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde_json::Value;

/// Why an operation at LinkedIn gave no answer. No variant holds a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// [`super::Settings::application`] is missing.
    #[error("no application is configured")]
    NoApplication,
    /// LinkedIn does not know the token: the member must connect again.
    #[error("LinkedIn does not know the token")]
    InvalidToken,
    /// 401 without LinkedIn's own words: the member must connect again, unless something on the way said it.
    #[error("the token is refused without a reason")]
    Unauthorized,
    /// The member, or LinkedIn, took the token back: the member must connect again.
    #[error("the token was revoked")]
    RevokedToken,
    /// The token is past its 60 days: the member must connect again.
    #[error("the token has expired")]
    ExpiredToken,
    /// The token lacks a scope, or our application lacks a product.
    #[error("a scope or a product is missing at LinkedIn")]
    AccessDenied,
    /// There is no such thing, or it is not visible.
    #[error("LinkedIn has no such thing")]
    NotFound,
    /// Only the operator can help, with a newer [`super::Settings::version`].
    #[error("LinkedIn does not serve version {version} of its API, set a newer one")]
    VersionSunset {
        /// The version that was asked for.
        version: String,
    },
    /// A limit is used up; the daily ones start anew at 00:00 UTC.
    #[error("LinkedIn allows no more calls for now")]
    Throttled {
        /// How long to wait, if LinkedIn says so in seconds.
        retry_after: Option<Duration>,
    },
    /// OAuth's refusal of a code, a refresh token or our application.
    #[error("LinkedIn gives no token: {error}")]
    Refused {
        /// OAuth's code, such as `invalid_request` or `invalid_client`.
        error: String,
        /// LinkedIn's explanation, for the operator.
        description: Option<String>,
    },
    /// LinkedIn takes the call itself for wrong: our mistake, or a change at LinkedIn.
    #[error("LinkedIn rejects the call with status {status}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// LinkedIn's code, such as `PARAM_INVALID`.
        code: Option<String>,
    },
    /// LinkedIn's side, or the way to it: another time it may work.
    #[error("LinkedIn is not available")]
    Unavailable(#[from] Failure),
}

/// What was wrong with an answer, or that there was none.
#[derive(Clone, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Failure {
    #[error("there is no connection")]
    Unreachable(#[source] Arc<reqwest::Error>),
    #[error("the connection was lost")]
    Interrupted(#[source] Arc<reqwest::Error>),
    #[error("the answer did not come in time")]
    TimedOut,
    #[error("the whole operation did not end in time")]
    Deadline,
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the answer is not JSON")]
    NotJson,
    #[error("the answer has an unknown shape")]
    UnknownShape,
    #[error("the answer is too long")]
    TooLong,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for LinkedIn could not be set up")]
pub struct SetupError(#[from] reqwest::Error);

impl Error {
    /// A word for its class, of which there are few.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::NoApplication => "no_application",
            Self::InvalidToken | Self::Unauthorized | Self::RevokedToken | Self::ExpiredToken => {
                "token_refused"
            }
            Self::AccessDenied => "access_denied",
            Self::NotFound => "not_found",
            Self::VersionSunset { .. } => "version_sunset",
            Self::Throttled { .. } => "throttled",
            Self::Refused { .. } => "no_token_given",
            Self::Rejected { .. } => "rejected",
            Self::Unavailable(failure) => match failure {
                Failure::Unreachable(_) | Failure::Interrupted(_) => "unreachable",
                Failure::TimedOut | Failure::Deadline => "timed_out",
                Failure::Status(_) => "server_error",
                Failure::NotJson | Failure::UnknownShape | Failure::TooLong => "unusable_answer",
            },
        }
    }

    /// Whether all further calls with the same token and settings would fail in the same way.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::InvalidToken
                | Self::Unauthorized
                | Self::RevokedToken
                | Self::ExpiredToken
                | Self::VersionSunset { .. }
        )
    }
}

impl Failure {
    /// Whether the same call may well succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Interrupted(_) | Self::TimedOut | Self::NotJson => true,
            Self::Status(status) => *status >= 500,
            Self::Deadline | Self::UnknownShape | Self::TooLong => false,
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(cause: reqwest::Error) -> Self {
        let cause = Arc::new(cause.without_url());
        if cause.is_connect() {
            Self::Unreachable(cause)
        } else if cause.is_timeout() {
            Self::TimedOut
        } else {
            Self::Interrupted(cause)
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(cause: reqwest::Error) -> Self {
        Failure::from(cause).into()
    }
}

/// An answer other than success.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// `Null` if it was not JSON.
    pub(super) body: Value,
}

impl Refusal {
    /// Judged by `code`, then by `serviceErrorCode`, then as OAuth's, then by the status. The body may lack them all.
    pub(super) fn into_error(self, version: &str) -> Error {
        self.by_code(version)
            .or_else(|| self.by_service_error_code())
            .or_else(|| self.by_oauth_error())
            .unwrap_or_else(|| self.by_status(version))
    }

    fn by_code(&self, version: &str) -> Option<Error> {
        match self.word("code")? {
            "INVALID_ACCESS_TOKEN" | "EMPTY_ACCESS_TOKEN" => Some(Error::InvalidToken),
            "REVOKED_ACCESS_TOKEN" => Some(Error::RevokedToken),
            "EXPIRED_ACCESS_TOKEN" => Some(Error::ExpiredToken),
            "ACCESS_DENIED" => Some(Error::AccessDenied),
            "TOO_MANY_REQUESTS" => Some(self.throttled()),
            "NONEXISTENT_VERSION" | "INVALID_VERSION" => Some(version_sunset(version)),
            _ => None,
        }
    }

    fn by_service_error_code(&self) -> Option<Error> {
        match self.body.get("serviceErrorCode")?.as_u64()? {
            65600 | 65604 => Some(Error::InvalidToken),
            65601 => Some(Error::RevokedToken),
            65602 => Some(Error::ExpiredToken),
            100 => Some(Error::AccessDenied),
            101 => Some(self.throttled()),
            _ => None,
        }
    }

    fn by_oauth_error(&self) -> Option<Error> {
        let error = self.word("error")?;
        let refuses = self.status == StatusCode::BAD_REQUEST || error == "invalid_client";
        refuses.then(|| Error::Refused {
            error: error.to_owned(),
            description: self.text("error_description").map(str::to_owned),
        })
    }

    fn by_status(&self, version: &str) -> Error {
        match self.status {
            StatusCode::UNAUTHORIZED => Error::Unauthorized,
            StatusCode::FORBIDDEN => Error::AccessDenied,
            StatusCode::NOT_FOUND => Error::NotFound,
            StatusCode::REQUEST_TIMEOUT => Failure::TimedOut.into(),
            StatusCode::UPGRADE_REQUIRED => version_sunset(version),
            StatusCode::TOO_MANY_REQUESTS => self.throttled(),
            status if status.is_client_error() => Error::Rejected {
                status: status.as_u16(),
                code: self.word("code").map(str::to_owned),
            },
            status => Failure::Status(status.as_u16()).into(),
        }
    }

    fn throttled(&self) -> Error {
        Error::Throttled {
            retry_after: self.retry_after,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key)?.as_str()
    }

    /// A text that is a code, and so may be logged and shown.
    fn word(&self, key: &str) -> Option<&str> {
        let is_word = |text: &&str| {
            text.len() <= 64
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        self.text(key).filter(is_word)
    }
}

fn version_sunset(version: &str) -> Error {
    Error::VersionSunset {
        version: version.to_owned(),
    }
}
