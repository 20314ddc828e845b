use sea_orm::entity::prelude::*;

use super::Secret;

/// The last sync of an identity's pages, and who is at it now.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "linkedin_page_syncs", rename_all = "camelCase")]
pub struct Model {
    /// Made anew by each sync that begins: who holds it is the one that may finish.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sea_orm(unique)]
    pub identity_id: String,
    /// Lower-case hex SHA-256 of the access token that LinkedIn was asked with.
    pub token_hash: Secret,
    pub started_at: DateTime,
    /// Until then nobody else begins; null when the sync is finished.
    pub lease_until: Option<DateTime>,
    pub finished_at: Option<DateTime>,
    pub outcome: Option<Json>,
    #[sea_orm(belongs_to, from = "identity_id", to = "id")]
    pub identity: BelongsTo<super::linked_identity::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
