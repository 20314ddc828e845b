use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{self, Either};
use sea_orm::{DatabaseConnection, DbErr};
use tokio::{runtime::Handle, sync::oneshot};

use super::{AccountRows, Asker, of_callers};
use crate::storage::{again_if_lost, failure};

/// How many statements are under way at a time. Fewer make larger batches, more keep the database busier.
const STATEMENTS: usize = 2;

/// The most askers that share a statement.
const BATCH: usize = 64;

/// Lets askers who wait share a statement.
///
/// Somebody who asks alone is answered at once, within their own request. While [`STATEMENTS`] are under way, askers
/// gather, and all of them go with the next one: the busier the server, the less a request costs the database. Only
/// requests and subscriptions wait here, of which there are never more than the server has places for.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    db: DatabaseConnection,
    runtime: Handle,
    state: Mutex<State>,
}

struct State {
    /// Statements that may begin. While there are any, nobody waits.
    free: usize,
    waiting: VecDeque<Waiting>,
}

/// Somebody, and where they wait for the answer.
struct Waiting {
    asker: Asker,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Option<AccountRows>, DbErr>;

/// The statement that somebody waited for panicked.
#[derive(Debug)]
pub(crate) struct Gone;

/// The right to run a statement. Those who wait have it next, however it ended.
struct Turn(Arc<Inner>);

impl Shared {
    /// Must be called within a runtime.
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        Self(Arc::new(Inner {
            db,
            runtime: Handle::current(),
            state: Mutex::new(State {
                free: STATEMENTS,
                waiting: VecDeque::new(),
            }),
        }))
    }

    pub(crate) async fn of_caller(&self, asker: Asker) -> Result<Answer, Gone> {
        match self.take_turn(asker) {
            Either::Left((_turn, asker)) => {
                let read = read(&self.0.db, std::slice::from_ref(&asker)).await;
                Ok(read.map(|mut accounts| accounts.pop().flatten()))
            }
            Either::Right(answered) => answered.await.map_err(|_| Gone),
        }
    }

    fn take_turn(&self, asker: Asker) -> Either<(Turn, Asker), oneshot::Receiver<Answer>> {
        let mut state = self.0.state();
        if state.free > 0 {
            state.free -= 1;
            return Either::Left((Turn(self.0.clone()), asker));
        }
        let (answer, answered) = oneshot::channel();
        state.waiting.push_back(Waiting { asker, answer });
        Either::Right(answered)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Shared")
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if state.waiting.is_empty() {
            state.free += 1;
            return;
        }
        let count = state.waiting.len().min(BATCH);
        let batch = state.waiting.drain(..count).collect();
        drop(state);
        let turn = Self(self.0.clone());
        // By itself, so that nobody who goes away takes the answer from the others.
        self.0.runtime.spawn(async move {
            answer(&turn.0.db, batch).await;
            drop(turn);
        });
    }
}

async fn answer(db: &DatabaseConnection, mut batch: Vec<Waiting>) {
    batch.retain(|waiting| !waiting.answer.is_closed());
    if batch.is_empty() {
        return;
    }
    let (askers, mut answers): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|Waiting { asker, answer }| (asker, answer))
        .unzip();
    match while_awaited(&mut answers, read(db, &askers)).await {
        None => {}
        Some(Ok(accounts)) => {
            for (answer, account) in answers.into_iter().zip(accounts) {
                // Whoever went away meanwhile needs none.
                let _ = answer.send(Ok(account));
            }
        }
        Some(Err(cause)) if askers.len() > 1 && failure::may_be_of_one_row(&cause) => {
            // Only whose rows they are shall suffer.
            for (asker, answer) in askers.into_iter().zip(answers) {
                let alone = vec![Waiting { asker, answer }];
                Box::pin(self::answer(db, alone)).await;
            }
        }
        Some(Err(cause)) => {
            for answer in answers {
                let _ = answer.send(Err(cause.clone()));
            }
        }
    }
}

async fn read(
    db: &DatabaseConnection,
    askers: &[Asker],
) -> Result<Vec<Option<AccountRows>>, DbErr> {
    again_if_lost(|| of_callers(db, askers)).await
}

/// Gives up when all who wait have gone: requests have deadlines, and so the statement has theirs.
async fn while_awaited<T>(
    answers: &mut [oneshot::Sender<Answer>],
    work: impl Future<Output = T>,
) -> Option<T> {
    let all_gone = future::join_all(answers.iter_mut().map(oneshot::Sender::closed));
    match future::select(std::pin::pin!(work), all_gone).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}
