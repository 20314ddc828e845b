use chrono::NaiveDateTime;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, IntoActiveModel};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    app::Ids,
    storage::entity::{
        Secret, SecretJson, linked_identity, org_credential, org_page, organization,
        page_assignment, personal_page, posting_preference, session, sync_token, user,
    },
};

/// Makes rows as InterlinedList would, for the demo and for tests. Each method returns the id of what it made.
#[derive(Debug)]
pub struct World<'a, Db> {
    /// Where the rows go.
    pub db: &'a Db,
    /// Where their ids come from.
    pub ids: &'a Ids,
    /// When they were made.
    pub now: NaiveDateTime,
}

type Made = Result<String, DbErr>;

impl<Db: ConnectionTrait> World<'_, Db> {
    /// A user, by the name in their address and the name that people see.
    pub async fn user(&self, username: &str, display_name: &str) -> Made {
        let user = user::Model {
            id: self.ids.next(),
            email: format!("{username}@example.com"),
            username: username.to_owned(),
            password_hash: Secret("not a hash".to_owned()),
            display_name: Some(display_name.to_owned()),
            avatar: None,
            email_verified: true,
            created_at: self.now,
            updated_at: self.now,
        };
        Ok(user.into_active_model().insert(self.db).await?.id)
    }

    /// A session; its id is the cookie's value.
    pub async fn session(&self, user_id: &str, expires_at: NaiveDateTime) -> Made {
        let session = session::Model {
            id: Secret(self.ids.next()),
            user_id: user_id.to_owned(),
            expires_at,
            created_at: self.now,
        };
        Ok(session.into_active_model().insert(self.db).await?.id.0)
    }

    /// A native client's token.
    pub async fn token(&self, user_id: &str, token: &str) -> Made {
        let token = sync_token::Model {
            id: self.ids.next(),
            user_id: user_id.to_owned(),
            token_hash: Secret(hex::encode(Sha256::digest(token))),
            name: "CLI".to_owned(),
            created_at: self.now,
        };
        Ok(token.into_active_model().insert(self.db).await?.id)
    }

    /// A user's own LinkedIn connection.
    pub async fn identity(&self, user_id: &str, name: Option<&str>, data: Option<Value>) -> Made {
        let identity = linked_identity::Model {
            id: self.ids.next(),
            user_id: user_id.to_owned(),
            provider: "linkedin".to_owned(),
            provider_user_id: self.ids.next(),
            provider_username: name.map(str::to_owned),
            provider_data: data.map(SecretJson),
            profile_url: None,
            avatar_url: None,
            connected_at: self.now,
            last_verified_at: None,
        };
        Ok(identity.into_active_model().insert(self.db).await?.id)
    }

    /// A page that a user administers.
    pub async fn personal_page(&self, identity_id: &str, number: &str, name: &str) -> Made {
        let page = personal_page::Model {
            id: self.ids.next(),
            identity_id: identity_id.to_owned(),
            linked_in_page_id: number.to_owned(),
            page_name: name.to_owned(),
            page_logo_url: None,
            discovered_at: self.now,
            last_synced_at: Some(self.now),
            removed_at: None,
        };
        Ok(page.into_active_model().insert(self.db).await?.id)
    }

    /// An organization that is connected to LinkedIn by one of its members; the id is the connection's.
    pub async fn organization(&self, name: &str, connected_by: &str) -> Made {
        let organization = organization::Model {
            id: self.ids.next(),
            name: name.to_owned(),
            slug: name.to_lowercase(),
            description: None,
            avatar: None,
            is_public: true,
            is_system: false,
            settings: None,
            created_at: self.now,
            updated_at: self.now,
            deleted_at: None,
        };
        let credential = org_credential::Model {
            id: self.ids.next(),
            organization_id: organization.id.clone(),
            connected_by_user_id: connected_by.to_owned(),
            provider_user_id: self.ids.next(),
            provider_username: None,
            access_token: Secret("not a token".to_owned()),
            expires_at: None,
            scopes_granted: None,
            connected_at: self.now,
            last_verified_at: None,
            disconnected_at: None,
        };
        organization.into_active_model().insert(self.db).await?;
        Ok(credential.into_active_model().insert(self.db).await?.id)
    }

    /// A page of an organization's connection.
    pub async fn org_page(&self, credential_id: &str, number: &str, name: &str) -> Made {
        let page = org_page::Model {
            id: self.ids.next(),
            credential_id: credential_id.to_owned(),
            linked_in_page_id: number.to_owned(),
            page_name: name.to_owned(),
            page_logo_url: None,
            discovered_at: self.now,
            last_synced_at: None,
        };
        Ok(page.into_active_model().insert(self.db).await?.id)
    }

    /// Lets a user post to an organization's page.
    pub async fn assign(&self, page_id: &str, user_id: &str) -> Made {
        let assignment = page_assignment::Model {
            id: self.ids.next(),
            page_id: page_id.to_owned(),
            user_id: user_id.to_owned(),
            assigned_by_user_id: user_id.to_owned(),
            created_at: self.now,
        };
        Ok(assignment.into_active_model().insert(self.db).await?.id)
    }

    /// A saved preference, as its row has it.
    pub async fn preference(
        &self,
        user_id: &str,
        kind: &str,
        page: Option<&str>,
        personal_page: Option<&str>,
    ) -> Made {
        let preference = posting_preference::Model {
            id: self.ids.next(),
            user_id: user_id.to_owned(),
            kind: kind.to_owned(),
            page_id: page.map(str::to_owned),
            personal_page_id: personal_page.map(str::to_owned),
            created_at: self.now,
        };
        Ok(preference.into_active_model().insert(self.db).await?.id)
    }
}
