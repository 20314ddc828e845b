use sea_orm::ConnectionTrait;

use super::error::Error;
use crate::storage::organization::{self, OrganizationRow};

/// An InterlinedList organization as its members see it.
#[derive(Clone, Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) avatar_url: Option<String>,
}

/// The organizations with these ids, which must come from pages that the caller may see.
pub(crate) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[String],
) -> Result<Vec<Organization>, Error> {
    let rows = organization::by_ids(db, ids).await?;
    let organization = |OrganizationRow {
                            id,
                            name,
                            slug,
                            avatar_url,
                        }| Organization {
        id,
        name,
        slug,
        avatar_url,
    };
    Ok(rows.into_iter().map(organization).collect())
}
