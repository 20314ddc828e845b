use sea_orm::entity::prelude::*;

/// A company page that an organization's LinkedIn connection administers.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "org_linkedin_pages", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub credential_id: String,
    /// LinkedIn's own number, as text.
    pub linked_in_page_id: String,
    pub page_name: String,
    pub page_logo_url: Option<String>,
    pub discovered_at: DateTime,
    pub last_synced_at: Option<DateTime>,
    #[sea_orm(belongs_to, from = "credential_id", to = "id")]
    pub credential: BelongsTo<super::org_credential::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
