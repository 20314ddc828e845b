//! Renews a connection without its member, where LinkedIn allows it.

use chrono::TimeDelta;
use sea_orm::DatabaseConnection;

use super::{
    account::Account,
    error::Error,
    link::{Consent, Means, data},
};
use crate::{linkedin::Client, seal::Keys, storage::connection};

/// How long before its end a connection is renewed.
const AHEAD: TimeDelta = TimeDelta::days(7);

/// Renews the caller's connection if it ends soon or has ended, and LinkedIn gave a refresh token for it. True when the
/// account has to be loaded again. Where it does not succeed, everything is as it was.
pub(crate) async fn renew(
    db: &DatabaseConnection,
    linkedin: &Client,
    keys: &Keys,
    account: &Account,
    means: &Means,
) -> Result<bool, Error> {
    let Some(identity) = &account.identity else {
        return Ok(false);
    };
    let connection = &identity.connection;
    let is_due = connection.expires_by(means.now + AHEAD);
    let refresh_token = connection.refresh_token(means.now).filter(|_| is_due);
    let Some((refresh_token, stored)) = refresh_token.zip(connection.token()) else {
        return Ok(false);
    };
    let Ok(refresh_token) = keys.open(&account.user_id, refresh_token) else {
        return Ok(false);
    };
    let grant = match linkedin.refresh(&refresh_token).await {
        Ok(grant) => grant,
        Err(cause) => {
            let cause = &cause as &dyn std::error::Error;
            tracing::warn!(
                user.id = account.user_id,
                error = cause,
                "a connection could not be renewed"
            );
            return Ok(false);
        }
    };
    let consent = Consent {
        member_id: String::new(),
        name: None,
        picture: None,
        access_token: grant.access_token,
        expires_in: grant.expires_in,
        granted_at: means.now,
        scope: grant.scope,
        refresh_token: grant.refresh_token.or(Some(refresh_token)),
        refresh_token_expires_in: grant.refresh_token_expires_in,
    };
    let data = data(keys, &account.user_id, &consent, Some(connection), means);
    connection::renew(db, &identity.id, stored, data, means.now).await?;
    tracing::info!(
        user.id = account.user_id,
        "renewed a connection to LinkedIn"
    );
    Ok(true)
}
