use std::sync::Arc;

use chrono::NaiveDateTime;

use super::account::Identity;
use crate::storage::{account::PageRow, entity::personal_page};

/// A LinkedIn destination that the caller can post to right now.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Target {
    Personal(Arc<Personal>),
    OrgPage(Arc<OrgPage>),
    PersonalPage(Arc<PersonalPage>),
}

/// Which of one caller's destinations is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TargetId {
    Personal,
    OrgPage(String),
    PersonalPage(String),
}

/// The caller's own LinkedIn account.
#[derive(Debug, Hash)]
pub(crate) struct Personal {
    pub(crate) label: String,
    pub(crate) avatar_url: Option<String>,
}

/// A company page that an organization assigned to the caller.
#[derive(Debug, Hash)]
pub(crate) struct OrgPage {
    pub(crate) id: String,
    pub(crate) linkedin_page_id: String,
    pub(crate) label: String,
    pub(crate) logo_url: Option<String>,
    pub(crate) organization_id: String,
}

/// A company page that the caller administers.
#[derive(Clone, Debug, Hash)]
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

    pub(super) fn has(&self, id: &TargetId) -> bool {
        match (self, id) {
            (Self::Personal(_), TargetId::Personal) => true,
            (Self::OrgPage(page), TargetId::OrgPage(id)) => page.id == *id,
            (Self::PersonalPage(page), TargetId::PersonalPage(id)) => page.id == *id,
            _ => false,
        }
    }
}

/// What pages are ordered by.
pub(super) trait Page {
    fn label(&self) -> &str;
    fn id(&self) -> &str;
}

impl Page for Arc<OrgPage> {
    fn label(&self) -> &str {
        &self.label
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Page for Arc<PersonalPage> {
    fn label(&self) -> &str {
        &self.label
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// Pages in the order in which every client shows them: by the label's Unicode lower-case form, by code point, then by
/// the id.
pub(super) fn in_order<P: Page>(pages: impl Iterator<Item = P>) -> Vec<P> {
    let mut pages: Vec<_> = pages
        .map(|page| (page.label().to_lowercase(), page))
        .collect();
    pages.sort_by(|(label, page), (other_label, other)| {
        (label, page.id()).cmp(&(other_label, other.id()))
    });
    pages.into_iter().map(|(_, page)| page).collect()
}

impl Personal {
    pub(super) fn new(identity: &Identity) -> Self {
        let name = identity.name.clone();
        Self {
            label: name.unwrap_or_else(|| "LinkedIn".to_owned()),
            avatar_url: identity.avatar_url.clone(),
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
            last_synced_at: row.at,
        }
    }
}

impl From<personal_page::Model> for PersonalPage {
    fn from(row: personal_page::Model) -> Self {
        Self {
            id: row.id,
            linkedin_page_id: row.linked_in_page_id,
            label: row.page_name,
            logo_url: row.page_logo_url,
            last_synced_at: row.last_synced_at,
        }
    }
}
