//! Who is asking and all that decides what they can post to, in one statement for everyone who asks at the time.

mod shared;
mod statement;

use std::fmt;

use chrono::NaiveDateTime;
use opentelemetry::Context;

pub(crate) use shared::{Gone, Shared};
pub(crate) use statement::of_caller;

/// What a request proves about its sender: secrets, so `Debug` shows none of it.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// Lower-case hex SHA-256 of the bearer token. A live one wins over the sessions.
    pub(crate) token_hash: Option<String>,
    /// Session ids, the preferred one first.
    pub(crate) session_ids: Vec<String>,
}

impl Credentials {
    /// Whether there is nothing to look up.
    pub(crate) fn is_empty(&self) -> bool {
        self.token_hash.is_none() && self.session_ids.is_empty()
    }

    /// Each of them, in the order in which they count.
    pub(crate) fn each(&self) -> impl Iterator<Item = &str> {
        let token = self.token_hash.as_deref();
        token
            .into_iter()
            .chain(self.session_ids.iter().map(String::as_str))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Credentials {{ token: {}, sessions: {} }}",
            self.token_hash.is_some(),
            self.session_ids.len()
        )
    }
}

/// Somebody to be told apart by what they present.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    credentials: Credentials,
    /// When they ask (UTC): what counts as live is judged at this moment.
    now: NaiveDateTime,
    /// The part of a trace in which they ask.
    trace: Context,
}

impl Asker {
    /// Somebody who asks here and now.
    pub(crate) fn new(credentials: Credentials, now: NaiveDateTime) -> Self {
        Self {
            credentials,
            now,
            trace: Context::current(),
        }
    }
}

/// A live caller's rows, unjudged: whether a connection is active is the domain's to say.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct AccountRows {
    pub(crate) user_id: String,
    /// When the session ends that told who it is; a token does not end.
    pub(crate) session_ends_at: Option<NaiveDateTime>,
    pub(crate) identity: Option<IdentityRow>,
    /// Assigned to the caller, of credentials that are active.
    pub(crate) org_pages: Vec<PageRow>,
    /// Of the caller's identity, not removed.
    pub(crate) personal_pages: Vec<PageRow>,
    pub(crate) preferences: Vec<PreferenceRow>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct IdentityRow {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) provider_data: Option<ProviderData>,
}

/// The JSON text of `linked_identities.providerData`; it holds the access token.
#[derive(PartialEq)]
pub(crate) struct ProviderData(pub(crate) String);

impl fmt::Debug for ProviderData {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ProviderData")
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct PageRow {
    pub(crate) id: String,
    pub(crate) linkedin_page_id: String,
    pub(crate) name: String,
    pub(crate) logo_url: Option<String>,
    /// Only on organization pages.
    pub(crate) organization_id: Option<String>,
    /// Of a personal page, when it was last synced; of an organization's, when its credential ends.
    pub(crate) at: Option<NaiveDateTime>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct PreferenceRow {
    pub(crate) kind: String,
    pub(crate) page_id: Option<String>,
    pub(crate) personal_page_id: Option<String>,
}
