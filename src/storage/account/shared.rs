use std::sync::Arc;

use futures_util::future::{self, Either};
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{AccountRows, Asker, of_callers};
use crate::storage::{again_if_lost, failure};

/// How many statements are under way at a time. Fewer make larger batches, more keep the database busier.
const STATEMENTS: usize = 2;

/// The most askers that share a statement.
const BATCH: usize = 64;

/// The most askers that wait their turn; those beyond wait to be let in.
const QUEUE: usize = 1024;

/// Lets askers who wait share a statement.
///
/// Somebody who asks alone is answered at once. While [`STATEMENTS`] are under way, askers gather, and all of them go
/// with the next one: the busier the server, the less a request costs the database.
#[derive(Clone, Debug)]
pub(crate) struct Shared(mpsc::Sender<Waiting>);

/// Somebody, and where they wait for the answer.
#[derive(Debug)]
struct Waiting {
    asker: Asker,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Option<AccountRows>, DbErr>;

/// The statement that somebody waited for panicked.
#[derive(Debug)]
pub(crate) struct Gone;

impl Shared {
    /// Must be called within a runtime.
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        let (send, queue) = mpsc::channel(QUEUE);
        tokio::spawn(serve(db, queue));
        Self(send)
    }

    pub(crate) async fn of_caller(&self, asker: Asker) -> Result<Answer, Gone> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(Waiting { asker, answer }).await;
        sent.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }
}

/// Begins a statement whenever somebody waits and a statement may begin, until nobody can ask any more.
async fn serve(db: DatabaseConnection, mut queue: mpsc::Receiver<Waiting>) {
    let statements = Arc::new(Semaphore::new(STATEMENTS));
    while let Ok(turn) = statements.clone().acquire_owned().await {
        let mut batch = Vec::new();
        if queue.recv_many(&mut batch, BATCH).await == 0 {
            break;
        }
        let db = db.clone();
        tokio::spawn(async move {
            answer(&db, batch).await;
            drop(turn);
        });
    }
}

async fn answer(db: &DatabaseConnection, mut batch: Vec<Waiting>) {
    batch.retain(|waiting| !waiting.answer.is_closed());
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
