//! Asks LinkedIn which company pages a member administers, and stores the answer.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{NaiveDateTime, TimeDelta};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    account::{Account, Identity},
    error::Error,
    single_flight::SingleFlight,
    target::{self, PersonalPage},
};
use crate::{
    linkedin::{self, FoundPage, Listing, Logo},
    storage::{
        begin_write, connection,
        entity::{page_sync, personal_page},
        page_sync::{self as syncs, Claim},
        personal_page::{self as pages, NewPage},
    },
};

/// How often a server looks whether another one has finished the same sync.
const POLL: Duration = Duration::from_millis(100);

/// Syncs pages: one discovery per identity at a time, among all servers on the database, and no more often than the
/// interval allows.
#[derive(Clone)]
pub(crate) struct Syncer(Arc<Inner>);

struct Inner {
    db: DatabaseConnection,
    linkedin: linkedin::Client,
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

/// Why no pages were fetched. Nothing stored has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Problem {
    NotLinked,
    /// The connection is past its end, or never held a token.
    Expired,
    Revoked,
    OrgScopeMissing,
    /// Until `retry_at`, when LinkedIn said so.
    Throttled {
        retry_at: Option<NaiveDateTime>,
    },
    /// LinkedIn no longer speaks the version of its API that is configured.
    VersionSunset,
    /// LinkedIn does not answer, or makes no sense.
    Unavailable,
}

/// The pages now, and what the sync did to them.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) at: NaiveDateTime,
    /// Whether LinkedIn's list was read to its end. Only then are pages removed.
    pub(crate) complete: bool,
    pub(crate) pages: Vec<PersonalPage>,
    pub(crate) added: Vec<PersonalPage>,
    pub(crate) restored: Vec<PersonalPage>,
    /// With the names they had before.
    pub(crate) renamed: Vec<(PersonalPage, String)>,
    pub(crate) removed: Vec<PersonalPage>,
    pub(crate) skipped: Vec<Skipped>,
}

/// A page that LinkedIn listed and that is not a target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Skipped {
    pub(crate) number: String,
    pub(crate) name: Option<String>,
    pub(crate) reason: SkipReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SkipReason {
    RoleMayNotPost,
    RoleNotApproved,
    PageGone,
}

/// A report as it is stored, by the pages' ids.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Changes {
    complete: bool,
    added: Vec<String>,
    restored: Vec<String>,
    renamed: Vec<(String, String)>,
    removed: Vec<String>,
    skipped: Vec<Skipped>,
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
    fingerprint: String,
}

