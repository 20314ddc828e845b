//! Asks LinkedIn which company pages a member administers, and stores the answer.

mod problem;
mod report;

use std::{sync::Arc, time::Duration};

use chrono::{NaiveDateTime, TimeDelta};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    account::{Account, Identity},
    error::Error,
    single_flight::SingleFlight,
};
use crate::{
    linkedin::{self, Listing},
    seal::Keys,
    storage::{
        begin_write, connection,
        entity::page_sync,
        page_sync::{self as syncs, Claim},
        personal_page as pages,
    },
};
pub(crate) use problem::Problem;
use report::{Changes, plan};
pub(crate) use report::{Report, SkipReason, Skipped};

/// How often a server looks whether another one has finished the same sync.
const POLL: Duration = Duration::from_millis(100);

/// Syncs pages: one discovery per identity at a time, among all servers on the database, and no more often than the
/// interval allows.
#[derive(Clone)]
pub(crate) struct Syncer(Arc<Inner>);

struct Inner {
    db: DatabaseConnection,
    linkedin: linkedin::Client,
    keys: Keys,
    means: Means,
    interval: TimeDelta,
    flights: SingleFlight<Result<Synced, Error>>,
}

/// Where time (UTC) and new ids (UUIDs) come from.
pub(crate) struct Means {
    pub(crate) now: Box<dyn Fn() -> NaiveDateTime + Send + Sync>,
    pub(crate) new_id: Box<dyn Fn() -> String + Send + Sync>,
}

/// How a sync went.
#[derive(Clone, Debug)]
pub(crate) enum Synced {
    Done(Arc<Report>),
    Failed(Problem),
}

#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    Done(Changes),
    Failed(Problem),
}

/// What a sync is about, told apart from the request that asked for it.
struct Job {
    user_id: String,
    identity_id: String,
    token: SecretString,
    /// The token as the database has it.
    stored: SecretString,
    fingerprint: String,
    is_fresh: bool,
}

impl Syncer {
    pub(crate) fn new(
        db: DatabaseConnection,
        linkedin: linkedin::Client,
        keys: Keys,
        means: Means,
        interval: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            db,
            linkedin,
            keys,
            means,
            interval: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX),
            flights: SingleFlight::default(),
        }))
    }

    /// Fetches the caller's pages from LinkedIn, or answers a result that is younger than the interval.
    pub(crate) async fn sync(&self, account: &Account) -> Result<Synced, Error> {
        self.run(account, false).await
    }

    /// The same for a connection that has just been made: its token may be called revoked for some seconds, which is
    /// waited for.
    pub(crate) async fn sync_fresh(&self, account: &Account) -> Result<Synced, Error> {
        self.run(account, true).await
    }

    async fn run(&self, account: &Account, is_fresh: bool) -> Result<Synced, Error> {
        let job = match self.0.job(account, is_fresh) {
            Ok(job) => job,
            Err(problem) => return Ok(Synced::Failed(problem)),
        };
        let inner = self.0.clone();
        let key = format!("{} {}", job.identity_id, job.fingerprint);
        let flight = self
            .0
            .flights
            .run(&key, async move { inner.run(&job).await });
        flight.await.unwrap_or(Err(Error::Panicked))
    }
}

/// What tells a token from another without telling the token.
fn fingerprint(token: &SecretString) -> String {
    hex::encode(Sha256::digest(token.expose_secret()))
}

impl Inner {
    /// What there is to do, if the caller's connection lets anybody ask.
    fn job(&self, account: &Account, is_fresh: bool) -> Result<Job, Problem> {
        let Identity { id, connection, .. } =
            account.identity.as_ref().ok_or(Problem::NotLinked)?;
        let stored = connection
            .token()
            .filter(|_| account.is_connected)
            .ok_or(Problem::Expired)?;
        if !connection.has_org_scope() {
            return Err(Problem::OrgScopeMissing);
        }
        let token = self.keys.open(&account.user_id, stored).map_err(|cause| {
            tracing::error!(user.id = account.user_id, error = %cause, "a connection cannot be used");
            Problem::Expired
        })?;
        Ok(Job {
            user_id: account.user_id.clone(),
            identity_id: id.clone(),
            fingerprint: fingerprint(stored),
            token,
            stored: stored.clone(),
            is_fresh,
        })
    }

