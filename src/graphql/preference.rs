use std::sync::Arc;

use async_graphql::{
    Context, Enum, ID, InputObject, Interface, Object, OneofObject, SimpleObject, Union,
};

use super::{
    context::{Caller, caller},
    error::ApiError,
    node::global_id,
    scalar::Url,
    sync::{LinkedInReconnectRequired, LinkedInUnavailable},
    target::LinkedInTarget,
};
use crate::domain::{
    account::Account,
    preference::{Reason, Refusal, Saved},
    target::{Target, TargetId},
};

pub(super) struct LinkedInPostingPreferences {
    account: Arc<Account>,
    reconnect_url: Option<String>,
}

/// Which targets a composer's picker ticks at first. It is a default, not an authorization.
#[Object]
impl LinkedInPostingPreferences {
    /// The preferences' id, opaque and unique across all types.
    pub(super) async fn id(&self) -> ID {
        global_id("LinkedInPostingPreferences", &[&self.account.user_id])
    }

    /// Every target of the caller with whether it is enabled: the caller's own account, then organization pages,
    /// then personal pages, each group by label. Someone who never saved has all of them enabled; after a save, a
    /// target that appears later is disabled.
    async fn targets(&self) -> Vec<LinkedInPostingTarget> {
        LinkedInPostingTarget::all(&self.account).collect()
    }

    /// Whether the caller's LinkedIn connection was made without the permission to post to company pages.
    async fn org_scope_missing(&self) -> bool {
        self.account.org_scope_missing
    }

    /// Where to send the caller's browser to connect LinkedIn, when it is not connected, has expired or lacks a
    /// permission. Null when there is nothing to mend.
    async fn reconnect_url(&self) -> Option<Url> {
        self.reconnect_url.clone().map(Url)
    }
}

impl LinkedInPostingPreferences {
    pub(super) fn new(caller: &Caller, account: Arc<Account>) -> Self {
        let is_fine = account.is_connected && !account.org_scope_missing;
        Self {
            reconnect_url: (!is_fine).then(|| caller.reconnect_url()),
            account,
        }
    }
}

pub(super) struct LinkedInPostingTarget {
    user_id: String,
    target: LinkedInTarget,
    enabled: bool,
}

/// A target, and whether it is enabled for the caller.
#[Object(serial)]
impl LinkedInPostingTarget {
    /// The pair's id, opaque and unique across all types; not the target's.
    pub(super) async fn id(&self) -> ID {
        let (type_name, key) = self.target.key();
        global_id("LinkedInPostingTarget", &[&self.user_id, type_name, key])
    }

    /// The destination.
    async fn target(&self) -> &LinkedInTarget {
        &self.target
    }

    /// Whether a composer's picker ticks it at first.
    async fn enabled(&self) -> bool {
        self.enabled
    }
}

impl LinkedInPostingTarget {
    pub(super) fn all(account: &Account) -> impl Iterator<Item = Self> {
        account
            .targets
            .iter()
            .map(|target| Self::new(account, target))
    }

    /// `target` is one of the account's.
    pub(super) fn new(account: &Account, target: &Target) -> Self {
        Self {
            user_id: account.user_id.clone(),
            target: LinkedInTarget::new(account, target),
            enabled: account.preferences.enables(&target.id()),
        }
    }
}

/// What to enable.
#[derive(InputObject)]
pub(super) struct SetLinkedInPostingPreferencesInput {
    /// The targets to enable; all others become disabled. An empty list disables every target. Repeated ones count
    /// once.
    targets: Vec<LinkedInTargetInput>,
}

/// One of the caller's targets.
#[derive(OneofObject)]
pub(super) enum LinkedInTargetInput {
    /// The caller's own LinkedIn account.
    Personal(LinkedInPersonalSelector),
    /// `pageId` of an `OrgPage`.
    OrgPageId(ID),
    /// `personalPageId` of a `PersonalPage`.
    PersonalPageId(ID),
}

/// Whose LinkedIn account.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkedInPersonalSelector {
    /// The one who asks.
    Viewer,
}

impl From<LinkedInTargetInput> for TargetId {
    fn from(target: LinkedInTargetInput) -> Self {
        match target {
            LinkedInTargetInput::Personal(LinkedInPersonalSelector::Viewer) => Self::Personal,
            LinkedInTargetInput::OrgPageId(ID(id)) => Self::OrgPage(id),
            LinkedInTargetInput::PersonalPageId(ID(id)) => Self::PersonalPage(id),
        }
    }
}

/// The outcome of a save. Outcomes may be added; catch those to come with `... on MutationError`.
#[derive(Union)]
pub(super) enum SetLinkedInPostingPreferencesPayload {
    Success(SetLinkedInPostingPreferencesSuccess),
    Unavailable(LinkedInTargetsUnavailable),
}

