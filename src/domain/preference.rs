use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use chrono::NaiveDateTime;

use super::{
    account::{self, Account, Credentials},
    error::Error,
    listeners::Listeners,
    target::TargetId,
};
use crate::storage::{Database, account::PreferenceRow, commit, failure, preference};

/// How often a save that another transaction got in the way of is tried.
const ATTEMPTS: usize = 4;

/// The marker of a saved empty set: without it, nobody could tell it from one that was never saved.
const NOTHING_ENABLED: &str = "none";

/// Which targets a composer's picker ticks at first. Not an authorization.
#[derive(Clone, Debug)]
pub(crate) enum Preferences {
    /// Everything is enabled.
    NeverSaved,
    /// These are enabled, and nothing that appears later is.
    Saved(HashSet<TargetId>),
}

impl Preferences {
    pub(super) fn new(rows: Vec<PreferenceRow>) -> Self {
        if rows.is_empty() {
            Self::NeverSaved
        } else {
            Self::Saved(rows.into_iter().filter_map(target_id).collect())
        }
    }

    /// The same for the same preferences for as long as the process runs; other ones most probably have another.
    pub(super) fn fingerprint(&self) -> u64 {
        // A set has no order, and its hashes' sum needs none.
        let of = |value: &(u8, Option<&TargetId>)| {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            hasher.finish()
        };
        match self {
            Self::NeverSaved => of(&(0, None)),
            Self::Saved(enabled) => enabled
                .iter()
                .map(|id| of(&(1, Some(id))))
                .fold(of(&(1, None)), u64::wrapping_add),
        }
    }

    pub(crate) fn enables(&self, target: &TargetId) -> bool {
        match self {
            Self::NeverSaved => true,
            Self::Saved(enabled) => enabled.contains(target),
        }
    }
}

/// A row of a kind that this version does not know enables nothing.
fn target_id(row: PreferenceRow) -> Option<TargetId> {
    match row.kind.as_str() {
        "personal" => Some(TargetId::Personal),
        "orgPage" => row.page_id.map(TargetId::OrgPage),
        "personalPage" => row.personal_page_id.map(TargetId::PersonalPage),
        _ => None,
    }
}

fn row(target: TargetId) -> PreferenceRow {
    let (kind, page_id, personal_page_id) = match target {
        TargetId::Personal => ("personal", None, None),
        TargetId::OrgPage(id) => ("orgPage", Some(id), None),
        TargetId::PersonalPage(id) => ("personalPage", None, Some(id)),
    };
    PreferenceRow {
        kind: kind.to_owned(),
        page_id,
        personal_page_id,
    }
}

/// A save's outcome when the database did its part.
#[derive(Debug)]
pub(crate) enum Saved {
    /// The account as it is after the save.
    Done(Box<Account>),
    /// Nothing was written; every entry that is in the way, in the order given.
    Refused(Vec<Refusal>),
}

impl Saved {
    /// Leaves a line about a save that is over.
    fn tell(&self, user_id: &str, targets: usize) {
        let outcome = match self {
            Self::Done(_) => "done",
            Self::Refused(_) => "refused",
        };
        tracing::info!(
            target: "audit",
            action = "save",
            user.id = user_id,
            outcome,
            targets,
            "saved preferences"
        );
    }
}

/// An entry that is not among the caller's targets.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// Its place in what was asked for, from 0.
    pub(crate) index: usize,
    pub(crate) reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    PersonalNotLinked,
    OrgPageNotAssigned,
    PersonalPageNotAvailable,
}

impl Reason {
    pub(crate) const ALL: [Self; 3] = [
        Self::PersonalNotLinked,
        Self::OrgPageNotAssigned,
        Self::PersonalPageNotAvailable,
    ];

    /// The sentence that clients show.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::PersonalNotLinked => "Your personal LinkedIn account is not linked",
            Self::OrgPageNotAssigned => "One or more LinkedIn pages are not assigned to you",
            Self::PersonalPageNotAvailable => {
                "One or more LinkedIn company pages are not available to you"
            }
        }
    }
}

/// Enables exactly `targets` for the caller, who has been told apart as `user_id` already.
///
/// Validates in the transaction that writes, so that a target revoked in between is refused, and one save of a
/// user waits for the other, so that one of the two sets wins whole. `new_id` makes the rows' UUIDs.
pub(crate) async fn save(
    db: &Database,
    listeners: &Listeners,
    credentials: &Credentials,
    user_id: &str,
    targets: &[TargetId],
    now: NaiveDateTime,
    new_id: &(dyn Fn() -> String + Send + Sync),
) -> Result<Saved, Error> {
    let mut attempt = 1;
    loop {
        match try_save(db, credentials, user_id, targets, now, new_id).await {
            // A page vanished or another writer of the same table came between: look again.
            Err(Error::Storage(cause)) if attempt < ATTEMPTS && failure::is_conflict(&cause) => {
                attempt += 1
            }
            outcome => {
                if let Ok(Saved::Done(_)) = &outcome {
                    listeners.announce(user_id);
                }
                if let Ok(saved) = &outcome {
                    saved.tell(user_id, targets.len());
                }
                return outcome.map_err(Error::at_last);
            }
        }
    }
}

async fn try_save(
    db: &Database,
    credentials: &Credentials,
    user_id: &str,
    targets: &[TargetId],
    now: NaiveDateTime,
    new_id: &(dyn Fn() -> String + Send + Sync),
) -> Result<Saved, Error> {
    let transaction = db.begin_write().await?;
    preference::lock_and_give_way(&transaction, user_id).await?;
    let mut account = account::of_caller(&transaction, credentials, now).await?;
    if account.user_id != user_id {
        // The session ended in between, and another in the same cookie took its place.
        return Err(Error::Unauthenticated);
    }
    let refusals = refusals(&account, targets);
    if !refusals.is_empty() {
        return Ok(Saved::Refused(refusals));
    }
    let enabled: HashSet<_> = targets.iter().cloned().collect();
    let mut rows: Vec<_> = enabled.iter().cloned().map(row).collect();
    if rows.is_empty() {
        rows.push(PreferenceRow {
            kind: NOTHING_ENABLED.to_owned(),
            page_id: None,
            personal_page_id: None,
        });
    }
    preference::replace(&transaction, user_id, rows, now, new_id).await?;
    commit(transaction).await?;
    account.preferences = Preferences::Saved(enabled);
    Ok(Saved::Done(Box::new(account)))
}

fn refusals(account: &Account, targets: &[TargetId]) -> Vec<Refusal> {
    let available: HashSet<_> = account
        .targets
        .iter()
        .map(super::target::Target::id)
        .collect();
    let refusal = |(index, target): (usize, &TargetId)| {
        let reason = match target {
            TargetId::Personal => Reason::PersonalNotLinked,
            TargetId::OrgPage(_) => Reason::OrgPageNotAssigned,
            TargetId::PersonalPage(_) => Reason::PersonalPageNotAvailable,
        };
        (!available.contains(target)).then_some(Refusal { index, reason })
    };
    targets.iter().enumerate().filter_map(refusal).collect()
}
