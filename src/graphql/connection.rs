use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    context::{Caller, caller},
    error::ApiError,
    node::global_id,
    preference::MutationErrorCode,
    scalar::{DateTime, Url},
};
use crate::domain::{
    account::Identity,
    error::Error,
    health::{Health, Status, Unavailability, UnavailableTarget},
    target::TargetId,
};

pub(crate) struct LinkedInConnection {
    identity: Identity,
    health: Health,
    reconnect_url: String,
}

/// The caller's own connection to LinkedIn, and how it is.
#[Object]
impl LinkedInConnection {
    /// The connection's id, opaque and unique across all types. It stays when LinkedIn is connected again.
    pub(super) async fn id(&self) -> ID {
        global_id("LinkedInConnection", &[&self.identity.id])
    }

    /// The member's name on LinkedIn, when it is known.
    async fn member_name(&self) -> Option<&str> {
        self.identity.name.as_deref()
    }

    /// The member's picture on LinkedIn.
    async fn member_picture_url(&self) -> Option<Url> {
        self.identity.avatar_url.clone().map(Url)
    }

    /// Whether it can be used, or what is in the way.
    async fn status(&self) -> LinkedInConnectionStatus {
        self.health.status.into()
    }

    /// When it ends, or has ended. Null when that is not known.
    async fn expires_at(&self) -> Option<DateTime> {
        self.health.expires_at.map(DateTime)
    }

    /// What LinkedIn allows with it, in LinkedIn's own words, such as `w_member_social`.
    async fn scopes(&self) -> Vec<&str> {
        self.identity.connection.scopes().collect()
    }

    /// The last time that its company pages were fetched. Null when that has not been tried.
    async fn last_sync(&self) -> Option<LinkedInLastSync> {
        let last = self.health.last_sync.as_ref()?;
        Some(LinkedInLastSync {
            at: DateTime(last.at),
            complete: last.complete,
            problem: last.problem.as_ref().map(MutationErrorCode::from),
            message: last.problem.as_ref().map(|problem| problem.message()),
        })
    }

    /// Where to send the caller's browser to mend it. Null while there is nothing to mend.
    async fn reconnect_url(&self) -> Option<Url> {
        let is_fine = self.health.status == Status::Active;
        (!is_fine).then(|| Url(self.reconnect_url.clone()))
    }
}

/// How the last fetch of company pages went.
#[derive(SimpleObject)]
struct LinkedInLastSync {
    /// When it ended.
    at: DateTime,
    /// Whether LinkedIn's list was read to its end; false when it failed.
    complete: bool,
    /// Why it failed, to branch on. Null when it did not.
    problem: Option<MutationErrorCode>,
    /// A sentence on that to show to the person.
    message: Option<&'static str>,
}

/// Whether a connection can be used, or what is in the way.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Status")]
pub(super) enum LinkedInConnectionStatus {
    /// It works.
    Active,
    /// It works, and ends within seven days. Connecting again renews it.
    ExpiresSoon,
    /// It works for the member's own account, and was made without the permission for company pages.
    OrgScopeMissing,
    /// It is past its end.
    Expired,
    /// LinkedIn no longer accepts it: the member or LinkedIn took the permission back.
    Revoked,
    /// There is nothing in it that could work.
    NotConnected,
}

impl LinkedInConnection {
    pub(super) async fn of(caller: &Caller) -> Result<Option<Self>, Error> {
        let account = caller.account().await?;
        let health = caller.health().await?;
        Ok(account
            .identity
            .clone()
            .zip(health)
            .map(|(identity, health)| Self {
                identity,
                health,
                reconnect_url: caller.reconnect_url(),
            }))
    }
}

pub(super) struct LinkedInUnavailableTarget {
    user_id: String,
    details: UnavailableTarget,
    reconnect_url: Option<String>,
}

/// A destination that the caller would expect to see and cannot post to now.
#[Object]
impl LinkedInUnavailableTarget {
    /// The entry's id, opaque and unique across all types.
    async fn id(&self) -> ID {
        let (kind, key) = match &self.details.id {
            TargetId::Personal => ("Personal", self.user_id.as_str()),
            TargetId::OrgPage(id) => ("OrgPage", id.as_str()),
            TargetId::PersonalPage(id) => ("PersonalPage", id.as_str()),
        };
        global_id("LinkedInUnavailableTarget", &[&self.user_id, kind, key])
    }

    /// What it would be among the targets.
    async fn kind(&self) -> LinkedInTargetKind {
        match self.details.id {
            TargetId::Personal => LinkedInTargetKind::Personal,
            TargetId::OrgPage(_) => LinkedInTargetKind::OrgPage,
            TargetId::PersonalPage(_) => LinkedInTargetKind::PersonalPage,
        }
    }

    /// The name that people know it by.
    async fn label(&self) -> &str {
        &self.details.label
    }

    /// Its picture or logo, when LinkedIn has one.
    async fn image_url(&self) -> Option<Url> {
        self.details.image_url.clone().map(Url)
    }

    /// Why it is not among the targets, to branch on.
    async fn reason(&self) -> LinkedInUnavailability {
        self.details.reason.into()
    }

    /// A sentence that tells the person what to do.
    async fn next_step(&self) -> &'static str {
        self.details.reason.next_step()
    }

    /// Where to send the caller's browser, when connecting LinkedIn again mends it.
    async fn reconnect_url(&self) -> Option<Url> {
        self.reconnect_url.clone().map(Url)
    }
}

/// The kinds of targets.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkedInTargetKind {
    /// The caller's own account.
    Personal,
    /// A company page that an organization assigned to the caller.
    OrgPage,
    /// A company page that the caller administers.
    PersonalPage,
}

/// Why a destination is not among the targets.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Unavailability")]
pub(super) enum LinkedInUnavailability {
    /// The caller's connection holds nothing that could work.
    NotConnected,
    /// The caller's connection is past its end.
    ConnectionExpired,
    /// LinkedIn no longer accepts the caller's connection.
    ConnectionRevoked,
    /// The organization has disconnected its LinkedIn.
    OrganizationDisconnected,
    /// The organization's LinkedIn connection is past its end.
    OrganizationExpired,
    /// LinkedIn no longer lists the page for the caller.
    PageRemoved,
    /// An organization offers the same page to the caller, and that form of it is among the targets.
    OfferedByOrganization,
}

pub(super) async fn unavailable(
    ctx: &Context<'_>,
) -> Result<Vec<LinkedInUnavailableTarget>, ApiError> {
    let caller = caller(ctx);
    let account = caller.account().await?;
    let entry = |details: UnavailableTarget| LinkedInUnavailableTarget {
        user_id: account.user_id.clone(),
        reconnect_url: details
            .reason
            .is_mended_by_reconnecting()
            .then(|| caller.reconnect_url()),
        details,
    };
    Ok(caller.unavailable().await?.into_iter().map(entry).collect())
}