/// The preferences were saved.
#[derive(SimpleObject)]
pub(super) struct SetLinkedInPostingPreferencesSuccess {
    /// The preferences as they are after the save.
    preferences: LinkedInPostingPreferences,
}

/// Why a mutation changed nothing, in a way that the person can do something about.
#[derive(Interface)]
#[graphql(
    field(
        name = "message",
        ty = "&str",
        desc = "A sentence to show to the person."
    ),
    field(
        name = "code",
        ty = "MutationErrorCode",
        desc = "The reason, to branch on."
    )
)]
pub(super) enum MutationError {
    Targets(LinkedInTargetsUnavailable),
    Reconnect(LinkedInReconnectRequired),
    LinkedIn(LinkedInUnavailable),
}

/// Why a mutation changed nothing.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(super) enum MutationErrorCode {
    /// A target that was named is not among the caller's.
    TargetsUnavailable,
    /// The caller has not linked a LinkedIn account.
    NotLinked,
    /// The caller's LinkedIn connection is past its end.
    ConnectionExpired,
    /// LinkedIn no longer accepts the caller's connection: they or LinkedIn took the permission back.
    ConnectionRevoked,
    /// The caller's LinkedIn connection was made without the permission for company pages.
    OrgScopeMissing,
    /// LinkedIn takes no more requests for now, of this member or of the whole application.
    #[graphql(name = "LINKEDIN_THROTTLED")]
    LinkedInThrottled,
    /// LinkedIn no longer serves the version of its API that this server speaks. Its operator must act.
    #[graphql(name = "LINKEDIN_VERSION_SUNSET")]
    LinkedInVersionSunset,
    /// LinkedIn cannot be reached, or answers something that makes no sense.
    #[graphql(name = "LINKEDIN_UNAVAILABLE")]
    LinkedInUnavailable,
}

pub(super) struct LinkedInTargetsUnavailable(Vec<Refusal>);

/// Nothing was saved: some of the targets are not among the caller's.
#[Object]
impl LinkedInTargetsUnavailable {
    /// A sentence to show to the person; that of the first refusal.
    pub(super) async fn message(&self) -> &'static str {
        self.0
            .first()
            .map_or("", |refusal| refusal.reason.message())
    }

    /// `TARGETS_UNAVAILABLE`.
    pub(super) async fn code(&self) -> MutationErrorCode {
        MutationErrorCode::TargetsUnavailable
    }

    /// Every target that is in the way, in the order of the input.
    async fn refusals(&self) -> Vec<LinkedInTargetRefusal> {
        self.0.iter().map(LinkedInTargetRefusal::from).collect()
    }
}

/// A target that was named and is not among the caller's.
#[derive(SimpleObject)]
pub(super) struct LinkedInTargetRefusal {
    /// The refusal's id, opaque and unique across all types.
    id: ID,
    /// Its place in the input's `targets`, from 0.
    index: usize,
    /// The reason, to branch on.
    reason: LinkedInTargetRefusalReason,
    /// A sentence to show to the person.
    message: &'static str,
}

/// Why a target is not among the caller's.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Reason")]
pub(super) enum LinkedInTargetRefusalReason {
    /// The caller's LinkedIn account is not linked, or its connection has expired.
    PersonalNotLinked,
    /// The organization page is unknown, not assigned to the caller, or its organization is disconnected.
    OrgPageNotAssigned,
    /// The personal page is unknown, removed, out of reach, or offered by an organization instead.
    PersonalPageNotAvailable,
}

impl From<&Refusal> for LinkedInTargetRefusal {
    fn from(refusal: &Refusal) -> Self {
        let reason = refusal.reason.message();
        Self {
            id: global_id(
                "LinkedInTargetRefusal",
                &[&refusal.index.to_string(), reason],
            ),
            index: refusal.index,
            reason: refusal.reason.into(),
            message: refusal.reason.message(),
        }
    }
}

/// Saves, and says how it went.
pub(super) async fn set(
    ctx: &Context<'_>,
    input: SetLinkedInPostingPreferencesInput,
) -> Result<SetLinkedInPostingPreferencesPayload, ApiError> {
    let caller = caller(ctx);
    let targets: Vec<_> = input.targets.into_iter().map(TargetId::from).collect();
    Ok(match caller.save(&targets).await? {
        Saved::Done(account) => {
            SetLinkedInPostingPreferencesPayload::Success(SetLinkedInPostingPreferencesSuccess {
                preferences: LinkedInPostingPreferences::new(caller, Arc::from(account)),
            })
        }
        Saved::Refused(refusals) => {
            SetLinkedInPostingPreferencesPayload::Unavailable(LinkedInTargetsUnavailable(refusals))
        }
    })
}
