use std::{str::FromStr, time::Duration};

use chrono::NaiveDateTime;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxPostgresConnector,
    SqlxSqliteConnector, Statement,
    sqlx::{
        self, ConnectOptions, Connection,
        pool::PoolOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode},
    },
};
use secrecy::{ExposeSecret, SecretString};

use super::{Database, failure};

/// How long after its last use a connection is used again without a question.
const TRUSTED: Duration = Duration::from_secs(1);

/// How many connections may turn out to be lost, one after the other: those of the last second.
const ATTEMPTS: usize = 4;

/// How many connections, and how long anything may wait.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Upper bound on open connections.
    pub max_connections: u32,
    /// How long a request waits for a free connection, or for SQLite's write lock.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL works on one statement; SQLite has no such limit.
    pub statement_timeout: Duration,
    /// Whether a SQLite file that does not exist is made.
    pub create: bool,
}

/// Connects by URL: `postgres://…` or `sqlite://…`.
///
/// The pools are built with sqlx itself, because SeaORM's own connect options show the password in trace spans.
pub async fn connect(url: &SecretString, pool: &Pool) -> Result<DatabaseConnection, DbErr> {
    let url = url.expose_secret();
    if url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(connection_error)?
            .create_if_missing(pool.create)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            // 512 KiB for each connection: with SQLite's own 2 MiB, reads are no faster, as the system keeps the file.
            .pragma("cache_size", "-512")
            .busy_timeout(pool.acquire_timeout)
            .disable_statement_logging();
        if pool.create
            && let Some(folder) = options.get_filename().parent()
        {
            std::fs::create_dir_all(folder).map_err(|cause| connection_error(cause.into()))?;
        }
        let pool = bounded(pool)
            .connect_with(options)
            .await
            .map_err(connection_error)?;
        Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
    } else {
        let timeout = pool.statement_timeout.as_millis().to_string();
        let options = PgConnectOptions::from_str(url)
            .map_err(connection_error)?
            .application_name("linkedin-targets")
            .options([
                ("statement_timeout", timeout.as_str()),
                // All values are keys of indexes: to plan for each of them anew costs more than the best plan could save,
                ("plan_cache_mode", "force_generic_plan"),
                // and rows are found sooner one by one than by a bitmap of their places.
                ("enable_bitmapscan", "off"),
            ])
            .disable_statement_logging();
        let pool = bounded(pool)
            .connect_with(options)
            .await
            .map_err(connection_error)?;
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
    }
}

/// Whether the database takes no writes now. On SQLite it is an error then, also while another process writes.
pub(crate) async fn is_read_only(db: &Database) -> Result<bool, DbErr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        write_the_same(db).await?;
        return Ok(false);
    }
    let sql = "SELECT current_setting('transaction_read_only')";
    Ok(text(&**db, sql).await?.as_deref() == Some("on"))
}

/// Writes to a SQLite file what is there already, as nothing less shows whether the disk has room.
async fn write_the_same(db: &Database) -> Result<(), DbErr> {
    // A number for applications to use, of which we make no use.
    const READ: &str = "SELECT CAST(user_version AS TEXT) FROM pragma_user_version";
    let transaction = db.begin_write().await?;
    let version = text(&transaction, READ).await?.unwrap_or_default();
    let write = format!("PRAGMA user_version = {version}");
    transaction.execute_unprepared(&write).await?;
    transaction.commit().await
}

/// What the database takes for the time, in UTC.
pub(crate) async fn current_time(db: &DatabaseConnection) -> Result<NaiveDateTime, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
        _ => "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')",
    };
    let time = text(db, sql).await?.unwrap_or_default();
    NaiveDateTime::parse_from_str(&time, "%F %T%.f").map_err(|cause| DbErr::Type(cause.to_string()))
}

async fn text(db: &impl ConnectionTrait, sql: &str) -> Result<Option<String>, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// How many connections there are at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolState {
    pub(crate) open: u32,
    pub(crate) idle: u32,
    pub(crate) most: u32,
}

/// Tells how the pool is whenever it is asked. It keeps the pool alone, not what is told of its statements: that may keep
/// this.
pub(crate) fn pool_state(db: &DatabaseConnection) -> Box<dyn Fn() -> PoolState + Send + Sync> {
    match db.get_database_backend() {
        DbBackend::Postgres => {
            let pool = db.get_postgres_connection_pool().clone();
            Box::new(move || state(&pool))
        }
        _ => {
            let pool = db.get_sqlite_connection_pool().clone();
            Box::new(move || state(&pool))
        }
    }
}

fn state<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> PoolState {
    PoolState {
        open: pool.size(),
        idle: pool.num_idle().try_into().unwrap_or(u32::MAX),
        most: pool.options().get_max_connections(),
    }
}

fn bounded<DB: sqlx::Database>(pool: &Pool) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(pool.max_connections)
        .acquire_timeout(pool.acquire_timeout)
        // By default each use of a connection begins with the question whether it still works: a round trip.
        .test_before_acquire(false)
        .before_acquire(|connection: &mut DB::Connection, usage| {
            Box::pin(async move {
                if usage.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                // When SQLite has rolled back by itself, because the disk is full for one, sqlx still counts a transaction
                // as begun: those that follow would be a part of it, and never be committed.
                Ok(!connection.is_in_transaction())
            })
        })
}

/// Runs what may be run twice again, when the connection that was trusted has been lost.
pub(crate) async fn again_if_lost<T, Work: Future<Output = Result<T, DbErr>>>(
    mut work: impl FnMut() -> Work,
) -> Result<T, DbErr> {
    for _ in 1..ATTEMPTS {
        match work().await {
            Err(cause) if failure::is_lost_connection(&cause) => {}
            outcome => return outcome,
        }
    }
    work().await
}

fn connection_error(cause: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(cause.into()))
}
