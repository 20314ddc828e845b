//! A member's own connection to LinkedIn, as it is written.

use chrono::NaiveDateTime;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use secrecy::{ExposeSecret, SecretString};

/// Lets the connection end at `now`, if it still holds this token.
pub(crate) async fn end(
    transaction: &impl ConnectionTrait,
    identity_id: &str,
    token: &SecretString,
    now: NaiveDateTime,
) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    let ended = match backend {
        DbBackend::Sqlite => r#"json_set("providerData", '$.expires_at', $3)"#,
        _ => r#"jsonb_set("providerData", '{expires_at}', to_jsonb($3::text))"#,
    };
    let sql = format!(
        r#"UPDATE "linked_identities" SET "providerData" = {ended}
           WHERE "id" = $1 AND "providerData" ->> 'access_token' = $2"#
    );
    let expires_at = now.format("%FT%T%.3fZ").to_string();
    let values = [
        identity_id.into(),
        token.expose_secret().into(),
        expires_at.into(),
    ];
    transaction
        .execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}
