use sea_orm::DbErr;

use crate::storage::failure;

/// Why an operation gave no answer. What a person can correct by other input is data, not this.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no live session and no valid token")]
    Unauthenticated,
    #[error("the database is not available")]
    Unavailable(#[source] DbErr),
    #[error("storage failed")]
    Storage(#[source] DbErr),
    #[error("work that others waited for panicked")]
    Panicked,
}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Self {
        Self::Storage(DbErr::Json(cause.to_string()))
    }
}

impl From<DbErr> for Error {
    fn from(cause: DbErr) -> Self {
        if failure::is_unavailable(&cause) {
            Self::Unavailable(cause)
        } else {
            Self::Storage(cause)
        }
    }
}

impl Error {
    /// What it is when the last attempt has failed: of contention that does not end, the statement is not to blame.
    pub(super) fn at_last(self) -> Self {
        match self {
            Self::Storage(cause) if failure::is_contention(&cause) => Self::Unavailable(cause),
            error => error,
        }
    }

    /// Tells the operator of a fault of ours, with its cause. A caller's own mistake is not one.
    pub(crate) fn log(&self) {
        match self {
            Self::Unauthenticated => {}
            Self::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the database is not available")
            }
            Self::Storage(cause) => tracing::error!(error = %cause, "storage failed"),
            // The panic itself was logged where it happened.
            Self::Panicked => {}
        }
    }
}
