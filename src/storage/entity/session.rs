use sea_orm::entity::prelude::*;

use super::Secret;

/// A browser that is signed in. The cookie's value is the `id`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Secret,
    pub user_id: String,
    pub expires_at: DateTime,
    pub created_at: DateTime,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
