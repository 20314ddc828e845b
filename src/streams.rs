//! Answers that go on after their request: how many there may be, and how they end when the server does.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFuture},
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// All subscriptions and WebSockets of a server.
#[derive(Clone, Debug)]
pub struct Streams {
    places: Arc<Semaphore>,
    open: TaskTracker,
    stopping: CancellationToken,
}

/// What each of them holds while it is open.
#[derive(Debug)]
pub(crate) struct Place {
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
    _open: TaskTrackerToken,
}

impl Streams {
    /// At most so many at one time.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            open: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// `None` when there are as many as there may be.
    pub(crate) fn open(&self) -> Option<Place> {
        Some(Place {
            _permit: self.places.clone().try_acquire_owned().ok()?,
            _open: self.open.token(),
            stopping: self.stopping.clone(),
        })
    }

    /// How many there are at this moment.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }

    /// Tells all of them to end.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Returns when all of them have ended.
    pub(crate) async fn closed(&self) {
        self.open.close();
        self.open.wait().await;
    }
}

impl Place {
    /// Returns when the server is about to stop.
    pub(crate) fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.stopping.cancelled()
    }
}
