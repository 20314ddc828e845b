//! Connections that are kept in hand between statements.

use std::time::{Duration, Instant};

use sea_orm::{
    DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement, Values,
    metric::Info,
    sqlx::{self, AssertSqlSafe, Postgres, Sqlite, pool::PoolConnection},
};
use sea_query_sqlx::SqlxValues;

/// How long a connection is kept. Whether it still works, and is not too old, is the pool's to see, whenever it is given
/// back.
const TIME: Duration = Duration::from_secs(1);

/// A connection that runs one statement after the other. To give it back in between costs a round trip each time, as the
/// pool asks whether it still works, and the pool's others would take turns with it, each with cold caches.
pub(super) struct Kept {
    connection: Connection,
    since: Instant,
}

enum Connection {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

/// What is told of every statement.
pub(crate) type Told = Box<dyn Fn(&Info<'_>) + Send + Sync>;

impl Kept {
    pub(super) async fn open(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let opened = match db.get_database_backend() {
            DbBackend::Sqlite => {
                let pool = db.get_sqlite_connection_pool();
                pool.acquire().await.map(Connection::Sqlite)
            }
            _ => {
                let pool = db.get_postgres_connection_pool();
                pool.acquire().await.map(Connection::Postgres)
            }
        };
        Ok(Self {
            connection: opened.map_err(|cause| DbErr::Conn(RuntimeErr::SqlxError(cause.into())))?,
            since: Instant::now(),
        })
    }

    /// Whether it is time to give it back.
    pub(super) fn is_due(&self) -> bool {
        self.since.elapsed() > TIME
    }

    /// When it has failed, or has not come to an end, the connection is not to be kept.
    pub(super) async fn query_all(
        &mut self,
        mut statement: Statement,
        told: &Told,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let values = statement.values.take().unwrap_or(Values(Vec::new()));
        let began = Instant::now();
        let rows = self.rows(&statement.sql, values).await;
        told(&Info {
            elapsed: began.elapsed(),
            statement: &statement,
            failed: rows.is_err(),
        });
        rows.map_err(|cause| DbErr::Query(RuntimeErr::SqlxError(cause.into())))
    }

    async fn rows(&mut self, sql: &str, values: Values) -> Result<Vec<QueryResult>, sqlx::Error> {
        let query = (AssertSqlSafe(sql), SqlxValues(values));
        match &mut self.connection {
            Connection::Postgres(connection) => {
                let rows = sqlx::query_with(query.0, query.1).fetch_all(&mut **connection);
                Ok(rows.await?.into_iter().map(QueryResult::from).collect())
            }
            Connection::Sqlite(connection) => {
                let rows = sqlx::query_with(query.0, query.1).fetch_all(&mut **connection);
                Ok(rows.await?.into_iter().map(QueryResult::from).collect())
            }
        }
    }
}
