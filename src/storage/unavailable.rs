//! Pages that belong to a user's picture of what they have, whether they can post to them or not.

use chrono::NaiveDateTime;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

use super::{time, traced::traced};

#[derive(Debug, FromQueryResult)]
pub(crate) struct UnavailableRow {
    /// `orgPage` or `personalPage`.
    pub(crate) part: String,
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) image: Option<String>,
    /// `disconnected`, `expired`, `removed`, or `present` where the page itself is in order.
    pub(crate) why: String,
}

/// Assigned pages whose organization's connection is dead, and all pages of the user's own connection.
pub(crate) async fn of_user(
    db: &impl ConnectionTrait,
    user_id: &str,
    now: NaiveDateTime,
) -> Result<Vec<UnavailableRow>, DbErr> {
    const SQL: &str = r#"
SELECT 'orgPage' AS "part", p."id" AS "id", p."pageName" AS "label", p."pageLogoUrl" AS "image",
    CASE WHEN c."disconnectedAt" IS NULL THEN 'expired' ELSE 'disconnected' END AS "why"
FROM "org_linkedin_page_assignments" a
JOIN "org_linkedin_pages" p ON p."id" = a."pageId"
JOIN "org_linkedin_credentials" c ON c."id" = p."credentialId"
WHERE a."userId" = $1 AND (c."disconnectedAt" IS NOT NULL OR c."expiresAt" <= $2)
UNION ALL
SELECT 'personalPage', p."id", p."pageName", p."pageLogoUrl",
    CASE WHEN p."removedAt" IS NULL THEN 'present' ELSE 'removed' END
FROM "linked_identities" i
JOIN "linkedin_personal_pages" p ON p."identityId" = i."id"
WHERE i."userId" = $1 AND i."provider" = 'linkedin'"#;
    let backend = db.get_database_backend();
    let values = [user_id.into(), time(backend, now)];
    let statement = Statement::from_sql_and_values(backend, SQL, values);
    let find = UnavailableRow::find_by_statement(statement).all(db);
    let summary = "SELECT org_linkedin_pages linkedin_personal_pages";
    traced(backend, summary, find).await
}
