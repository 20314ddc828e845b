use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject, Union};

use super::{
    context::caller,
    error::ApiError,
    node::global_id,
    preference::{LinkedInPostingPreferences, MutationErrorCode},
    scalar::{DateTime, Url},
    target::PersonalPage,
};
use crate::domain::sync::{Problem, Report, SkipReason, Skipped, Synced};

/// The outcome of a sync. Outcomes may be added; catch those to come with `... on MutationError`.
#[derive(Union)]
pub(super) enum SyncLinkedInPagesPayload {
    Success(SyncLinkedInPagesSuccess),
    Reconnect(LinkedInReconnectRequired),
    Failed(LinkedInUnavailable),
}

/// LinkedIn answered, and what it said is stored.
#[derive(SimpleObject)]
pub(super) struct SyncLinkedInPagesSuccess {
    /// What the sync found and changed.
    report: LinkedInPageSyncReport,
    /// The caller's targets and preferences as they are after the sync.
    preferences: LinkedInPostingPreferences,
}

pub(super) struct LinkedInPageSyncReport(Arc<Report>);

/// What a sync found, and what it changed. A page that is in none of the lists of changes is as it was.
#[Object]
impl LinkedInPageSyncReport {
    /// When LinkedIn's answer was stored.
    async fn synced_at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// Whether LinkedIn's list was read to its end. If not, pages may be missing, and none was removed.
    async fn complete(&self) -> bool {
        self.0.complete
    }

    /// All company pages that the caller administers now, by label.
    async fn pages(&self) -> Vec<PersonalPage> {
        these(&self.0.pages)
    }

    /// Pages that were never seen before.
    async fn added(&self) -> Vec<PersonalPage> {
        these(&self.0.added)
    }

    /// Pages that had been removed and are back, with the ids and preferences they had.
    async fn restored(&self) -> Vec<PersonalPage> {
        these(&self.0.restored)
    }

    /// Pages that have another name than before.
    async fn renamed(&self) -> Vec<LinkedInPageRename> {
        let rename = |(page, from): &(_, String)| LinkedInPageRename {
            page: PersonalPage(Arc::clone(page)),
            previous_label: from.clone(),
        };
        self.0.renamed.iter().map(rename).collect()
    }

    /// Pages that the caller no longer administers. They are no targets any more; should they come back, their
    /// preferences are still there.
    async fn removed(&self) -> Vec<PersonalPage> {
        these(&self.0.removed)
    }

    /// Pages that LinkedIn listed and that cannot be targets, each with the reason.
    async fn skipped(&self) -> Vec<LinkedInSkippedPage> {
        self.0
            .skipped
            .iter()
            .cloned()
            .map(LinkedInSkippedPage)
            .collect()
    }
}

fn these(pages: &[Arc<crate::domain::target::PersonalPage>]) -> Vec<PersonalPage> {
    pages.iter().cloned().map(PersonalPage).collect()
}

pub(super) struct LinkedInPageRename {
    page: PersonalPage,
    previous_label: String,
}

/// A page with another name than before.
#[Object]
impl LinkedInPageRename {
    /// The rename's id, opaque and unique across all types; not the page's.
    async fn id(&self) -> ID {
        global_id(
            "LinkedInPageRename",
            &[&self.page.0.id, &self.previous_label],
        )
    }

    /// The page, with its new name.
    async fn page(&self) -> &PersonalPage {
        &self.page
    }

    /// The name it had.
    async fn previous_label(&self) -> &str {
        &self.previous_label
    }
}

pub(super) struct LinkedInSkippedPage(Skipped);

/// A page that LinkedIn listed for the caller and that cannot be a target.
#[Object]
impl LinkedInSkippedPage {
    /// The entry's id, opaque and unique across all types.
    async fn id(&self) -> ID {
        global_id("LinkedInSkippedPage", &[&self.0.number])
    }

    /// LinkedIn's own number of the page.
    async fn linked_in_page_id(&self) -> ID {
        ID(self.0.number.clone())
    }

