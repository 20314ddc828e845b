use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Subscription};
use futures_util::{Stream, StreamExt};

use super::{context::caller, error::ApiError, preference::LinkedInPostingPreferences};
use crate::domain::{
    account::Account,
    watch::{Change, Reason},
};

pub(crate) struct Events;

/// What can be followed: over a WebSocket (`graphql-transport-ws`), as Server-Sent Events (`graphql-sse`, distinct
/// connections) or as Apollo's multipart answer, all of them at the address of queries.
#[Subscription(name = "Subscription")]
impl Events {
    /// The caller's preferences and targets as they are now, and again whenever they are others. Changes that come
    /// faster than they are read arrive as one, with the latest state. When the caller's session ends, so does this,
    /// with an `UNAUTHENTICATED` error.
    async fn linked_in_posting_preferences_changed(
        &self,
        ctx: &Context<'_>,
    ) -> impl Stream<Item = Result<LinkedInPostingPreferencesChanged, ApiError>> + use<> {
        caller(ctx).watch().map(|change| Ok(change?.into()))
    }
}

pub(super) struct LinkedInPostingPreferencesChanged {
    reason: Reason,
    account: Arc<Account>,
}

/// The caller's preferences as they are now, and why they are sent.
#[Object]
impl LinkedInPostingPreferencesChanged {
    /// What has happened. Of several changes that arrive as one, the one that matters most.
    async fn reason(&self) -> LinkedInPostingPreferencesChangeReason {
        self.reason.into()
    }

    /// The preferences after it.
    async fn preferences(&self, ctx: &Context<'_>) -> LinkedInPostingPreferences {
        LinkedInPostingPreferences::new(caller(ctx), self.account.clone())
    }
}

impl From<Change> for LinkedInPostingPreferencesChanged {
    fn from(Change { reason, account }: Change) -> Self {
        Self { reason, account }
    }
}

/// Why preferences are sent to a subscriber. Reasons may be added: treat those to come like `TARGETS_CHANGED`.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Reason")]
pub(super) enum LinkedInPostingPreferencesChangeReason {
    /// Nothing has happened: this is the state at the beginning.
    PresentState,
    /// The caller saved their preferences.
    PreferencesSaved,
    /// The caller's own company pages were fetched from LinkedIn.
    PagesSynced,
    /// The caller linked a LinkedIn account, or their connection was renewed.
    ConnectionLinked,
    /// The caller's LinkedIn connection has reached its end.
    ConnectionExpired,
    /// The caller's LinkedIn connection ended before its time: LinkedIn no longer accepts it, or it was taken away.
    ConnectionRevoked,
    /// An organization's page was assigned, taken away or renamed, or the organization's connection has ended or is
    /// back.
    TargetsChanged,
}
