use async_graphql::{ID, Interface};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    connection::LinkedInConnection,
    organization::Organization,
    preference::{LinkedInPostingPreferences, LinkedInPostingTarget},
    target::{LinkedInTarget, OrgPage, Personal, PersonalPage},
};

/// An object with an id that no other object of the API has.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The object's id, opaque and unique across all types. `node` takes it, and client caches key by it."
))]
pub(super) enum Node {
    Personal(Personal),
    OrgPage(OrgPage),
    PersonalPage(PersonalPage),
    LinkedInPostingTarget(LinkedInPostingTarget),
    LinkedInPostingPreferences(LinkedInPostingPreferences),
    Organization(Organization),
    LinkedInConnection(LinkedInConnection),
}

/// A global id: the type and the keys that tell its objects apart.
pub(super) fn global_id(type_name: &str, keys: &[&str]) -> ID {
    ID(URL_SAFE_NO_PAD.encode(format!("{type_name}:{}", keys.join(":"))))
}

impl From<LinkedInTarget> for Node {
    fn from(target: LinkedInTarget) -> Self {
        match target {
            LinkedInTarget::Personal(target) => Self::Personal(target),
            LinkedInTarget::OrgPage(target) => Self::OrgPage(target),
            LinkedInTarget::PersonalPage(target) => Self::PersonalPage(target),
        }
    }
}
