use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, Union};

use super::{
    context::caller,
    error::ApiError,
    node::global_id,
    organization::Organization,
    scalar::{DateTime, Url},
};
use crate::domain::{
    account::Account,
    target::{self, Target},
};

/// A LinkedIn destination that the caller can post to right now.
#[derive(Union)]
pub(super) enum LinkedInTarget {
    Personal(Personal),
    OrgPage(OrgPage),
    PersonalPage(PersonalPage),
}

/// What all LinkedIn destinations have, enough to show one in a picker.
#[derive(Interface)]
#[graphql(
    field(
        name = "id",
        ty = "ID",
        desc = "The destination's id, opaque and unique across all types."
    ),
    field(name = "label", ty = "&str", desc = "The name that people know it by."),
    field(
        name = "image_url",
        ty = "Option<Url>",
        desc = "Its picture or logo, when LinkedIn has one."
    )
)]
pub(super) enum LinkedInDestination {
    Personal(Personal),
    OrgPage(OrgPage),
    PersonalPage(PersonalPage),
}

pub(super) struct Personal {
    user_id: String,
    details: Arc<target::Personal>,
}

// Serial, as all targets: what is at hand needs no list of futures to wait for side by side.
/// The caller's own LinkedIn account. It is a target while their LinkedIn connection is active.
#[Object(serial)]
impl Personal {
    /// The target's id, opaque and unique across all types.
    pub(super) async fn id(&self) -> ID {
        global_id("Personal", &[&self.user_id])
    }

    /// The member's name on LinkedIn, or `LinkedIn` when it is not known.
    pub(super) async fn label(&self) -> &str {
        &self.details.label
    }

    /// The same as `avatarUrl`.
    pub(super) async fn image_url(&self) -> Option<Url> {
        self.details.avatar_url.clone().map(Url)
    }

    /// The member's picture on LinkedIn.
    async fn avatar_url(&self) -> Option<Url> {
        self.details.avatar_url.clone().map(Url)
    }
}

pub(super) struct OrgPage(Arc<target::OrgPage>);

/// A company page that an organization assigned to the caller. It is a target while the organization's LinkedIn
/// connection is active.
#[Object(serial)]
impl OrgPage {
    /// The target's id, opaque and unique across all types.
    pub(super) async fn id(&self) -> ID {
        global_id("OrgPage", &[&self.0.id])
    }

    /// The id of the page's record: what `orgPageId` of an input and `POST /api/messages` take.
    async fn page_id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// LinkedIn's own number of the page.
    async fn linked_in_page_id(&self) -> ID {
        ID(self.0.linkedin_page_id.clone())
    }

    /// The page's name on LinkedIn.
    pub(super) async fn label(&self) -> &str {
        &self.0.label
    }

    /// The same as `logoUrl`.
    pub(super) async fn image_url(&self) -> Option<Url> {
        self.0.logo_url.clone().map(Url)
    }

    /// The page's logo on LinkedIn.
    async fn logo_url(&self) -> Option<Url> {
        self.0.logo_url.clone().map(Url)
    }

    /// The organization that assigned the page. Null only when it cannot be loaded.
    async fn organization(&self, ctx: &Context<'_>) -> Option<Result<Organization, ApiError>> {
        let organization = caller(ctx)
            .organizations()
            .load_one(self.0.organization_id.clone())
            .await;
        organization.map_err(ApiError::from).transpose()
    }
}

pub(super) struct PersonalPage(pub(super) Arc<target::PersonalPage>);

/// A company page that the caller administers, reached through their own LinkedIn connection. It is a target while
/// that is active, unless the same page is assigned to them by an organization.
#[Object(serial)]
impl PersonalPage {
    /// The target's id, opaque and unique across all types.
    pub(super) async fn id(&self) -> ID {
        global_id("PersonalPage", &[&self.0.id])
    }

    /// The id of the page's record: what `personalPageId` of an input and `POST /api/messages` take.
    async fn personal_page_id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// LinkedIn's own number of the page.
    async fn linked_in_page_id(&self) -> ID {
        ID(self.0.linkedin_page_id.clone())
    }

    /// The page's name on LinkedIn.
    pub(super) async fn label(&self) -> &str {
        &self.0.label
    }

    /// The same as `logoUrl`.
    pub(super) async fn image_url(&self) -> Option<Url> {
        self.0.logo_url.clone().map(Url)
    }

    /// The page's logo on LinkedIn.
    async fn logo_url(&self) -> Option<Url> {
        self.0.logo_url.clone().map(Url)
    }

    /// When LinkedIn last confirmed that the caller administers the page.
    async fn last_synced_at(&self) -> Option<DateTime> {
        self.0.last_synced_at.map(DateTime)
    }
}

impl LinkedInTarget {
    pub(super) fn new(account: &Account, target: &Target) -> Self {
        match target.clone() {
            Target::Personal(details) => Self::Personal(Personal {
                user_id: account.user_id.clone(),
                details,
            }),
            Target::OrgPage(details) => Self::OrgPage(OrgPage(details)),
            Target::PersonalPage(details) => Self::PersonalPage(PersonalPage(details)),
        }
    }

    /// The name of the target's type, and what tells it apart from others of that type.
    pub(super) fn key(&self) -> (&'static str, &str) {
        match self {
            Self::Personal(target) => ("Personal", &target.user_id),
            Self::OrgPage(target) => ("OrgPage", &target.0.id),
            Self::PersonalPage(target) => ("PersonalPage", &target.0.id),
        }
    }
}
