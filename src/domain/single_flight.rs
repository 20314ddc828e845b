use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, future::Shared};
use opentelemetry::context::FutureExt as _;
use tokio::sync::oneshot;
use tracing::Instrument;

/// Lets those who ask for the same thing at the same time share one answer.
///
/// The work runs in a task of its own: a caller that goes away takes nothing from the others.
pub(crate) struct SingleFlight<T>(Arc<Mutex<HashMap<String, Flight<T>>>>);

type Flight<T> = Shared<oneshot::Receiver<T>>;

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// The answer of the work for `key` that is under way, or else of `work`. `None` when the work panicked.
    pub(crate) async fn run(
        &self,
        key: &str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let flight = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let joined = flights.get(key).cloned();
            joined.unwrap_or_else(|| {
                let (done, flight) = oneshot::channel();
                let landing = Landing {
                    flights: self.0.clone(),
                    key: key.to_owned(),
                };
                let flying = async move {
                    let answer = work.await;
                    drop(landing);
                    // Nobody may be left to hear it.
                    let _ = done.send(answer);
                };
                // What it logs and traces is told of the request that began it.
                tokio::spawn(flying.with_current_context().in_current_span());
                let flight = flight.shared();
                flights.insert(key.to_owned(), flight.clone());
                flight
            })
        };
        flight.await.ok()
    }
}

/// Makes room for the next one, also after a panic.
struct Landing<T> {
    flights: Arc<Mutex<HashMap<String, Flight<T>>>>,
    key: String,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.remove(&self.key);
    }
}
