//! Asks LinkedIn which company pages a member administers, and stores the answer.

mod last;
mod problem;
mod renewal;
mod report;

use std::{pin::pin, sync::Arc, time::Duration};

use chrono::{NaiveDateTime, TimeDelta};
use futures_util::future::{Either, select};
use sea_orm::DatabaseTransaction;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep, timeout};

use super::{
    account::{Account, Identity},
    error::Error,
    listeners::Listeners,
    single_flight::SingleFlight,
};
use crate::{
    linkedin::{self, Listing},
    metrics::Metrics,
    seal::{Keys, NONCE_LEN},
    storage::{
        Database, commit, connection, failure,
        page_sync::{self as syncs, Claim},
        personal_page as pages, preference,
    },
};
pub(crate) use last::LastSync;
pub(super) use last::last_of;
use last::{Outcome, finished};
pub(crate) use problem::Problem;
use renewal::Due;
use report::plan;
pub(crate) use report::{Report, SkipReason, Skipped};

/// How often a server looks whether another one has finished the same sync.
const POLL: Duration = Duration::from_millis(100);

/// How long after its last sign of life a sync is given up, because its server died.
const LEASE: Duration = Duration::from_secs(3);

/// How often storing is tried when another transaction gets in the way.
const ATTEMPTS: usize = 4;

/// How often a sync that is under way gives a sign of life.
const RENEWAL: Duration = Duration::from_secs(1);

/// Syncs pages: one discovery per identity at a time, among all servers on the database, and no more often than the
/// interval allows.
#[derive(Clone)]
pub(crate) struct Syncer(Arc<Inner>);

struct Inner {
    db: Database,
    linkedin: linkedin::Client,
    keys: Keys,
    means: Means,
    listeners: Listeners,
    interval: TimeDelta,
    metrics: Metrics,
    flights: SingleFlight<Result<Synced, Error>>,
}

/// Where time (UTC), new ids (UUIDs) and what nobody may guess come from.
pub(crate) struct Means {
    pub(crate) now: Box<dyn Fn() -> NaiveDateTime + Send + Sync>,
    pub(crate) new_id: Box<dyn Fn() -> String + Send + Sync>,
    pub(crate) nonces: Box<dyn Fn() -> [[u8; NONCE_LEN]; 2] + Send + Sync>,
}

/// How a sync went.
#[derive(Clone, Debug)]
pub(crate) enum Synced {
    Done(Arc<Report>),
    Failed(Problem),
}

impl Synced {
    /// Counts a sync that is over, and leaves a line about it.
    fn tell(&self, job: &Job, metrics: &Metrics) {
        let (outcome, report) = match self {
            Self::Done(report) if report.complete => ("complete", Some(report)),
            Self::Done(report) => ("incomplete", Some(report)),
            Self::Failed(problem) => (problem.name(), None),
        };
        metrics.synced(outcome);
        tracing::info!(
            target: "audit",
            action = "sync",
            user.id = job.user_id,
            outcome,
            pages = report.map(|report| report.pages.len()),
            added = report.map(|report| report.added.len()),
            restored = report.map(|report| report.restored.len()),
            removed = report.map(|report| report.removed.len()),
            "synced the LinkedIn pages"
        );
    }
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
    /// Whether the connection is to be renewed first.
    due: Option<Due>,
}

/// The pages, or which problem was in the way and whether that is the end of the token.
type Found = Result<Listing, (Problem, bool)>;

impl Syncer {
    pub(crate) fn new(
        db: Database,
        linkedin: linkedin::Client,
        keys: Keys,
        means: Means,
        listeners: Listeners,
        interval: Duration,
        metrics: Metrics,
    ) -> Self {
        Self(Arc::new(Inner {
            db,
            linkedin,
            keys,
            means,
            listeners,
            interval: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX),
            metrics,
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
        flight.await.unwrap_or_else(|| {
            self.0.metrics.panicked();
            Err(Error::Panicked)
        })
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
        let stored = connection.token().ok_or(Problem::Expired)?;
        let due = self.due(&account.user_id, connection, (self.means.now)());
        if !account.is_connected && due.is_none() {
            return Err(Problem::Expired);
        }
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
            due,
        })
    }

    async fn run(&self, job: &Job) -> Result<Synced, Error> {
        match self.claim_and_discover(job).await {
            // The connection was taken away in between.
            Err(Error::Storage(cause)) if failure::is_missing_owner(&cause) => {
                Ok(Synced::Failed(Problem::NotLinked))
            }
            outcome => outcome,
        }
    }

    /// Waits for others no longer than a sync can take, and another one after a server that died.
    async fn claim_and_discover(&self, job: &Job) -> Result<Synced, Error> {
        let began = Instant::now();
        let patience = self.linkedin.patience() + LEASE;
        let mut is_overtaken = false;
        while began.elapsed() < patience {
            let id = (self.means.new_id)();
            if !is_overtaken && self.claim(job, &id).await? {
                if let Some(synced) = self.discover(job, &id).await? {
                    return Ok(synced);
                }
                // By a sync with another token: to claim again would only overtake it in turn.
                is_overtaken = true;
            }
            if let Some(synced) = self.last(job).await? {
                return Ok(synced);
            }
            sleep(POLL).await;
        }
        Ok(Synced::Failed(Problem::Unavailable))
    }

