//! What the targets in `fuzz/` reach past the server: everything of ours that reads what comes from outside.

use std::{iter, net::IpAddr};

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use chrono::NaiveDateTime;
use futures_util::FutureExt;
use ipnet::IpNet;
use secrecy::SecretString;
use tower::{ServiceExt, service_fn};

use crate::{
    app::Settings,
    auth,
    domain::connection::Connection,
    graphql::{self, FuzzedDocuments, FuzzedId, Reference},
    rate_limits::{RateLimits, Rates},
    seal::{Keys, NONCE_LEN},
    storage::account::ProviderData,
};

pub use crate::rest::read_selection;

/// JSON as clients and old rows have it.
pub mod json {
    use serde_json::value::RawValue;

    use crate::lenient_json as lenient;

    /// One value with nothing but whitespace around it.
    #[must_use]
    pub fn document(text: &str) -> Option<&RawValue> {
        lenient::document(text)
    }

    /// A member of an object; the outer `None` is something else than an object.
    #[must_use]
    pub fn member<'a>(value: &'a RawValue, key: &str) -> Option<Option<&'a RawValue>> {
        Some(lenient::object(value)?.get(key))
    }

    /// The items of an array.
    #[must_use]
    pub fn array(value: &RawValue) -> Option<Vec<&RawValue>> {
        lenient::array(value)
    }

    /// A string.
    #[must_use]
    pub fn string(value: &RawValue) -> Option<String> {
        lenient::string(value)
    }

    /// A number.
    #[must_use]
    pub fn number(value: &RawValue) -> Option<f64> {
        lenient::number(value)
    }

    /// Whether JavaScript takes it for true.
    #[must_use]
    pub fn is_truthy(value: &RawValue) -> bool {
        lenient::is_truthy(value)
    }
}

/// What a request proves about its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The hash of its bearer token.
    pub token_hash: Option<String>,
    /// The session ids in its cookies.
    pub session_ids: Vec<String>,
}

/// What these headers prove.
#[must_use]
pub fn credentials(headers: &HeaderMap, settings: &Settings) -> Credentials {
    let credentials = auth::credentials(headers, settings);
    Credentials {
        token_hash: credentials.token_hash,
        session_ids: credentials.session_ids,
    }
}

/// Whether a page of another site sent them.
#[must_use]
pub fn is_cross_site(headers: &HeaderMap, settings: &Settings) -> bool {
    auth::is_cross_site(headers, settings)
}

/// The address of whoever sent them.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    auth::client_address(peer, headers, trusted)
}

/// How many of these requests by one sender pass: by user, by address, and as syncs.
#[must_use]
pub fn passing(rates: Rates, requests: usize) -> [usize; 3] {
    let limits = RateLimits::new(rates);
    let credentials = || ["sender"].into_iter();
    let nobody = iter::empty;
    let passes = |sender| {
        let refuse = |_| StatusCode::TOO_MANY_REQUESTS.into_response();
        let answer = async |_| Ok(().into_response());
        let answers = limits.around(sender, refuse, service_fn(answer));
        let response = answers.oneshot(Request::default()).now_or_never();
        response.is_some_and(|Ok(response)| response.status() == StatusCode::OK)
    };
    let mut passing = [0; 3];
    for _ in 0..requests {
        let standing = limits.sync(credentials());
        let passes = [
            passes(limits.sender(credentials(), None::<&str>)),
            passes(limits.sender(nobody(), Some("sender"))),
            standing.is_none_or(|standing| standing.wait.is_none()),
        ];
        for (count, passes) in passing.iter_mut().zip(passes) {
            *count += usize::from(passes);
        }
    }
    passing
}

/// The global id of an object.
#[must_use]
pub fn global_id(type_name: &str, keys: &[&str]) -> String {
    graphql::global_id(type_name, keys).0
}

/// The type and the keys in a global id.
#[must_use]
pub fn read_global_id(text: &str) -> Option<(String, String)> {
    let id = FuzzedId::read(&text.into())?;
    Some((id.type_name, id.key))
}

/// Whether a connection works and when it ends, by what its row says.
#[must_use]
pub fn connection(data: &str, now: NaiveDateTime) -> (bool, Option<NaiveDateTime>) {
    let connection = Connection::read(Some(&ProviderData(data.to_owned())));
    (connection.is_active(now), connection.expires_at())
}

/// What is stored for a token.
#[must_use]
pub fn seal(
    keys: &Keys,
    user_id: &str,
    token: &SecretString,
    nonce: [u8; NONCE_LEN],
) -> SecretString {
    keys.seal(user_id, token, nonce)
}

/// The token that is stored, if the keys open it for this user.
#[must_use]
pub fn open(keys: &Keys, user_id: &str, stored: &SecretString) -> Option<SecretString> {
    keys.open(user_id, stored).ok()
}

/// What prepares documents for execution.
pub struct Documents(FuzzedDocuments);

/// Why a document is not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What clients branch on.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// Lines and columns.
    pub locations: Vec<(usize, usize)>,
}

impl Documents {
    /// By the server's schema.
    ///
    /// # Errors
    /// When the schema is not valid.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let (limits, introspection) = (&settings.limits, settings.introspection);
        FuzzedDocuments::new(&graphql::sdl(), limits, introspection, None).map(Self)
    }

    /// Whether this document may be executed.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn find(&self, text: &str) -> Result<(), Vec<Refused>> {
        self.look(&Reference::Text(text.to_owned()))
    }

    /// Whether this document is known by the hash of its text.
    #[must_use]
    pub fn keeps(&self, text: &str) -> bool {
        self.look(&Reference::Id(graphql::hash(text))).is_ok()
    }

    fn look(&self, reference: &Reference) -> Result<(), Vec<Refused>> {
        self.0.find(reference).map(drop).map_err(|errors| {
            let errors = errors.into_iter().map(|error| Refused {
                code: error.code.as_str(),
                message: error.message,
                locations: error
                    .locations
                    .iter()
                    .map(|at| (at.line, at.column))
                    .collect(),
            });
            errors.collect()
        })
    }
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Documents")
    }
}
