use std::collections::BTreeMap;

use axum::{
    extract::rejection::{FormRejection, QueryRejection},
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use url::Url;
use utoipa::{
    IntoResponses, PartialSchema,
    openapi::{self, Content, RefOr, ResponseBuilder, header::Header},
};

use super::redirect;
use crate::{domain::error::Error, pages};

/// Why the way ends here.
pub(super) enum Stop {
    SignIn(Url),
    Refused(Url),
    Unreadable,
    CrossSite,
    Failed(Error),
}

impl From<QueryRejection> for Stop {
    fn from(_: QueryRejection) -> Self {
        Self::Unreadable
    }
}

impl From<FormRejection> for Stop {
    fn from(_: FormRejection) -> Self {
        Self::Unreadable
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(address) | Self::Refused(address) => redirect(&address, None),
            Self::Unreadable => {
                (StatusCode::BAD_REQUEST, "The request cannot be read.\n").into_response()
            }
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "Cross-site request refused.\n").into_response()
            }
            Self::Failed(cause) => {
                cause.log();
                if matches!(cause, Error::Unavailable(_)) {
                    let text = "The database is not available. Please try again in a moment.\n";
                    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], text).into_response()
                } else {
                    pages::failed()
                }
            }
        }
    }
}

/// What every step may be answered with, besides a redirect.
impl IntoResponses for Stop {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let text = |meaning: &str| {
            let content = Content::new(Some(String::schema()));
            ResponseBuilder::new()
                .description(meaning)
                .content("text/plain", content)
        };
        let wait = Header::new(String::schema());
        let unavailable = text(
            "The database cannot be reached, the request took too long, or the server has too much to do.",
        );
        let too_many = text("The person, or their address, asks too often.");
        BTreeMap::from([
            ("400".to_owned(), text("The request cannot be read.").into()),
            ("500".to_owned(), text("A fault of the server.").into()),
            (
                "503".to_owned(),
                unavailable.header("Retry-After", wait.clone()).into(),
            ),
            (
                "429".to_owned(),
                too_many.header("Retry-After", wait).into(),
            ),
        ])
    }
}
