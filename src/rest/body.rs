use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use utoipa::ToSchema;

use crate::lenient_json as lenient;

pub(super) const NOT_JSON: &str = "Invalid JSON body";
pub(super) const NO_LIST: &str = "targets must be an array";
pub(super) const BAD_ENTRY: &str = "Invalid targets";

/// The targets to enable; all others become disabled. An empty list disables every target. Repeated ones count once,
/// and other keys are ignored.
#[derive(Serialize, ToSchema)]
pub(super) struct Selection {
    pub(super) targets: Vec<SelectedTarget>,
}

/// One of the caller's targets.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind")]
pub(super) enum SelectedTarget {
    /// The caller's own LinkedIn account.
    #[serde(rename = "personal")]
    #[schema(title = "SelectedPersonal")]
    Personal {},
    /// A company page that an organization assigned to the caller.
    #[serde(rename = "orgPage", rename_all = "camelCase")]
    #[schema(title = "SelectedOrgPage")]
    OrgPage {
        /// `pageId` of the target.
        #[schema(min_length = 1, examples("e1220e99-bb5d-40c8-81bf-0bbf0d7eb975"))]
        page_id: String,
    },
    /// A company page that the caller administers.
    #[serde(rename = "personalPage", rename_all = "camelCase")]
    #[schema(title = "SelectedPersonalPage")]
    PersonalPage {
        /// `personalPageId` of the target.
        #[schema(min_length = 1, examples("d3f2a1ed-c88d-45b4-99f0-dc65aea8af63"))]
        personal_page_id: String,
    },
}

impl Selection {
    /// What a body selects, or the sentence that says what is wrong with it.
    ///
    /// What existing clients send counts, so it is read as the web application reads it: whatever is not UTF-8 becomes
    /// U+FFFD, a byte order mark is skipped, and unknown keys are ignored.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let text = String::from_utf8_lossy(body);
        let document =
            lenient::document(text.strip_prefix('\u{feff}').unwrap_or(&text)).ok_or(NOT_JSON)?;
        let list = lenient::object(document)
            .and_then(|body| body.get("targets"))
            .and_then(lenient::array);
        let targets = list
            .ok_or(NO_LIST)?
            .into_iter()
            .map(|entry| SelectedTarget::read(entry).ok_or(BAD_ENTRY));
        Ok(Self {
            targets: targets.collect::<Result<_, _>>()?,
        })
    }

    /// As a list of `LinkedInTargetInput`.
    pub(super) fn into_input(self) -> Vec<Value> {
        let input = |target| match target {
            SelectedTarget::Personal {} => json!({ "personal": "VIEWER" }),
            SelectedTarget::OrgPage { page_id } => json!({ "orgPageId": page_id }),
            SelectedTarget::PersonalPage { personal_page_id } => {
                json!({ "personalPageId": personal_page_id })
            }
        };
        self.targets.into_iter().map(input).collect()
    }
}

impl SelectedTarget {
    fn read(entry: &RawValue) -> Option<Self> {
        let entry = lenient::object(entry)?;
        let text = |key| entry.get(key).and_then(lenient::string);
        let id = |key| text(key).filter(|id| !id.is_empty());
        match text("kind")?.as_str() {
            "personal" => Some(Self::Personal {}),
            "orgPage" => Some(Self::OrgPage {
                page_id: id("pageId")?,
            }),
            "personalPage" => Some(Self::PersonalPage {
                personal_page_id: id("personalPageId")?,
            }),
            _ => None,
        }
    }
}
