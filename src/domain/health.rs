//! How a member's connection is, and what they would expect to see but cannot post to now.

use chrono::{NaiveDateTime, TimeDelta};
use sea_orm::ConnectionTrait;

use super::{
    account::{Account, Identity},
    error::Error,
    sync::{self, LastSync, Problem},
    target::{self, Page, TargetId},
};
use crate::storage::unavailable::{self, UnavailableRow};

/// How long before its end a connection is said to expire soon.
const SOON: TimeDelta = TimeDelta::days(7);

#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) status: Status,
    /// `None` when it is not known to end.
    pub(crate) expires_at: Option<NaiveDateTime>,
    pub(crate) last_sync: Option<LastSync>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    ExpiresSoon,
    OrgScopeMissing,
    Expired,
    Revoked,
    /// The stored connection holds no token.
    NotConnected,
}

/// The caller's connection; `None` when they never linked one.
pub(crate) async fn of(
    db: &impl ConnectionTrait,
    account: &Account,
    now: NaiveDateTime,
) -> Result<Option<Health>, Error> {
    let Some(identity) = &account.identity else {
        return Ok(None);
    };
    let last_sync = sync::last_of(db, identity).await?;
    Ok(Some(Health {
        status: Status::new(identity, last_sync.as_ref(), now),
        expires_at: identity.connection.expires_at(),
        last_sync,
    }))
}

impl Status {
    fn new(identity: &Identity, last_sync: Option<&LastSync>, now: NaiveDateTime) -> Self {
        let connection = &identity.connection;
        let is_revoked = last_sync.is_some_and(|last| {
            last.is_of_this_connection && matches!(last.problem, Some(Problem::Revoked))
        });
        if connection.token().is_none() {
            Self::NotConnected
        } else if is_revoked {
            Self::Revoked
        } else if connection.expires_by(now) {
            Self::Expired
        } else if !connection.has_org_scope() {
            Self::OrgScopeMissing
        } else if connection.expires_by(now + SOON) {
            Self::ExpiresSoon
        } else {
            Self::Active
        }
    }
}

/// A destination that the caller cannot post to now.
#[derive(Clone, Debug)]
pub(crate) struct UnavailableTarget {
    pub(crate) id: TargetId,
    pub(crate) label: String,
    pub(crate) image_url: Option<String>,
    pub(crate) reason: Unavailability,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unavailability {
    NotConnected,
    ConnectionExpired,
    ConnectionRevoked,
    OrganizationDisconnected,
    OrganizationExpired,
    PageRemoved,
    OfferedByOrganization,
}

impl Unavailability {
    /// What the person can do about it, as a sentence.
    pub(crate) fn next_step(self) -> &'static str {
        match self {
            Self::NotConnected | Self::ConnectionExpired | Self::ConnectionRevoked => {
                "Reconnect LinkedIn."
            }
            Self::OrganizationDisconnected | Self::OrganizationExpired => {
                "Ask an owner of the organization to reconnect its LinkedIn."
            }
            Self::PageRemoved => {
                "Ask an administrator of the page on LinkedIn for a role that may post, then sync your pages."
            }
            Self::OfferedByOrganization => {
                "Nothing: post to the same page as your organization offers it."
            }
        }
    }

    pub(crate) fn is_mended_by_reconnecting(self) -> bool {
        matches!(
            self,
            Self::NotConnected | Self::ConnectionExpired | Self::ConnectionRevoked
        )
    }
}

/// Ordered as targets are.
pub(crate) async fn unavailable(
    db: &impl ConnectionTrait,
    account: &Account,
    now: NaiveDateTime,
) -> Result<Vec<UnavailableTarget>, Error> {
    let disconnected = match of(db, account, now).await?.map(|health| health.status) {
        Some(Status::Revoked) => Unavailability::ConnectionRevoked,
        Some(Status::NotConnected) => Unavailability::NotConnected,
        _ => Unavailability::ConnectionExpired,
    };
    let personal = account
        .identity
        .as_ref()
        .filter(|_| !account.is_connected)
        .map(|identity| {
            let details = target::Personal::new(identity);
            UnavailableTarget {
                id: TargetId::Personal,
                label: details.label,
                image_url: details.avatar_url,
                reason: disconnected,
            }
        });
    let rows = unavailable::of_user(db, &account.user_id, now).await?;
    let reason = |row: &UnavailableRow| match row.why.as_str() {
        "disconnected" => Unavailability::OrganizationDisconnected,
        "expired" => Unavailability::OrganizationExpired,
        "removed" => Unavailability::PageRemoved,
        _ if account.is_connected => Unavailability::OfferedByOrganization,
        _ => disconnected,
    };
    let targets: Vec<_> = account.targets.iter().map(target::Target::id).collect();
    let pages = rows
        .into_iter()
        .map(|row| UnavailableTarget {
            reason: reason(&row),
            id: if row.part == "orgPage" {
                TargetId::OrgPage(row.id)
            } else {
                TargetId::PersonalPage(row.id)
            },
            label: row.label,
            image_url: row.image,
        })
        .filter(|page| !targets.contains(&page.id));
    let mut pages = target::in_order(pages);
    // Stable: inside each kind the order stays.
    pages.sort_by_key(|page| matches!(page.id, TargetId::PersonalPage(_)));
    Ok(personal.into_iter().chain(pages).collect())
}

impl Page for UnavailableTarget {
    fn label(&self) -> &str {
        &self.label
    }

    fn id(&self) -> &str {
        match &self.id {
            TargetId::Personal => "",
            TargetId::OrgPage(id) | TargetId::PersonalPage(id) => id,
        }
    }
}
