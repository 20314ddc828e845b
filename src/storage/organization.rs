//! Organizations behind the pages that they share.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::{entity::organization, traced::traced};

/// What a member sees of an organization.
#[derive(Clone, Debug)]
pub(crate) struct OrganizationRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) avatar_url: Option<String>,
}

pub(crate) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[String],
) -> Result<Vec<OrganizationRow>, DbErr> {
    let find = organization::Entity::find()
        .filter(
            organization::COLUMN
                .id
                .is_in(ids.iter().map(String::as_str)),
        )
        .all(db);
    let rows = traced(db.get_database_backend(), "SELECT organizations", find).await?;
    let row = |row: organization::Model| OrganizationRow {
        id: row.id,
        name: row.name,
        slug: row.slug,
        avatar_url: row.avatar,
    };
    Ok(rows.into_iter().map(row).collect())
}
