use sea_orm::entity::prelude::*;

/// An organization's page that a member may post to.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "org_linkedin_page_assignments", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub page_id: String,
    pub user_id: String,
    pub assigned_by_user_id: String,
    pub created_at: DateTime,
    #[sea_orm(belongs_to, from = "page_id", to = "id")]
    pub page: BelongsTo<super::org_page::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
