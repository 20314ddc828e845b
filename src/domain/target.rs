use chrono::NaiveDateTime;

use crate::storage::account::{IdentityRow, PageRow};

/// A LinkedIn destination that the caller can post to right now.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Personal(Personal),
    OrgPage(OrgPage),
    PersonalPage(PersonalPage),
}

/// Which of one caller's destinations is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TargetId {
    Personal,
    OrgPage(String),
    PersonalPage(String),
}

/// The caller's own LinkedIn account.
#[derive(Clone, Debug)]
pub(crate) struct Personal {
    pub(crate) label: String,
    pub(crate) avatar_url: Option<String>,
}

/// A company page that an organization assigned to the caller.
#[derive(Clone, Debug)]
pub(crate) struct OrgPage {
    pub(crate) id: String,
    pub(crate) linkedin_page_id: String,
    pub(crate) label: String,
    pub(crate) logo_url: Option<String>,
    pub(crate) organization_id: String,
}

/// A company page that the caller administers.
#[derive(Clone, Debug)]
pub(crate) struct PersonalPage {
    pub(crate) id: String,
    pub(crate) linkedin_page_id: String,
    pub(crate) label: String,
    pub(crate) logo_url: Option<String>,
    pub(crate) last_synced_at: Option<NaiveDateTime>,
}

impl Target {
    pub(crate) fn id(&self) -> TargetId {
        match self {
            Self::Personal(_) => TargetId::Personal,
            Self::OrgPage(page) => TargetId::OrgPage(page.id.clone()),
            Self::PersonalPage(page) => TargetId::PersonalPage(page.id.clone()),
        }
    }
}

impl Personal {
    pub(super) fn new(row: IdentityRow) -> Self {
        Self {
            label: row.name.unwrap_or_else(|| "LinkedIn".to_owned()),
            avatar_url: row.avatar_url,
        }
    }
}

impl OrgPage {
    pub(super) fn new(row: PageRow) -> Self {
        Self {
            id: row.id,
            linkedin_page_id: row.linkedin_page_id,
            label: row.name,
            logo_url: row.logo_url,
            organization_id: row.organization_id.unwrap_or_default(),
        }
    }
}

impl PersonalPage {
    pub(super) fn new(row: PageRow) -> Self {
        Self {
            id: row.id,
            linkedin_page_id: row.linkedin_page_id,
            label: row.name,
            logo_url: row.logo_url,
            last_synced_at: row.last_synced_at,
        }
    }
}
