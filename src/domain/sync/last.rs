use chrono::NaiveDateTime;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::{fingerprint, problem::Problem, report::Changes};
use crate::{
    domain::{account::Identity, error::Error},
    storage::{entity::page_sync, page_sync as syncs},
};

/// A sync's end as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Outcome {
    Done(Changes),
    Failed(Problem),
}

/// When a sync ended, and how; `None` while it runs.
pub(super) fn finished(row: page_sync::Model) -> Option<(NaiveDateTime, Outcome)> {
    if row.lease_until.is_some() {
        return None;
    }
    Some((row.finished_at?, serde_json::from_value(row.outcome?).ok()?))
}

/// How an identity's last sync went.
#[derive(Clone, Debug)]
pub(crate) struct LastSync {
    pub(crate) at: NaiveDateTime,
    /// Whether LinkedIn's list was read to its end.
    pub(crate) complete: bool,
    pub(crate) problem: Option<Problem>,
    /// Whether LinkedIn was asked with the token that the connection has now.
    pub(in crate::domain) is_of_this_connection: bool,
}

/// The identity's last sync that has ended.
pub(in crate::domain) async fn last_of(
    db: &impl ConnectionTrait,
    identity: &Identity,
) -> Result<Option<LastSync>, Error> {
    let Some(row) = syncs::of_identity(db, &identity.id).await? else {
        return Ok(None);
    };
    let token = identity.connection.token();
    let is_of_this_connection = token.is_some_and(|token| fingerprint(token) == row.token_hash.0);
    Ok(finished(row).map(|(at, outcome)| {
        let (complete, problem) = match outcome {
            Outcome::Done(changes) => (changes.complete, None),
            Outcome::Failed(problem) => (false, Some(problem)),
        };
        LastSync {
            at,
            complete,
            problem,
            is_of_this_connection,
        }
    }))
}
