use chrono::{Datelike, NaiveDateTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::linkedin;

/// Why no pages were fetched. Nothing stored has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Problem {
    NotLinked,
    /// The connection is past its end, or never held a token.
    Expired,
    Revoked,
    OrgScopeMissing,
    /// Until `retry_at`, when LinkedIn said so.
    Throttled {
        retry_at: Option<NaiveDateTime>,
    },
    /// LinkedIn no longer speaks the version of its API that is configured.
    VersionSunset,
    /// LinkedIn does not answer, or makes no sense.
    Unavailable,
}

/// Later moments cannot be written as clients read them.
const LAST_YEAR: i32 = 9999;

impl Problem {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::NotLinked => "not_linked",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::OrgScopeMissing => "org_scope_missing",
            Self::Throttled { .. } => "throttled",
            Self::VersionSunset => "version_sunset",
            Self::Unavailable => "unavailable",
        }
    }

    /// The sentence that clients show.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Self::NotLinked => "Your LinkedIn account is not linked",
            Self::Expired => "Your LinkedIn connection has expired. Reconnect LinkedIn.",
            Self::Revoked => "LinkedIn no longer accepts your connection. Reconnect LinkedIn.",
            Self::OrgScopeMissing => {
                "Your LinkedIn connection does not include company page access. Reconnect LinkedIn to grant the \
                 required permissions."
            }
            Self::Throttled { .. } => {
                "LinkedIn takes no more requests for now. Its daily limits begin anew at 00:00 UTC."
            }
            Self::VersionSunset => {
                "LinkedIn no longer serves the version of its API that this server speaks. Its operator must act."
            }
            Self::Unavailable => {
                "LinkedIn could not be reached, or gave no usable answer. Try again later."
            }
        }
    }

    pub(super) fn new(cause: &linkedin::Error, now: NaiveDateTime) -> Self {
        match cause {
            linkedin::Error::ExpiredToken => Self::Expired,
            linkedin::Error::InvalidToken
            | linkedin::Error::RevokedToken
            | linkedin::Error::Unauthorized => Self::Revoked,
            linkedin::Error::AccessDenied => Self::OrgScopeMissing,
            linkedin::Error::Throttled { retry_after } => Self::Throttled {
                retry_at: retry_after
                    .and_then(|after| now.checked_add_signed(TimeDelta::from_std(after).ok()?))
                    .filter(|at| at.year() <= LAST_YEAR),
            },
            linkedin::Error::VersionSunset { .. } => Self::VersionSunset,
            _ => Self::Unavailable,
        }
    }

    /// Whether LinkedIn itself has said that the token is good for nothing more.
    pub(super) fn is_end_of_token(cause: &linkedin::Error) -> bool {
        matches!(
            cause,
            linkedin::Error::InvalidToken
                | linkedin::Error::RevokedToken
                | linkedin::Error::ExpiredToken
        )
    }

    pub(super) fn log(&self, cause: &linkedin::Error) {
        match self {
            Self::VersionSunset => tracing::error!(
                error = %cause,
                "LinkedIn no longer serves the configured version of its API: set LINKEDIN_VERSION to a newer one"
            ),
            Self::Unavailable | Self::Throttled { .. } => {
                tracing::warn!(
                    error = cause as &dyn std::error::Error,
                    "LinkedIn did not list the pages"
                );
            }
            _ => tracing::info!(error = %cause, "LinkedIn refused the connection"),
        }
    }
}