    /// The page's name on LinkedIn, when it is known.
    async fn label(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Why it cannot be a target.
    async fn reason(&self) -> LinkedInSkipReason {
        self.0.reason.into()
    }
}

/// Why a page that LinkedIn listed cannot be a target.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "SkipReason")]
pub(super) enum LinkedInSkipReason {
    /// The caller's roles on the page do not allow to post; a super or content administrator of it can change that.
    RoleMayNotPost,
    /// The caller's role was requested, refused or taken back.
    RoleNotApproved,
    /// LinkedIn no longer shows the page.
    PageGone,
}

pub(super) struct LinkedInReconnectRequired {
    code: MutationErrorCode,
    message: &'static str,
    reconnect_url: String,
}

/// LinkedIn was not asked, or refused: the caller must connect LinkedIn first, or again. Nothing has changed.
#[Object]
impl LinkedInReconnectRequired {
    /// A sentence to show to the person.
    pub(super) async fn message(&self) -> &'static str {
        self.message
    }

    /// `NOT_LINKED`, `CONNECTION_EXPIRED`, `CONNECTION_REVOKED` or `ORG_SCOPE_MISSING`.
    pub(super) async fn code(&self) -> MutationErrorCode {
        self.code
    }

    /// Where to send the caller's browser.
    async fn reconnect_url(&self) -> Url {
        Url(self.reconnect_url.clone())
    }
}

pub(super) struct LinkedInUnavailable {
    code: MutationErrorCode,
    message: &'static str,
    retry_at: Option<chrono::NaiveDateTime>,
}

/// LinkedIn gave no usable answer. Nothing has changed.
#[Object]
impl LinkedInUnavailable {
    /// A sentence to show to the person.
    pub(super) async fn message(&self) -> &'static str {
        self.message
    }

    /// `LINKEDIN_THROTTLED`, `LINKEDIN_VERSION_SUNSET` or `LINKEDIN_UNAVAILABLE`.
    pub(super) async fn code(&self) -> MutationErrorCode {
        self.code
    }

    /// When to try again, if LinkedIn said so.
    async fn retry_at(&self) -> Option<DateTime> {
        self.retry_at.map(DateTime)
    }
}

/// Syncs, and says how it went.
pub(super) async fn run(ctx: &Context<'_>) -> Result<SyncLinkedInPagesPayload, ApiError> {
    let caller = caller(ctx);
    Ok(match caller.sync().await? {
        Synced::Done(report) => {
            let preferences = LinkedInPostingPreferences::new(caller, caller.reload().await?);
            SyncLinkedInPagesPayload::Success(SyncLinkedInPagesSuccess {
                report: LinkedInPageSyncReport(report),
                preferences,
            })
        }
        Synced::Failed(problem) => failed(&problem, caller.reconnect_url()),
    })
}

fn failed(problem: &Problem, reconnect_url: String) -> SyncLinkedInPagesPayload {
    let code = MutationErrorCode::from(problem);
    let message = problem.message();
    match *problem {
        Problem::NotLinked | Problem::Expired | Problem::Revoked | Problem::OrgScopeMissing => {
            SyncLinkedInPagesPayload::Reconnect(LinkedInReconnectRequired {
                code,
                message,
                reconnect_url,
            })
        }
        Problem::Throttled { retry_at } => SyncLinkedInPagesPayload::Failed(LinkedInUnavailable {
            code,
            message,
            retry_at,
        }),
        Problem::VersionSunset | Problem::Unavailable => {
            let retry_at = None;
            SyncLinkedInPagesPayload::Failed(LinkedInUnavailable {
                code,
                message,
                retry_at,
            })
        }
    }
}

impl From<&Problem> for MutationErrorCode {
    fn from(problem: &Problem) -> Self {
        match problem {
            Problem::NotLinked => Self::NotLinked,
            Problem::Expired => Self::ConnectionExpired,
            Problem::Revoked => Self::ConnectionRevoked,
            Problem::OrgScopeMissing => Self::OrgScopeMissing,
            Problem::Throttled { .. } => Self::LinkedInThrottled,
            Problem::VersionSunset => Self::LinkedInVersionSunset,
            Problem::Unavailable => Self::LinkedInUnavailable,
        }
    }
}