impl Syncer {
    pub(crate) fn new(
        db: DatabaseConnection,
        linkedin: linkedin::Client,
        means: Means,
        interval: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            db,
            linkedin,
            means,
            interval: TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX),
            flights: SingleFlight::default(),
        }))
    }

    /// Fetches the caller's pages from LinkedIn, or answers a result that is younger than the interval.
    pub(crate) async fn sync(&self, account: &Account) -> Result<Synced, Error> {
        let job = match job(account) {
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

/// Whether the caller's connection lets anybody ask.
fn job(account: &Account) -> Result<Job, Problem> {
    let Identity { id, connection, .. } = account.identity.as_ref().ok_or(Problem::NotLinked)?;
    let token = connection
        .token()
        .filter(|_| account.is_connected)
        .ok_or(Problem::Expired)?;
    if !connection.has_org_scope() {
        return Err(Problem::OrgScopeMissing);
    }
    Ok(Job {
        user_id: account.user_id.clone(),
        identity_id: id.clone(),
        fingerprint: fingerprint(token),
        token: token.clone(),
    })
}

/// What tells a token from another without telling the token.
fn fingerprint(token: &SecretString) -> String {
    hex::encode(Sha256::digest(token.expose_secret()))
}

impl Inner {
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
        let found = self.linkedin.administered_pages(&job.token, false).await;
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
            connection::end(transaction, &job.identity_id, &job.token, now).await?;
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

/// What is to be stored, and what that changes.
fn plan(
    before: Vec<personal_page::Model>,
    listing: Listing,
    mut new_id: impl FnMut() -> String,
) -> (Vec<NewPage>, Changes) {
    let mut before: HashMap<_, _> = before
        .into_iter()
        .map(|page| (page.linked_in_page_id.clone(), page))
        .collect();
    let mut changes = Changes {
        complete: listing.complete,
        skipped: listing.skipped.into_iter().map(Skipped::new).collect(),
        ..Changes::default()
    };
    let mut new = Vec::with_capacity(listing.pages.len());
    for found in listing.pages {
        let known = before.remove(&found.number);
        let page = merged(found, known.as_ref(), &mut new_id);
        match known {
            None => changes.added.push(page.id.clone()),
            Some(known) => {
                if known.removed_at.is_some() {
                    changes.restored.push(known.id.clone());
                }
                if known.page_name != page.name {
                    changes.renamed.push((known.id, known.page_name));
                }
            }
        }
        new.push(page);
    }
    if changes.complete {
        let gone = before
            .into_values()
            .filter(|page| page.removed_at.is_none());
        changes.removed = gone.map(|page| page.id).collect();
    }
    (new, changes)
}

/// What LinkedIn would not tell this time stays as it was known.
fn merged(
    found: FoundPage,
    known: Option<&personal_page::Model>,
    new_id: &mut impl FnMut() -> String,
) -> NewPage {
    let known_name = || known.map(|page| page.page_name.clone());
    let fallback = found.fallback_name();
    let name = found.name.map(|name| name.replace('\0', ""));
    let name = name.filter(|name| !name.trim().is_empty());
    NewPage {
        id: known.map_or_else(new_id, |page| page.id.clone()),
        name: name.or_else(known_name).unwrap_or(fallback),
        logo: match found.logo {
            Logo::Url(url) => Some(url),
            Logo::None => None,
            Logo::Unknown => known.and_then(|page| page.page_logo_url.clone()),
        },
        number: found.number,
    }
}

impl Report {
    fn new(at: NaiveDateTime, changes: Changes, rows: Vec<personal_page::Model>) -> Self {
        let mut pages: Vec<_> = rows
            .iter()
            .filter(|row| row.removed_at.is_none())
            .cloned()
            .map(PersonalPage::from)
            .collect();
        target::sort(&mut pages);
        let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        let page = |id: &String| rows.get(id).cloned().map(PersonalPage::from);
        let these = |ids: &[String]| {
            let mut pages: Vec<_> = ids.iter().filter_map(page).collect();
            target::sort(&mut pages);
            pages
        };
        let renamed = changes.renamed.iter();
        Self {
            at,
            complete: changes.complete,
            pages,
            added: these(&changes.added),
            restored: these(&changes.restored),
            renamed: renamed
                .filter_map(|(id, from)| Some((page(id)?, from.clone())))
                .collect(),
            removed: these(&changes.removed),
            skipped: changes.skipped,
        }
    }
}

impl Skipped {
    fn new(page: linkedin::SkippedPage) -> Self {
        Self {
            number: page.number,
            name: page.name,
            reason: match page.reason {
                linkedin::SkipReason::RoleMayNotPost(_) => SkipReason::RoleMayNotPost,
                linkedin::SkipReason::NotApproved(_) => SkipReason::RoleNotApproved,
                linkedin::SkipReason::NotFound => SkipReason::PageGone,
            },
        }
    }
}

impl Problem {
    /// The sentence that clients show.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Self::NotLinked => "Your LinkedIn account is not linked",
            Self::Expired => "Your LinkedIn connection has expired. Reconnect LinkedIn.",
            Self::Revoked => "LinkedIn no longer accepts your connection. Reconnect LinkedIn.",
            Self::OrgScopeMissing => {
                "Your LinkedIn connection does not include company page access. Reconnect LinkedIn to grant the \
                 required permissions."
            }
            Self::Throttled { .. } => {
                "LinkedIn takes no more requests for now. Its daily limits begin anew at 00:00 UTC."
            }
            Self::VersionSunset => {
                "LinkedIn no longer serves the version of its API that this server speaks. Its operator must act."
            }
            Self::Unavailable => {
                "LinkedIn could not be reached, or gave no usable answer. Try again later."
            }
        }
    }

    fn new(cause: &linkedin::Error, now: NaiveDateTime) -> Self {
        match cause {
            linkedin::Error::ExpiredToken => Self::Expired,
            linkedin::Error::InvalidToken | linkedin::Error::RevokedToken => Self::Revoked,
            linkedin::Error::AccessDenied => Self::OrgScopeMissing,
            linkedin::Error::Throttled { retry_after } => Self::Throttled {
                retry_at: retry_after
                    .and_then(|after| now.checked_add_signed(TimeDelta::from_std(after).ok()?)),
            },
            linkedin::Error::VersionSunset { .. } => Self::VersionSunset,
            _ => Self::Unavailable,
        }
    }

    fn log(&self, cause: &linkedin::Error) {
        match self {
            Self::VersionSunset => tracing::error!(
                error = %cause,
                "LinkedIn no longer serves the configured version of its API: set LINKEDIN_VERSION to a newer one"
            ),
            Self::Unavailable | Self::Throttled { .. } => {
                tracing::warn!(
                    error = cause as &dyn std::error::Error,
                    "LinkedIn did not list the pages"
                );
            }
            _ => tracing::info!(error = %cause, "LinkedIn refused the connection"),
        }
    }
}
