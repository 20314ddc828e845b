use sea_orm::entity::prelude::*;

use super::SecretJson;

/// A person's account at another service; `provider` is `linkedin` where it matters here.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "linked_identities", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub user_id: String,
    pub provider: String,
    pub provider_user_id: String,
    pub provider_username: Option<String>,
    /// Old rows hold anything here.
    pub provider_data: Option<SecretJson>,
    pub profile_url: Option<String>,
    pub avatar_url: Option<String>,
    pub connected_at: DateTime,
    pub last_verified_at: Option<DateTime>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
