use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

// What the documents select is read in these types, and written as REST clients know it.

/// Every destination that the caller can post to right now: their own account, then organization pages, then
/// personal pages, each group by label.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Targets {
    targets: Vec<Target>,
}

/// A destination that the caller can post to right now.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", try_from = "Selected")]
enum Target {
    /// The caller's own LinkedIn account.
    #[serde(rename = "personal", rename_all = "camelCase")]
    #[schema(title = "PersonalTarget")]
    Personal {
        /// The member's name on LinkedIn, or `LinkedIn` when it is not known.
        #[schema(examples("Alice Example"))]
        label: String,
        /// The member's picture on LinkedIn.
        #[schema(required, examples("https://media.licdn.com/alice.png"))]
        avatar_url: Option<String>,
    },
    /// A company page that an organization assigned to the caller.
    #[serde(rename = "orgPage", rename_all = "camelCase")]
    #[schema(title = "OrgPageTarget")]
    OrgPage {
        /// The id of the page's record: what a save and `POST /api/messages` take.
        #[schema(examples("e1220e99-bb5d-40c8-81bf-0bbf0d7eb975"))]
        page_id: String,
        /// LinkedIn's own number of the page.
        #[schema(examples("12345678"))]
        linked_in_page_id: String,
        /// The page's name on LinkedIn.
        #[schema(examples("Acme Corp"))]
        label: String,
        /// The page's logo on LinkedIn.
        #[schema(required, examples("https://media.licdn.com/logo.png"))]
        logo_url: Option<String>,
    },
    /// A company page that the caller administers.
    #[serde(rename = "personalPage", rename_all = "camelCase")]
    #[schema(title = "PersonalPageTarget")]
    PersonalPage {
        /// The id of the page's record: what a save and `POST /api/messages` take.
        #[schema(examples("d3f2a1ed-c88d-45b4-99f0-dc65aea8af63"))]
        personal_page_id: String,
        /// LinkedIn's own number of the page.
        #[schema(examples("87654321"))]
        linked_in_page_id: String,
        /// The page's name on LinkedIn.
        #[schema(examples("Alice's Studio"))]
        label: String,
        /// The page's logo on LinkedIn.
        #[schema(required, examples("https://media.licdn.com/logo.png"))]
        logo_url: Option<String>,
    },
}

/// A target as its document selects it: flat, since a kind that decides about the other fields has them all read twice.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selected {
    kind: Kind,
    page_id: Option<String>,
    personal_page_id: Option<String>,
    linked_in_page_id: Option<String>,
    label: String,
    avatar_url: Option<String>,
    logo_url: Option<String>,
}

/// The types of `LinkedInTarget`.
#[derive(Deserialize)]
enum Kind {
    Personal,
    OrgPage,
    PersonalPage,
}

impl TryFrom<Selected> for Target {
    type Error = &'static str;

    fn try_from(selected: Selected) -> Result<Self, Self::Error> {
        const NO_ID: &str = "a page without its id";
        let Selected {
            label, logo_url, ..
        } = selected;
        let page = selected.linked_in_page_id.ok_or(NO_ID);
        Ok(match selected.kind {
            Kind::Personal => Self::Personal {
                label,
                avatar_url: selected.avatar_url,
            },
            Kind::OrgPage => Self::OrgPage {
                page_id: selected.page_id.ok_or(NO_ID)?,
                linked_in_page_id: page?,
                label,
                logo_url,
            },
            Kind::PersonalPage => Self::PersonalPage {
                personal_page_id: selected.personal_page_id.ok_or(NO_ID)?,
                linked_in_page_id: page?,
                label,
                logo_url,
            },
        })
    }
}

#[derive(Deserialize)]
pub(super) struct PostingTargets {
    pub(super) preferences: Preferences,
}

/// Every target of the caller, and which of them they prefer.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PostingTargets)]
pub(super) struct Preferences {
    targets: Vec<PostingTarget>,
    /// Whether the caller's LinkedIn connection was made without the permission for company pages.
    org_scope_missing: bool,
}

/// A target, and whether it is enabled.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(from = "Choice")]
struct PostingTarget {
    #[serde(flatten)]
    target: Target,
    /// Whether a composer's picker ticks it at first.
    enabled: bool,
}

#[derive(Deserialize)]
struct Choice {
    target: Target,
    enabled: bool,
}

impl From<Choice> for PostingTarget {
    fn from(Choice { target, enabled }: Choice) -> Self {
        Self { target, enabled }
    }
}

#[derive(Deserialize)]
pub(super) struct SetPostingTargets {
    pub(super) outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
pub(super) enum Outcome {
    #[serde(rename = "SetLinkedInPostingPreferencesSuccess")]
    Saved { preferences: SavedTargets },
    #[serde(rename = "LinkedInTargetsUnavailable")]
    Unavailable { message: String },
}

/// Every target of the caller, as it is after the save.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct SavedTargets {
    targets: Vec<PostingTarget>,
}

#[derive(Deserialize)]
pub(super) struct SyncPages {
    pub(super) outcome: SyncOutcome,
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
pub(super) enum SyncOutcome {
    #[serde(rename = "SyncLinkedInPagesSuccess")]
    Synced { report: Pages },
    #[serde(rename = "LinkedInReconnectRequired")]
    Reconnect { code: String },
    #[serde(rename = "LinkedInUnavailable")]
    Unavailable {},
}

/// All company pages that the caller administers, by label.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Pages {
    pages: Vec<Page>,
}

/// A company page that the caller administers.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// The id of the page's record: `personalPageId` of a target.
    #[schema(examples("d3f2a1ed-c88d-45b4-99f0-dc65aea8af63"))]
    id: String,
    /// LinkedIn's own number of the page.
    #[schema(examples("87654321"))]
    linked_in_page_id: String,
    /// The page's name on LinkedIn.
    #[schema(examples("Alice's Studio"))]
    page_name: String,
    /// The page's logo on LinkedIn.
    #[schema(required, examples("https://media.licdn.com/logo.png"))]
    page_logo_url: Option<String>,
    /// When LinkedIn last confirmed that the caller administers the page: UTC, with three decimals.
    #[schema(required, format = DateTime, examples("2026-06-12T00:00:00.000Z"))]
    last_synced_at: Option<String>,
}

/// 200 with a JSON body.
pub(super) fn ok(body: &impl Serialize) -> Response {
    json(body).into_response()
}

/// Answers are about one person at one moment: no cache keeps them.
pub(super) const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];

pub(super) fn json(body: &impl Serialize) -> impl IntoResponse {
    const TYPE: [(HeaderName, HeaderValue); 1] =
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    serde_json::to_vec(body)
        .map(|body| (TYPE, NO_STORE, body))
        .map_err(|cause| {
            tracing::error!(error = %cause, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR
        })
}
