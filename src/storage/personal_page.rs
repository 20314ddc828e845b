//! The company pages that a member reaches through their own connection.

use chrono::NaiveDateTime;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, Statement};
use serde::Serialize;

use super::{entity::personal_page, time, traced::traced};

/// A page as it is to be stored. The id counts only where the page is new.
#[derive(Debug, Serialize)]
pub(crate) struct NewPage {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) logo: Option<String>,
}

/// All pages of an identity, removed ones too.
pub(crate) async fn of_identity(
    db: &impl ConnectionTrait,
    identity_id: &str,
) -> Result<Vec<personal_page::Model>, DbErr> {
    let find = personal_page::Entity::find()
        .filter(personal_page::COLUMN.identity_id.eq(identity_id))
        .all(db);
    let backend = db.get_database_backend();
    traced(backend, "SELECT linkedin_personal_pages", find).await
}

/// Adds or renews these pages in one statement; one that was removed is back, with its id.
pub(crate) async fn upsert(
    transaction: &impl ConnectionTrait,
    identity_id: &str,
    pages: &[NewPage],
    now: NaiveDateTime,
) -> Result<(), DbErr> {
    let source = match transaction.get_database_backend() {
        DbBackend::Sqlite => {
            r#"SELECT "value" ->> 'id' AS "id", "value" ->> 'number' AS "number", "value" ->> 'name' AS "name",
                      "value" ->> 'logo' AS "logo" FROM json_each($3)"#
        }
        _ => {
            r#"SELECT * FROM json_to_recordset($3::json) AS "p"("id" text, "number" text, "name" text, "logo" text)"#
        }
    };
    let sql = format!(
        r#"
INSERT INTO "linkedin_personal_pages"
    ("id", "identityId", "linkedInPageId", "pageName", "pageLogoUrl", "discoveredAt", "lastSyncedAt")
SELECT "id", $1, "number", "name", "logo", $2, $2 FROM ({source}) AS "found" WHERE true
ON CONFLICT ("identityId", "linkedInPageId") DO UPDATE SET "pageName" = excluded."pageName",
    "pageLogoUrl" = excluded."pageLogoUrl", "lastSyncedAt" = excluded."lastSyncedAt", "removedAt" = NULL"#
    );
    let summary = "INSERT linkedin_personal_pages";
    run(transaction, summary, &sql, identity_id, pages, now).await
}

/// Marks every page but those with these numbers as removed, in one statement.
pub(crate) async fn remove_others(
    transaction: &impl ConnectionTrait,
    identity_id: &str,
    numbers: &[&str],
    now: NaiveDateTime,
) -> Result<(), DbErr> {
    let kept = match transaction.get_database_backend() {
        DbBackend::Sqlite => r#"SELECT "value" FROM json_each($3)"#,
        _ => "SELECT json_array_elements_text($3::json)",
    };
    let sql = format!(
        r#"
UPDATE "linkedin_personal_pages" SET "removedAt" = $2
WHERE "identityId" = $1 AND "removedAt" IS NULL AND "linkedInPageId" NOT IN ({kept})"#
    );
    let summary = "UPDATE linkedin_personal_pages";
    run(transaction, summary, &sql, identity_id, numbers, now).await
}

/// `$1` identity, `$2` now, `$3` a list as JSON: a statement takes it whatever its length.
async fn run(
    transaction: &impl ConnectionTrait,
    summary: &'static str,
    sql: &str,
    identity_id: &str,
    list: &(impl Serialize + ?Sized),
    now: NaiveDateTime,
) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    let list = serde_json::to_string(list).map_err(|cause| DbErr::Json(cause.to_string()))?;
    let values = [identity_id.into(), time(backend, now), list.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    traced(backend, summary, transaction.execute_raw(statement)).await?;
    Ok(())
}
