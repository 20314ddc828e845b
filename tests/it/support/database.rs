//! Databases for tests: every test has one of its own, and it is gone when the test is over.
//!
//! A test that runs on both looks like this:
//!
//! ```ignore
//! #[rstest]
//! #[tokio::test]
//! async fn it_works(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
//!     let Some(database) = Database::migrated(on).await else { return };
//! ```

use std::{panic, sync::OnceLock, thread, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, TransactionOptions, TransactionTrait,
    sqlx::{
        self, AssertSqlSafe, Connection, Executor, PgConnection,
        pool::PoolOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode},
    },
};
use tempfile::TempDir;
use tokio::time::timeout;

use super::skip::{nothing_may_be_skipped, say, variable};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

pub(crate) struct Database {
    /// Leads to this database alone: to a file, or to a schema by its search path.
    pub(crate) url: String,
    place: Place,
}

#[expect(
    dead_code,
    reason = "these take away what they name when they are dropped"
)]
enum Place {
    Folder(TempDir),
    Schema(Schema),
}

impl Database {
    /// A database without tables; `None` when there is no PostgreSQL to make it on.
    pub(crate) async fn empty(on: Backend) -> Option<Self> {
        match on {
            Backend::Sqlite => {
                let folder = TempDir::new().unwrap();
                let file = folder.path().join("test.db");
                Some(Self {
                    url: format!("sqlite://{}?mode=rwc", file.display()),
                    place: Place::Folder(folder),
                })
            }
            Backend::Postgres => {
                if !postgres_is_there() {
                    return None;
                }
                let schema = Schema::create();
                Some(Self {
                    url: schema.url(),
                    place: Place::Schema(schema),
                })
            }
        }
    }

    /// A database with the server's tables.
    pub(crate) async fn migrated(on: Backend) -> Option<Self> {
        let database = Self::empty(on).await?;
        let db = database.connect().await;
        migration::up(&db).await.unwrap();
        db.close().await.unwrap();
        Some(database)
    }

    /// A small pool of connections.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        self.connect_with(PATIENCE).await
    }

    /// Connections that, on SQLite, do not wait for others to finish writing.
    pub(crate) async fn connect_impatiently(&self) -> DatabaseConnection {
        self.connect_with(Duration::ZERO).await
    }

    async fn connect_with(&self, patience: Duration) -> DatabaseConnection {
        match self.place {
            Place::Folder(_) => {
                let options = self.url.parse::<SqliteConnectOptions>().unwrap();
                let options = options
                    .journal_mode(SqliteJournalMode::Wal)
                    .foreign_keys(true)
                    .busy_timeout(patience);
                let pool = small_pool().connect_with(options).await.unwrap();
                SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
            }
            Place::Schema(_) => {
                let options = self.url.parse::<PgConnectOptions>().unwrap();
                let pool = small_pool().connect_with(options).await.unwrap();
                SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
            }
        }
    }
}

/// Long enough for a busy machine, short enough to see that a test waits for itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections a test has, and the server that it tests.
pub(crate) const CONNECTIONS: u32 = 4;

fn small_pool<DB: sqlx::Database>() -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
}

/// A schema of its own on the test server, dropped together with this.
struct Schema {
    name: String,
}

impl Schema {
    fn create() -> Self {
        let name = apart(async {
            let mut server = PgConnection::connect(&server_url()).await?;
            // The server makes up the name: other processes, on other machines too, may be testing on it.
            let name: String =
                sqlx::query_scalar("SELECT 'test_' || replace(gen_random_uuid()::text, '-', '')")
                    .fetch_one(&mut server)
                    .await?;
            server
                .execute(AssertSqlSafe(format!("CREATE SCHEMA {name}")))
                .await?;
            server.close().await?;
            Ok::<_, sqlx::Error>(name)
        });
        Self {
            name: name.unwrap(),
        }
    }

    fn url(&self) -> String {
        let url = server_url();
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}options=-c%20search_path%3D{}", self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = &self.name;
        // A connection that the test left inside a transaction would hold its tables for ever.
        let release = format!(
            "SELECT pg_terminate_backend(a.pid) FROM pg_locks l
             JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = '{name}'::regnamespace
             JOIN pg_stat_activity a ON a.pid = l.pid AND a.usename = current_user AND a.pid <> pg_backend_pid()"
        );
        let dropped = apart(async {
            let mut server = PgConnection::connect(&server_url()).await?;
            server.execute(AssertSqlSafe(release)).await?;
            server
                .execute(AssertSqlSafe(format!("DROP SCHEMA {name} CASCADE")))
                .await?;
            server.close().await
        });
        // Panicking here could abort the whole run, as the test itself may be panicking.
        if let Err(cause) = dropped {
            say(&format!(
                "The schema {name} stays behind on the test server: {cause}"
            ));
        }
    }
}

/// Whether there is a PostgreSQL to test on, asked once.
///
/// Panics without one where nothing may be skipped.
fn postgres_is_there() -> bool {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let url = server_url();
        let answer = apart(async { timeout(Duration::from_secs(2), PgConnection::connect(&url)).await });
        let found = match answer {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(cause)) => Err(cause.to_string()),
            Err(_) => Err("no answer".to_owned()),
        };
        let found = found.map_err(|cause| {
            format!("there is none at TEST_DATABASE_URL or else {DEFAULT_SERVER} ({cause}): start one and set TEST_DATABASE_URL")
        });
        if let Err(reason) = &found
            && !nothing_may_be_skipped()
        {
            say(&format!("The PostgreSQL half of the tests is skipped, as {reason}."));
        }
        found
    });
    match found {
        Ok(()) => true,
        Err(reason) if nothing_may_be_skipped() => panic!("PostgreSQL is needed, but {reason}"),
        Err(_) => false,
    }
}

const DEFAULT_SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

fn server_url() -> String {
    variable("TEST_DATABASE_URL").unwrap_or_else(|| DEFAULT_SERVER.to_owned())
}

/// Runs something to its end on a thread and a runtime of its own: dropping cannot wait for a future, and the runtime
/// of the test may be gone by then.
fn apart<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(work)
    };
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
}

/// Has the turn to write for a user, as another process of the server has it.
pub(crate) async fn take_turn(db: &DatabaseConnection, user_id: &str) -> DatabaseTransaction {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let turn = db.begin_with_options(options).await.unwrap();
    if turn.get_database_backend() == DbBackend::Postgres {
        // Servers of two versions may run side by side: they must agree on this lock.
        let lock = format!(
            "SELECT pg_advisory_xact_lock({}, hashtext('{user_id}'))",
            0x4C54_5054
        );
        turn.execute_unprepared(&lock).await.unwrap();
    }
    turn
}
