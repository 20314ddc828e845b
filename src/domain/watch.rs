//! An account as it changes: what is different, and why.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use chrono::{NaiveDateTime, TimeDelta};
use futures_util::{Stream, stream};
use sea_orm::DatabaseConnection;

use super::{
    account::{Account, Accounts, Credentials},
    error::Error,
    listeners::{Listener, Listeners},
    target::Target,
};
use crate::clock::Clock;

/// How soon a database that cannot be reached is tried again.
const RETRY: TimeDelta = TimeDelta::seconds(1);

/// An account that is another one than before.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) reason: Reason,
    pub(crate) account: Arc<Account>,
}

/// What the change came from, as far as the two accounts tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Nothing has changed yet.
    PresentState,
    PreferencesSaved,
    PagesSynced,
    ConnectionLinked,
    ConnectionExpired,
    ConnectionRevoked,
    /// What others decide: an organization's pages and connections.
    TargetsChanged,
}

/// What watching takes.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) db: DatabaseConnection,
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    pub(crate) listeners: Listeners,
    /// How often to look for changes that nobody announces.
    pub(crate) interval: TimeDelta,
}

impl Watch {
    /// The caller's account now, and again whenever it is another one. Ends with an error when the caller is no
    /// longer who they were: their session has ended.
    ///
    /// Changes that come while nobody asks for the next one become one, so a slow reader costs no memory.
    pub(crate) fn account(
        self,
        credentials: Credentials,
    ) -> impl Stream<Item = Result<Change, Error>> + Send + use<> {
        let watcher = Watcher {
            watch: self,
            credentials,
            seen: None,
        };
        stream::unfold(Some(watcher), |watcher| async {
            let mut watcher = watcher?;
            let next = watcher.next().await;
            let rest = next.is_ok().then_some(watcher);
            Some((next, rest))
        })
    }
}

struct Watcher {
    watch: Watch,
    credentials: Credentials,
    seen: Option<Seen>,
}

struct Seen {
    user_id: String,
    listener: Listener,
    traits: Traits,
    good_until: Option<NaiveDateTime>,
}

impl Watcher {
    async fn next(&mut self) -> Result<Change, Error> {
        let Some(seen) = &mut self.seen else {
            return self.watch.first(&self.credentials, &mut self.seen).await;
        };
        let Watch {
            accounts,
            clock,
            interval,
            ..
        } = &self.watch;
        let mut pause = *interval;
        loop {
            let next_look = clock.now() + pause;
            let next_look = seen.good_until.map_or(next_look, |end| end.min(next_look));
            tokio::select! {
                () = seen.listener.changed() => {}
                () = clock.until(next_look) => {}
            }
            pause = *interval;
            let now = clock.now();
            match accounts.of_caller(&self.credentials, now).await {
                Ok(account) if account.user_id != seen.user_id => {
                    // Another of the cookie's sessions took the place of the one that ended.
                    return Err(Error::Unauthenticated);
                }
                Ok(account) => {
                    let traits = Traits::of(&account);
                    let reason = traits.reason(&seen.traits, now);
                    seen.traits = traits;
                    seen.good_until = account.good_until;
                    if let Some(reason) = reason {
                        let account = Arc::new(account);
                        return Ok(Change { reason, account });
                    }
                }
                Err(cause @ Error::Unavailable(_)) => {
                    cause.log();
                    // What was due may have passed meanwhile; it is looked at as soon as that is possible.
                    seen.good_until = None;
                    pause = RETRY.min(*interval);
                }
                Err(cause) => return Err(cause),
            }
        }
    }
}

impl Watch {
    async fn first(
        &self,
        credentials: &Credentials,
        seen: &mut Option<Seen>,
    ) -> Result<Change, Error> {
        self.listeners.hear_others(&self.db);
        let mark = self.listeners.mark();
        let now = self.clock.now();
        let account = self.accounts.of_caller(credentials, now).await?;
        *seen = Some(Seen {
            listener: self.listeners.listen(&account.user_id, mark),
            user_id: account.user_id.clone(),
            traits: Traits::of(&account),
            good_until: account.good_until,
        });
        Ok(Change {
            reason: Reason::PresentState,
            account: Arc::new(account),
        })
    }
}

/// What tells an account from one that looks otherwise, in little space: of what can be long, only a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traits {
    is_connected: bool,
    ends_at: Option<NaiveDateTime>,
    connection: u64,
    personal_pages: u64,
    org_pages: u64,
    preferences: u64,
}

impl Traits {
    fn of(account: &Account) -> Self {
        let identity = account.identity.as_ref();
        let is_org_page = |target: &&Target| matches!(target, Target::OrgPage(_));
        let is_personal_page = |target: &&Target| matches!(target, Target::PersonalPage(_));
        let targets = &account.targets;
        Self {
            is_connected: account.is_connected,
            ends_at: identity.and_then(|identity| identity.connection.expires_at()),
            connection: hash(&identity.map(|identity| {
                let scopes = Vec::from_iter(identity.connection.scopes());
                (&identity.id, &identity.name, &identity.avatar_url, scopes)
            })),
            personal_pages: hash_all(targets.iter().filter(is_personal_page)),
            org_pages: hash_all(targets.iter().filter(is_org_page)),
            preferences: account.preferences.fingerprint(),
        }
    }

    /// Why an account with these traits is another one than it was; `None` when it is not.
    fn reason(&self, before: &Self, now: NaiveDateTime) -> Option<Reason> {
        if self == before {
            return None;
        }
        Some(if before.is_connected && !self.is_connected {
            if before.ends_at.is_some_and(|end| end <= now) {
                Reason::ConnectionExpired
            } else {
                Reason::ConnectionRevoked
            }
        } else if (self.is_connected, self.ends_at, self.connection)
            != (before.is_connected, before.ends_at, before.connection)
        {
            Reason::ConnectionLinked
        } else if self.personal_pages != before.personal_pages {
            Reason::PagesSynced
        } else if self.preferences != before.preferences {
            Reason::PreferencesSaved
        } else {
            Reason::TargetsChanged
        })
    }
}

/// The same for the same value for as long as the process runs.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn hash_all(values: impl Iterator<Item = impl Hash>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for value in values {
        value.hash(&mut hasher);
    }
    hasher.finish()
}
