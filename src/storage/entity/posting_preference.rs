use sea_orm::entity::prelude::*;

/// A target that is enabled for a user. No row of a user: they never saved.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "linkedin_posting_target_preferences",
    rename_all = "camelCase"
)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub user_id: String,
    /// `personal`, `orgPage`, `personalPage`; `none` marks a saved empty set.
    pub kind: String,
    pub page_id: Option<String>,
    pub personal_page_id: Option<String>,
    pub created_at: DateTime,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
