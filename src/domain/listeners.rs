use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// Wakes those who watch a user's account when it may have changed. What has changed, they find out themselves; so
/// announcements that come while somebody is busy become one.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    of_users: HashMap<String, watch::Sender<()>>,
    /// How many announcements there were.
    announced: u64,
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