    async fn claim(&self, job: &Job, id: &str) -> Result<bool, Error> {
        let now = (self.means.now)();
        let claim = Claim {
            id,
            identity_id: &job.identity_id,
            token_hash: &job.fingerprint,
            now,
            lease_until: now + LEASE,
            fresh_since: now - self.interval,
        };
        Ok(syncs::claim(self.db.writers(), &claim).await?)
    }

    /// The result that somebody else's sync has left; `None` while it runs.
    async fn last(&self, job: &Job) -> Result<Option<Synced>, Error> {
        let Some(row) = syncs::of_identity(&*self.db, &job.identity_id).await? else {
            return Ok(None);
        };
        let Some((at, outcome)) = finished(row) else {
            return Ok(None);
        };
        Ok(Some(match outcome {
            Outcome::Failed(problem) => Synced::Failed(problem),
            Outcome::Done(changes) => {
                let rows = pages::of_identity(&*self.db, &job.identity_id).await?;
                Synced::Done(Arc::new(Report::new(at, changes, rows)))
            }
        }))
    }

    /// LinkedIn is asked before the transaction opens. `None` when another sync has taken over meanwhile.
    async fn discover(&self, job: &Job, id: &str) -> Result<Option<Synced>, Error> {
        let (renewed, found) = match select(pin!(self.ask(job)), pin!(self.keep(id))).await {
            Either::Left((answer, _)) => answer?,
            Either::Right(((), _)) => return Ok(None),
        };
        let job = renewed.as_ref().unwrap_or(job);
        let mut attempt = 1;
        loop {
            match self.record(job, id, &found).await {
                // Another writer of the same tables came between.
                Err(Error::Storage(cause))
                    if attempt < ATTEMPTS
                        && failure::is_conflict(&cause)
                        && !failure::is_missing_owner(&cause) =>
                {
                    attempt += 1;
                }
                outcome => {
                    if let Ok(Some(synced)) = &outcome {
                        synced.tell(job, &self.metrics);
                    }
                    self.listeners.announce(&job.user_id);
                    return outcome.map_err(Error::at_last);
                }
            }
        }
    }

    /// Renews the connection where that is due, and lists the pages; both within the patience for one of them.
    async fn ask(&self, job: &Job) -> Result<(Option<Job>, Found), Error> {
        let asked = async {
            let renewed = match &job.due {
                Some(due) => self.renew(job, due).await?,
                None => None,
            };
            let has_ended = job.due.as_ref().is_some_and(|due| due.has_ended);
            if has_ended && renewed.is_none() {
                return Ok((None, Err((Problem::Expired, false))));
            }
            let Job {
                token, is_fresh, ..
            } = renewed.as_ref().unwrap_or(job);
            let listing = self.linkedin.administered_pages(token, *is_fresh).await;
            let found = listing.map_err(|cause| {
                let problem = Problem::new(&cause, (self.means.now)());
                problem.log(&cause);
                (problem, Problem::is_end_of_token(&cause))
            });
            Ok((renewed, found))
        };
        // The listing ends by itself, with what has been found by then.
        match timeout(self.linkedin.patience() + POLL, asked).await {
            Ok(answer) => answer,
            Err(_) => Ok((None, Err((Problem::Unavailable, false)))),
        }
    }

    /// Stores what was found. A save of the user waits for it, so that its answer has the pages of before or after,
    /// and not those of before when others have seen the new ones already.
    async fn record(&self, job: &Job, id: &str, found: &Found) -> Result<Option<Synced>, Error> {
        let transaction = self.db.begin_write().await?;
        preference::lock(&transaction, &job.user_id).await?;
        let synced = match found {
            Ok(listing) => self.store(&transaction, job, id, listing.clone()).await?,
            Err((problem, is_end_of_token)) => {
                if *is_end_of_token {
                    // Everybody who reads the connection then knows, the web application too.
                    let now = (self.means.now)();
                    connection::end(&transaction, &job.identity_id, &job.stored, now).await?;
                }
                self.note(&transaction, id, problem.clone()).await?
            }
        };
        if synced.is_some() {
            commit(transaction).await?;
        }
        Ok(synced)
    }

    /// Keeps the lease, until somebody else has it.
    async fn keep(&self, id: &str) {
        loop {
            sleep(RENEWAL).await;
            let renewed = syncs::renew(self.db.writers(), id, (self.means.now)() + LEASE).await;
            // A database that cannot be reached now may be there when the pages are stored.
            if let Ok(false) = renewed {
                return;
            }
        }
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
        Ok(Some(Synced::Done(Arc::new(report))))
    }

    async fn note(
        &self,
        transaction: &DatabaseTransaction,
        id: &str,
        problem: Problem,
    ) -> Result<Option<Synced>, Error> {
        let outcome = serde_json::to_value(Outcome::Failed(problem.clone()))?;
        let is_ours = syncs::finish(transaction, id, outcome, (self.means.now)()).await?;
        Ok(is_ours.then_some(Synced::Failed(problem)))
    }
}
