//! A member's own connection to LinkedIn, as it is written.

use chrono::NaiveDateTime;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, QueryFilter, Statement,
    sea_query::{Expr, OnConflict},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    entity::{SecretJson, linked_identity},
    traced::traced,
};

/// LinkedIn, among the services that share the table.
const PROVIDER: &str = "linkedin";

/// Lets the connection end at `now`, if it still holds this token, in the form in which it is stored.
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
    let statement = transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values));
    traced(backend, "UPDATE linked_identities", statement).await?;
    Ok(())
}

/// A user's LinkedIn account, as it is to be stored. The id counts only where the user has none yet.
#[derive(Debug)]
pub(crate) struct NewIdentity {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) member_id: String,
    pub(crate) name: Option<String>,
    pub(crate) picture: Option<String>,
    pub(crate) data: SecretJson,
    pub(crate) connected_at: NaiveDateTime,
    pub(crate) verified_at: NaiveDateTime,
}

pub(crate) async fn of_user(
    db: &impl ConnectionTrait,
    user_id: &str,
) -> Result<Option<linked_identity::Model>, DbErr> {
    let find = linked_identity::Entity::find()
        .filter(linked_identity::COLUMN.user_id.eq(user_id))
        .filter(linked_identity::COLUMN.provider.eq(PROVIDER))
        .one(db);
    traced(db.get_database_backend(), "SELECT linked_identities", find).await
}

/// Adds the user's identity or renews it, with its id.
pub(crate) async fn store(
    transaction: &impl ConnectionTrait,
    identity: NewIdentity,
) -> Result<(), DbErr> {
    use linked_identity::Column;
    let row = linked_identity::ActiveModel {
        id: Set(identity.id),
        user_id: Set(identity.user_id),
        provider: Set(PROVIDER.to_owned()),
        provider_user_id: Set(identity.member_id),
        provider_username: Set(identity.name),
        provider_data: Set(Some(identity.data)),
        profile_url: Set(None),
        avatar_url: Set(identity.picture),
        connected_at: Set(identity.connected_at),
        last_verified_at: Set(Some(identity.verified_at)),
    };
    let renewed = OnConflict::columns([Column::UserId, Column::Provider])
        .update_columns([
            Column::ProviderUserId,
            Column::ProviderUsername,
            Column::ProviderData,
            Column::AvatarUrl,
            Column::ConnectedAt,
            Column::LastVerifiedAt,
        ])
        .to_owned();
    let insert = linked_identity::Entity::insert(row)
        .on_conflict(renewed)
        .exec_without_returning(transaction);
    let backend = transaction.get_database_backend();
    traced(backend, "INSERT linked_identities", insert).await?;
    Ok(())
}

/// Gives the connection other data, if it still holds this token, in the form in which it is stored.
pub(crate) async fn renew(
    db: &impl ConnectionTrait,
    identity_id: &str,
    stored_token: &SecretString,
    data: SecretJson,
    now: NaiveDateTime,
) -> Result<(), DbErr> {
    let renewed = linked_identity::ActiveModel {
        provider_data: Set(Some(data)),
        last_verified_at: Set(Some(now)),
        ..Default::default()
    };
    let token = stored_token.expose_secret();
    let update = linked_identity::Entity::update_many()
        .set(renewed)
        .filter(linked_identity::COLUMN.id.eq(identity_id))
        .filter(Expr::cust(r#""providerData" ->> 'access_token'"#).eq(token))
        .exec(db);
    let backend = db.get_database_backend();
    traced(backend, "UPDATE linked_identities", update).await?;
    Ok(())
}
