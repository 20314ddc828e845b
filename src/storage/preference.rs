//! The rows that say which targets a user has enabled.

use chrono::NaiveDateTime;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, Statement,
};

use super::{account::PreferenceRow, entity::posting_preference, traced::traced};

/// Six values a row; SQLite binds 32,766 to a statement.
const ROWS_PER_INSERT: usize = 5_000;

/// Waits until no other transaction of ours writes for the user, and lets none begin until this one ends.
///
/// An advisory lock, because `users` may be read-only for us. SQLite needs none: its transaction, begun as
/// `IMMEDIATE`, is the only one that writes.
pub(crate) async fn lock(transaction: &impl ConnectionTrait, user_id: &str) -> Result<(), DbErr> {
    const SQL: &str = "SELECT pg_advisory_xact_lock($1, hashtext($2))";
    take(transaction, SQL, user_id).await
}

/// The same, and from then on the transaction waits for others' rows for less than PostgreSQL's `deadlock_timeout`, by
/// default a second: when the web application, deleting what these rows refer to, and this transaction wait for each
/// other, it is this one that gives way, and can be tried again.
pub(crate) async fn lock_and_give_way(
    transaction: &impl ConnectionTrait,
    user_id: &str,
) -> Result<(), DbErr> {
    const SQL: &str =
        "SELECT pg_advisory_xact_lock($1, hashtext($2)), set_config('lock_timeout', '700ms', true)";
    take(transaction, SQL, user_id).await
}

async fn take(transaction: &impl ConnectionTrait, sql: &str, user_id: &str) -> Result<(), DbErr> {
    /// Sets these locks apart from those of other programs on the database.
    const NAMESPACE: i32 = 0x4C54_5054;
    if transaction.get_database_backend() == DbBackend::Postgres {
        let values = [NAMESPACE.into(), user_id.into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let lock = transaction.execute_raw(statement);
        traced(DbBackend::Postgres, "SELECT pg_advisory_xact_lock", lock).await?;
    }
    Ok(())
}

/// Puts `rows` in the place of all rows of the user.
pub(crate) async fn replace(
    transaction: &impl ConnectionTrait,
    user_id: &str,
    rows: Vec<PreferenceRow>,
    now: NaiveDateTime,
    mut new_id: impl FnMut() -> String,
) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    let delete = posting_preference::Entity::delete_many()
        .filter(posting_preference::COLUMN.user_id.eq(user_id))
        .exec(transaction);
    traced(
        backend,
        "DELETE linkedin_posting_target_preferences",
        delete,
    )
    .await?;
    let mut rows = rows
        .into_iter()
        .map(|row| posting_preference::ActiveModel {
            id: Set(new_id()),
            user_id: Set(user_id.to_owned()),
            kind: Set(row.kind),
            page_id: Set(row.page_id),
            personal_page_id: Set(row.personal_page_id),
            created_at: Set(now),
        })
        .peekable();
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(ROWS_PER_INSERT).collect();
        let insert =
            posting_preference::Entity::insert_many(chunk).exec_without_returning(transaction);
        traced(
            backend,
            "INSERT linkedin_posting_target_preferences",
            insert,
        )
        .await?;
    }
    Ok(())
}
