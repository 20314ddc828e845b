//! Who syncs an identity's pages now, and how the last sync went. All servers on the database go by it.

use chrono::NaiveDateTime;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Statement};
use serde_json::Value;

use super::{entity::page_sync, time, traced::traced};

/// A sync that wants to begin.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    /// New, and unlike any other.
    pub(crate) id: &'a str,
    pub(crate) identity_id: &'a str,
    pub(crate) token_hash: &'a str,
    pub(crate) now: NaiveDateTime,
    /// When others may take over, should this process die before it renews the lease.
    pub(crate) lease_until: NaiveDateTime,
    /// A sync with the same token that finished later than this makes another unnecessary.
    pub(crate) fresh_since: NaiveDateTime,
}

/// Whether the claim was granted: nobody is at it, and the last result with this token is old.
pub(crate) async fn claim(db: &impl ConnectionTrait, claim: &Claim<'_>) -> Result<bool, DbErr> {
    const SQL: &str = r#"
INSERT INTO "linkedin_page_syncs" ("id", "identityId", "tokenHash", "startedAt", "leaseUntil")
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ("identityId") DO UPDATE SET "id" = excluded."id", "tokenHash" = excluded."tokenHash",
    "startedAt" = excluded."startedAt", "leaseUntil" = excluded."leaseUntil"
WHERE "linkedin_page_syncs"."tokenHash" <> excluded."tokenHash" OR (
    ("linkedin_page_syncs"."leaseUntil" IS NULL OR "linkedin_page_syncs"."leaseUntil" <= excluded."startedAt")
    AND ("linkedin_page_syncs"."finishedAt" IS NULL OR "linkedin_page_syncs"."finishedAt" <= $6)
)"#;
    let backend = db.get_database_backend();
    let values = [
        claim.id.into(),
        claim.identity_id.into(),
        claim.token_hash.into(),
        time(backend, claim.now),
        time(backend, claim.lease_until),
        time(backend, claim.fresh_since),
    ];
    let statement = db.execute_raw(Statement::from_sql_and_values(backend, SQL, values));
    let claimed = traced(backend, "INSERT linkedin_page_syncs", statement).await?;
    Ok(claimed.rows_affected() == 1)
}

/// Puts off the end of a sync's lease. False when somebody else took over, or it has ended.
pub(crate) async fn renew(
    db: &impl ConnectionTrait,
    id: &str,
    lease_until: NaiveDateTime,
) -> Result<bool, DbErr> {
    const SQL: &str = r#"
UPDATE "linkedin_page_syncs" SET "leaseUntil" = $2 WHERE "id" = $1 AND "leaseUntil" IS NOT NULL"#;
    let backend = db.get_database_backend();
    let values = [id.into(), time(backend, lease_until)];
    let statement = db.execute_raw(Statement::from_sql_and_values(backend, SQL, values));
    let renewed = traced(backend, "UPDATE linkedin_page_syncs", statement).await?;
    Ok(renewed.rows_affected() == 1)
}

/// Records how it went. False when somebody else took over in between: then what was found is not theirs to write.
pub(crate) async fn finish(
    db: &impl ConnectionTrait,
    id: &str,
    outcome: Value,
    now: NaiveDateTime,
) -> Result<bool, DbErr> {
    let finished = page_sync::ActiveModel {
        lease_until: Set(None),
        finished_at: Set(Some(now)),
        outcome: Set(Some(outcome)),
        ..Default::default()
    };
    let update = page_sync::Entity::update_many()
        .set(finished)
        .filter(page_sync::COLUMN.id.eq(id))
        .exec(db);
    let backend = db.get_database_backend();
    let updated = traced(backend, "UPDATE linkedin_page_syncs", update).await?;
    Ok(updated.rows_affected == 1)
}

pub(crate) async fn of_identity(
    db: &impl ConnectionTrait,
    identity_id: &str,
) -> Result<Option<page_sync::Model>, DbErr> {
    let find = page_sync::Entity::find()
        .filter(page_sync::COLUMN.identity_id.eq(identity_id))
        .one(db);
    traced(
        db.get_database_backend(),
        "SELECT linkedin_page_syncs",
        find,
    )
    .await
}
