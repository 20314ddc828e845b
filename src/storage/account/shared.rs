use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::{self, Either};
use sea_orm::{DatabaseConnection, DbErr, QueryResult, Statement};
use tokio::{runtime::Handle, sync::oneshot};

use super::{AccountRows, Asker, statement::of_callers};
use crate::storage::{Told, again_if_lost, failure, kept::Kept, pool_state};

/// How many statements are under way at a time, at most.
const STATEMENTS: usize = 2;

/// The most askers that share a statement: with more, the server has nothing to do while the database works, and
/// the database while the server does.
const BATCH: usize = 32;

/// How many askers have to wait before a statement begins beside another. The database works for some while the server
/// answers those before, and they come back by the time that it is done: with a statement beside it, the two are smaller,
/// and who comes too late for both waits for twice as long.
const MANY: usize = 2 * BATCH;

/// A statement begins beside another at once while no more than these have one or wait for one, and statements lately had no
/// more askers: too few to gain by sharing what they would lose by waiting.
const FEW: usize = 4;

/// After how long nobody waits for the statement that is under way.
const PATIENCE: Duration = Duration::from_millis(10);

/// Lets askers who wait share a statement.
///
/// Somebody who asks alone, or beside another, is answered at once, within their own request. When there are more, askers
/// gather while a statement is under way, and go together with the next one: the busier the server, the less a request costs
/// the database. Only requests and subscriptions wait here, of which there are never more than the server has places for.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    db: DatabaseConnection,
    told: Told,
    /// Whether so many connections are nothing to miss for the others.
    keeps: bool,
    runtime: Handle,
    state: Mutex<State>,
}

struct State {
    /// How many statements there are at this moment.
    under_way: usize,
    /// How many askers those have together.
    asking: usize,
    /// How many askers statements had lately: the most of one, and half as many with each that has ended since.
    lately: usize,
    /// When the last of them began.
    began: Instant,
    /// Never more than there may be statements.
    kept: Vec<Kept>,
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

/// A statement under way. However it ends, those who wait are next.
struct Turn {
    inner: Arc<Inner>,
    askers: usize,
}

impl Shared {
    /// Must be called within a runtime.
    pub(crate) fn new(db: DatabaseConnection, told: Told) -> Self {
        let most = usize::try_from(pool_state(&db)().most).unwrap_or(usize::MAX);
        Self(Arc::new(Inner {
            db,
            told,
            keeps: most > 2 * STATEMENTS,
            runtime: Handle::current(),
            state: Mutex::new(State {
                under_way: 0,
                asking: 0,
                lately: 0,
                began: Instant::now(),
                kept: Vec::new(),
                waiting: VecDeque::new(),
            }),
        }))
    }

    /// Whether nobody asks at this moment, nor have several together lately.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.0.state();
        state.under_way == 0 && state.lately <= 1
    }

    pub(crate) async fn of_caller(&self, asker: Asker) -> Result<Answer, Gone> {
        match self.take_turn(asker) {
            Either::Left((_turn, asker)) => {
                let read = self.0.read(std::slice::from_ref(&asker)).await;
                Ok(read.map(|mut accounts| accounts.pop().flatten()))
            }
            Either::Right(answered) => answered.await.map_err(|_| Gone),
        }
    }

    fn take_turn(&self, asker: Asker) -> Either<(Turn, Asker), oneshot::Receiver<Answer>> {
        let mut state = self.0.state();
        if state.waiting.is_empty() && state.is_time(1) {
            return Either::Left((state.begin(&self.0, 1), asker));
        }
        let (answer, answered) = oneshot::channel();
        state.waiting.push_back(Waiting { asker, answer });
        self.0.go_on(state);
        Either::Right(answered)
    }
}

impl State {
    fn begin(&mut self, inner: &Arc<Inner>, askers: usize) -> Turn {
        self.under_way += 1;
        self.asking += askers;
        self.began = Instant::now();
        Turn {
            inner: inner.clone(),
            askers,
        }
    }

    fn end(&mut self, askers: usize) {
        self.under_way -= 1;
        self.asking -= askers;
        self.lately = askers.max(self.lately / 2);
    }

    /// Whether a statement is to begin now, when so many wait for one.
    fn is_time(&self, waiting: usize) -> bool {
        match self.under_way {
            0 => true,
            STATEMENTS => false,
            _ => {
                waiting >= MANY
                    || self.lately.max(self.asking + waiting) <= FEW
                    || self.began.elapsed() > PATIENCE
            }
        }
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

    /// Begins a statement for those who wait, if it is time.
    fn go_on(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let waiting = state.waiting.len();
        if waiting == 0 || !state.is_time(waiting) {
            return;
        }
        let batch: Vec<_> = state.waiting.drain(..waiting.min(BATCH)).collect();
        let turn = state.begin(self, batch.len());
        drop(state);
        // By itself, so that nobody who goes away takes the answer from the others.
        self.runtime.spawn(async move {
            answer(&turn.inner, batch).await;
            drop(turn);
        });
    }

    async fn read(&self, askers: &[Asker]) -> Result<Vec<Option<AccountRows>>, DbErr> {
        let backend = self.db.get_database_backend();
        again_if_lost(|| of_callers(backend, askers, |statement| self.run(statement))).await
    }

    async fn run(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let kept = self.state().kept.pop().filter(|kept| !kept.is_due());
        let mut connection = match kept {
            Some(kept) => kept,
            // Boxed, as it is large and seldom needed: futures are moved about.
            None => Box::pin(Kept::open(&self.db)).await?,
        };
        let rows = connection.query_all(statement, &self.told).await?;
        if self.keeps {
            self.state().kept.push(connection);
        }
        Ok(rows)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        state.end(self.askers);
        self.inner.go_on(state);
    }
}

async fn answer(inner: &Inner, mut batch: Vec<Waiting>) {
    batch.retain(|waiting| !waiting.answer.is_closed());
    if batch.is_empty() {
        return;
    }
    let (askers, mut answers): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|Waiting { asker, answer }| (asker, answer))
        .unzip();
    match while_awaited(&mut answers, inner.read(&askers)).await {
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
                Box::pin(self::answer(inner, alone)).await;
            }
        }
        Some(Err(cause)) => {
            for answer in answers {
                let _ = answer.send(Err(cause.clone()));
            }
        }
    }
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
