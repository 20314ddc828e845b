//! Renews a connection without its member, where LinkedIn allows it.

use chrono::{NaiveDateTime, TimeDelta};
use secrecy::{ExposeSecret, SecretString};

use super::{Inner, Job};
use crate::{
    domain::{connection::Connection, error::Error, granted::Granted},
    storage::connection,
};

/// How long before its end a connection is renewed.
const AHEAD: TimeDelta = TimeDelta::days(7);

/// A connection that ends soon or has ended, with what renews it.
pub(super) struct Due {
    connection: Connection,
    refresh_token: SecretString,
    pub(super) has_ended: bool,
}

impl Inner {
    /// `None` while the connection has time, and where LinkedIn gave no refresh token for it.
    pub(super) fn due(
        &self,
        user_id: &str,
        connection: &Connection,
        now: NaiveDateTime,
    ) -> Option<Due> {
        let stored = connection.refresh_token(now)?;
        let is_due = connection.expires_by(now + AHEAD);
        let refresh_token = self.keys.open(user_id, stored).ok().filter(|_| is_due)?;
        Some(Due {
            connection: connection.clone(),
            refresh_token,
            has_ended: connection.expires_by(now),
        })
    }

    /// The job with a new token, which is stored. `None` where LinkedIn gave none; then everything is as it was.
    pub(super) async fn renew(&self, job: &Job, due: &Due) -> Result<Option<Job>, Error> {
        let mut grant = match self.linkedin.refresh(&due.refresh_token).await {
            Ok(grant) => grant,
            Err(cause) => {
                let cause = &cause as &dyn std::error::Error;
                tracing::warn!(
                    user.id = job.user_id,
                    error = cause,
                    "a connection could not be renewed"
                );
                return Ok(None);
            }
        };
        grant
            .refresh_token
            .get_or_insert_with(|| due.refresh_token.clone());
        let now = (self.means.now)();
        let granted = Granted {
            grant: &grant,
            at: now,
            known: Some(&due.connection),
        };
        let data = granted.data(&self.keys, &job.user_id, (self.means.nonces)());
        let stored = data.0["access_token"].as_str().unwrap_or_default().into();
        connection::renew(self.db.writers(), &job.identity_id, &job.stored, data, now).await?;
        tracing::info!(
            target: "audit",
            action = "renew",
            user.id = job.user_id,
            outcome = "done",
            "renewed a connection to LinkedIn"
        );
        Ok(Some(Job {
            user_id: job.user_id.clone(),
            identity_id: job.identity_id.clone(),
            token: grant.access_token.expose_secret().into(),
            stored,
            fingerprint: job.fingerprint.clone(),
            is_fresh: true,
            due: None,
        }))
    }
}
