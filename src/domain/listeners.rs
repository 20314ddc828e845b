use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sea_orm::{DatabaseConnection, DbErr};
use tokio::{sync::watch, time::sleep};

use crate::storage::notifications::{Notification, Notifications};

/// How soon a database that does not announce changes is asked again to do so.
const PAUSE: Duration = Duration::from_secs(1);

/// Wakes those who watch a user's account when it may have changed. What has changed, they find out themselves; so
/// announcements that come while somebody is busy become one.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    of_users: HashMap<String, watch::Sender<()>>,
    /// How many announcements there were.
    announced: u64,
    hears_others: bool,
}

impl Listeners {
    /// A user's account may have changed.
    pub(crate) fn announce(&self, user_id: &str) {
        let mut state = self.lock();
        state.announced += 1;
        if let Some(listeners) = state.of_users.get(user_id) {
            listeners.send_replace(());
        }
    }

    /// Any account may have changed: announcements were missed.
    fn announce_to_all(&self) {
        let mut state = self.lock();
        state.announced += 1;
        for listeners in state.of_users.values() {
            listeners.send_replace(());
        }
    }

    /// Announces what other writers of the database change, where it tells, from now on for as long as the process
    /// runs.
    pub(crate) fn hear_others(&self, db: &DatabaseConnection) {
        if std::mem::replace(&mut self.lock().hears_others, true) {
            return;
        }
        let (listeners, db) = (self.clone(), db.clone());
        tokio::spawn(async move {
            while let Some(notifications) = Notifications::listen(&db).await {
                let lost = match notifications {
                    Ok(notifications) => listeners.pass_on(notifications).await,
                    Err(cause) => cause,
                };
                tracing::warn!(error = %lost, "changes by others are noticed late: the database does not announce them");
                sleep(PAUSE).await;
            }
        });
    }

    /// Until the connection is lost and does not come back at once.
    async fn pass_on(&self, mut notifications: Notifications) -> DbErr {
        self.announce_to_all();
        loop {
            match notifications.next().await {
                Ok(Notification::Of(user_id)) => self.announce(&user_id),
                Ok(Notification::SomeWereMissed) => self.announce_to_all(),
                Err(cause) => return cause,
            }
        }
    }

    /// A mark in time, to give to [`Self::listen`].
    pub(crate) fn mark(&self) -> u64 {
        self.lock().announced
    }

    /// Hears of all announcements since the mark.
    pub(crate) fn listen(&self, user_id: &str, since: u64) -> Listener {
        let mut state = self.lock();
        let missed_some = state.announced != since;
        let listeners = state.of_users.entry(user_id.to_owned()).or_default();
        let mut announcements = listeners.subscribe();
        if missed_some {
            announcements.mark_changed();
        }
        Listener {
            user_id: user_id.to_owned(),
            announcements,
            hub: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears of one user's account for as long as it lives.
pub(crate) struct Listener {
    user_id: String,
    announcements: watch::Receiver<()>,
    hub: Listeners,
}

impl Listener {
    /// Returns at the next announcement, or at once when there was one since the last time.
    pub(crate) async fn changed(&mut self) {
        if self.announcements.changed().await.is_err() {
            // The sender lives as long as anybody listens.
            std::future::pending().await
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        let is_last = state
            .of_users
            .get(&self.user_id)
            .is_some_and(|listeners| listeners.receiver_count() <= 1);
        if is_last {
            state.of_users.remove(&self.user_id);
        }
    }
}
