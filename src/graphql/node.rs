use async_graphql::{ID, Interface};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    connection::LinkedInConnection,
    context::Caller,
    organization::Organization,
    preference::{LinkedInPostingPreferences, LinkedInPostingTarget},
    target::{LinkedInTarget, OrgPage, Personal, PersonalPage},
};
use crate::domain::{account::Account, error::Error, target::TargetId};

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
pub(crate) fn global_id(type_name: &str, keys: &[&str]) -> ID {
    ID(URL_SAFE_NO_PAD.encode(format!("{type_name}:{}", keys.join(":"))))
}

/// A global id, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GlobalId {
    pub(crate) type_name: String,
    pub(crate) key: String,
}

impl GlobalId {
    pub(super) fn new(type_name: &str, key: &str) -> Self {
        Self {
            type_name: type_name.to_owned(),
            key: key.to_owned(),
        }
    }

    pub(crate) fn read(id: &ID) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(&**id).ok()?).ok()?;
        let (type_name, key) = text.split_once(':')?;
        Some(Self::new(type_name, key))
    }

    /// The target that is meant, if it is one.
    fn target(&self, account: &Account) -> Option<TargetId> {
        match &*self.type_name {
            "Personal" if self.key == account.user_id => Some(TargetId::Personal),
            "OrgPage" => Some(TargetId::OrgPage(self.key.clone())),
            "PersonalPage" => Some(TargetId::PersonalPage(self.key.clone())),
            _ => None,
        }
    }
}

impl Node {
    /// Looks through what the caller may see, so that somebody else's id finds nothing. `None` is an id that is none.
    pub(super) async fn find(caller: &Caller, id: Option<GlobalId>) -> Result<Option<Self>, Error> {
        let account = caller.account().await?;
        let Some(id) = id else {
            return Ok(None);
        };
        match &*id.type_name {
            "LinkedInPostingPreferences" if id.key == account.user_id => {
                let preferences = LinkedInPostingPreferences::new(caller, account);
                Ok(Some(Self::LinkedInPostingPreferences(preferences)))
            }
            "LinkedInConnection"
                if account
                    .identity
                    .as_ref()
                    .is_some_and(|own| own.id == id.key) =>
            {
                let connection = LinkedInConnection::of(caller).await?;
                Ok(connection.map(Self::LinkedInConnection))
            }
            "LinkedInPostingTarget" => {
                let (user_id, rest) = id.key.split_once(':').unwrap_or_default();
                let (type_name, key) = rest.split_once(':').unwrap_or_default();
                let own = (user_id == account.user_id).then(|| GlobalId::new(type_name, key));
                let target = own.and_then(|id| account.target(&id.target(&account)?));
                Ok(target.map(|target| {
                    Self::LinkedInPostingTarget(LinkedInPostingTarget::new(&account, target))
                }))
            }
            "Organization" if account.organization_ids().any(|own| own == id.key) => {
                let organization = caller.organizations().load_one(id.key.clone()).await?;
                Ok(organization.map(Self::Organization))
            }
            _ => {
                let target = id.target(&account);
                let target = target.and_then(|target| account.target(&target));
                Ok(target.map(|target| LinkedInTarget::new(&account, target).into()))
            }
        }
    }
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