    async fn run(&self, job: &Job) -> Result<Synced, Error> {
        let lease = self.linkedin.patience() * 2;
        for _ in 0..=lease.as_millis() / POLL.as_millis() {
            let now = (self.means.now)();
            let id = (self.means.new_id)();
            let claim = Claim {
                id: &id,
                identity_id: &job.identity_id,
                token_hash: &job.fingerprint,
                now,
                lease_until: now + lease,
                fresh_since: now - self.interval,
            };
            if syncs::claim(&self.db, &claim).await? {
                if let Some(synced) = self.discover(job, &id).await? {
                    return Ok(synced);
                }
            } else if let Some(synced) = self.last(job).await? {
                return Ok(synced);
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(Synced::Failed(Problem::Unavailable))
    }

    /// The result that somebody else's sync has left; `None` while it runs.
    async fn last(&self, job: &Job) -> Result<Option<Synced>, Error> {
        let Some(row) = syncs::of_identity(&self.db, &job.identity_id).await? else {
            return Ok(None);
        };
        let Some((at, outcome)) = finished(row) else {
            return Ok(None);
        };
        Ok(Some(match outcome {
            Outcome::Failed(problem) => Synced::Failed(problem),
            Outcome::Done(changes) => {
                let rows = pages::of_identity(&self.db, &job.identity_id).await?;
                Synced::Done(Arc::new(Report::new(at, changes, rows)))
            }
        }))
    }

    /// LinkedIn is asked before the transaction opens. `None` when another sync has taken over meanwhile.
    async fn discover(&self, job: &Job, id: &str) -> Result<Option<Synced>, Error> {
        let found = self
            .linkedin
            .administered_pages(&job.token, job.is_fresh)
            .await;
        let transaction = begin_write(&self.db).await?;
        let synced = match found {
            Ok(listing) => self.store(&transaction, job, id, listing).await?,
            Err(cause) => {
                let problem = Problem::new(&cause, (self.means.now)());
                problem.log(&cause);
                self.note(&transaction, job, id, problem).await?
            }
        };
        if synced.is_some() {
            transaction.commit().await?;
        }
        Ok(synced)
    }

    async fn store(
        &self,
        transaction: &DatabaseTransaction,
        job: &Job,
        id: &str,
        listing: Listing,
    ) -> Result<Option<Synced>, Error> {
        let now = (self.means.now)();
        let before = pages::of_identity(transaction, &job.identity_id).await?;
        let (new, changes) = plan(before, listing, || (self.means.new_id)());
        pages::upsert(transaction, &job.identity_id, &new, now).await?;
        if changes.complete {
            let numbers: Vec<_> = new.iter().map(|page| page.number.as_str()).collect();
            pages::remove_others(transaction, &job.identity_id, &numbers, now).await?;
        }
        let outcome = Outcome::Done(changes);
        if !syncs::finish(transaction, id, serde_json::to_value(&outcome)?, now).await? {
            return Ok(None);
        }
        let rows = pages::of_identity(transaction, &job.identity_id).await?;
        let Outcome::Done(changes) = outcome else {
            return Ok(None);
        };
        let report = Report::new(now, changes, rows);
        tracing::info!(
            user.id = job.user_id,
            pages = report.pages.len(),
            added = report.added.len(),
            restored = report.restored.len(),
            removed = report.removed.len(),
            complete = report.complete,
            "synced the LinkedIn pages"
        );
        Ok(Some(Synced::Done(Arc::new(report))))
    }

    async fn note(
        &self,
        transaction: &DatabaseTransaction,
        job: &Job,
        id: &str,
        problem: Problem,
    ) -> Result<Option<Synced>, Error> {
        let now = (self.means.now)();
        if matches!(problem, Problem::Expired | Problem::Revoked) {
            // Everybody who reads the connection then knows, the web application too.
            connection::end(transaction, &job.identity_id, &job.stored, now).await?;
        }
        let outcome = serde_json::to_value(Outcome::Failed(problem.clone()))?;
        let is_ours = syncs::finish(transaction, id, outcome, now).await?;
        Ok(is_ours.then_some(Synced::Failed(problem)))
    }
}

/// When a sync ended, and how; `None` while it runs.
fn finished(row: page_sync::Model) -> Option<(NaiveDateTime, Outcome)> {
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
    pub(super) is_of_this_connection: bool,
}

/// The identity's last sync that has ended.
pub(super) async fn last_of(
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
