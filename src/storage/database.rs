//! A database as those use it who read and write.

use std::ops::Deref;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    SqlxSqliteConnector, TransactionOptions, TransactionTrait, metric::Info,
};

use super::{again_if_lost, traced::traced};

/// Connections to a database, and those of them that write.
///
/// A SQLite file has one writer at a time, and whoever else wants to write looks again and again whether it is their turn. So
/// one connection writes, and those who want to stand in line for it: nobody is overtaken, and nobody who reads waits with
/// them. Whoever allows a single connection has no other.
#[derive(Clone, Debug)]
pub struct Database {
    connections: DatabaseConnection,
    writers: DatabaseConnection,
}

impl Database {
    /// `told` is told of every statement.
    pub fn new(
        mut connections: DatabaseConnection,
        told: impl Fn(&Info<'_>) + Clone + Send + Sync + 'static,
    ) -> Self {
        let mut writers = writer(&connections).unwrap_or_else(|| connections.clone());
        connections.set_metric_callback(told.clone());
        writers.set_metric_callback(told);
        Self {
            connections,
            writers,
        }
    }

    /// The connections for statements that write.
    #[must_use]
    pub fn writers(&self) -> &DatabaseConnection {
        &self.writers
    }

    /// Begins a transaction that writes.
    ///
    /// On SQLite it takes the write lock at once: one that reads first and writes later fails when another process wrote
    /// in between.
    pub(crate) async fn begin_write(&self) -> Result<DatabaseTransaction, DbErr> {
        again_if_lost(|| {
            let begin = self.writers.begin_with_options(TransactionOptions {
                isolation_level: None,
                access_mode: None,
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            });
            traced(self.writers.get_database_backend(), "BEGIN", begin)
        })
        .await
    }
}

/// For statements that only read.
impl Deref for Database {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.connections
    }
}

/// One like those, where there are several to a SQLite file.
fn writer(connections: &DatabaseConnection) -> Option<DatabaseConnection> {
    if connections.get_database_backend() != DbBackend::Sqlite {
        return None;
    }
    let pool = connections.get_sqlite_connection_pool();
    let several = pool.options().clone();
    if several.get_max_connections() == 1 {
        return None;
    }
    let file = (*pool.connect_options()).clone();
    let one = several.max_connections(1).connect_lazy_with(file);
    Some(SqlxSqliteConnector::from_sqlx_sqlite_pool(one))
}
