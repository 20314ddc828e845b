use sea_orm::entity::prelude::*;

use super::Secret;

/// The LinkedIn connection that an organization shares with its members.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "org_linkedin_credentials", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sea_orm(unique)]
    pub organization_id: String,
    pub connected_by_user_id: String,
    pub provider_user_id: String,
    pub provider_username: Option<String>,
    pub access_token: Secret,
    pub expires_at: Option<DateTime>,
    pub scopes_granted: Option<String>,
    pub connected_at: DateTime,
    pub last_verified_at: Option<DateTime>,
    pub disconnected_at: Option<DateTime>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
