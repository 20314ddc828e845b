use sea_orm::entity::prelude::*;

/// A company page that a member administers and reaches through their own connection.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "linkedin_personal_pages", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub identity_id: String,
    /// LinkedIn's own number, as text.
    pub linked_in_page_id: String,
    pub page_name: String,
    pub page_logo_url: Option<String>,
    pub discovered_at: DateTime,
    pub last_synced_at: Option<DateTime>,
    /// Set while the member does not administer the page; the row stays for the preferences that name it.
    pub removed_at: Option<DateTime>,
    #[sea_orm(belongs_to, from = "identity_id", to = "id")]
    pub identity: BelongsTo<super::linked_identity::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
