//! One migration at a time.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use crate::dialect::Dialect;

/// Begins a transaction that is alone in changing the schema until it ends.
pub(crate) async fn take(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    match Dialect::of(db)? {
        Dialect::Postgres => {
            let txn = db
                .begin_with_options(TransactionOptions {
                    // A stricter level would go on seeing the schema from before the wait.
                    isolation_level: Some(IsolationLevel::ReadCommitted),
                    ..Default::default()
                })
                .await?;
            txn.execute_unprepared(WAIT_FOR_TURN).await?;
            Ok(txn)
        }
        Dialect::Sqlite => {
            db.begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            })
            .await
        }
    }
}

/// The key is Prisma Migrate's own, so that the web application's migrations and ours wait for each other.
///
/// Bound to the transaction, the lock cannot outlive it in a connection pool, and it works through a pooler.
/// The second limit is short: whoever waits for a lock on a table holds up everybody who comes after.
const WAIT_FOR_TURN: &str = "
    SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = '60s';
    SELECT pg_advisory_xact_lock(72707369);
    SET LOCAL lock_timeout = '5s'";
