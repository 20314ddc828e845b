//! Stops a server in the middle of a statement.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};

use super::{database::Database, eventually::eventually};

/// What a trigger stops, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) timing: &'static str,
    pub(crate) table: &'static str,
    pub(crate) when: &'static str,
}

/// A trigger that stops whoever fires it for as long as they live: on PostgreSQL before a lock that the test has, on
/// SQLite in a count that takes years.
pub(crate) struct Stopper<'a> {
    db: &'a DatabaseConnection,
    stop: Stop,
    lock: Option<DatabaseTransaction>,
    /// Waits for nobody.
    impatient: DatabaseConnection,
}

/// The lock's two keys are the schema and this.
const LOCK: &str = r#"hashtext(current_schema()), 7"#;

impl<'a> Stopper<'a> {
    pub(crate) async fn install(
        database: &Database,
        db: &'a DatabaseConnection,
        stop: Stop,
    ) -> Self {
        let Stop {
            timing,
            table,
            when,
        } = stop;
        let head =
            format!(r#"CREATE TRIGGER "stop" {timing} ON "{table}" FOR EACH ROW WHEN ({when})"#);
        let mut lock = None;
        match db.get_database_backend() {
            DbBackend::Sqlite => {
                let tables = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
                let tables = tables
                    .map(|name| format!("sqlite_master {name}"))
                    .join(", ");
                let body = format!("BEGIN SELECT count(*) FROM {tables}; END");
                db.execute_unprepared(&format!("{head} {body}"))
                    .await
                    .unwrap();
            }
            _ => {
                let holder = db.begin().await.unwrap();
                let hold = format!("SELECT pg_advisory_xact_lock({LOCK})");
                holder.execute_unprepared(&hold).await.unwrap();
                lock = Some(holder);
                let function = format!(
                    r#"CREATE FUNCTION "stop"() RETURNS trigger LANGUAGE plpgsql AS $$
                       BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN coalesce(NEW, OLD); END $$"#
                );
                db.execute_unprepared(&function).await.unwrap();
                let trigger = format!(r#"{head} EXECUTE FUNCTION "stop"()"#);
                db.execute_unprepared(&trigger).await.unwrap();
            }
        }
        Self {
            db,
            stop,
            lock,
            impatient: database.connect_impatiently().await,
        }
    }

    /// Returns when the server is in the trigger.
    pub(crate) async fn stopped(&self) {
        match self.db.get_database_backend() {
            // Nothing else holds the right to write for so long.
            DbBackend::Sqlite => {
                let mut busy = 0;
                let is_stopped = async || {
                    busy = if self.can_write().await { 0 } else { busy + 1 };
                    busy == 100
                };
                eventually("the server stops", is_stopped).await;
            }
            _ => {
                let is_stopped = async || self.is_lock_wanted().await;
                eventually("the server stops", is_stopped).await;
            }
        }
    }

    async fn can_write(&self) -> bool {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        match self.impatient.begin_with_options(options).await {
            Ok(transaction) => transaction.rollback().await.is_ok(),
            Err(_) => false,
        }
    }

    async fn is_lock_wanted(&self) -> bool {
        const SQL: &str =
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 7
            AND classid = (hashtext(current_schema())::bigint & 4294967295)::oid";
        let db = &self.impatient;
        let statement = Statement::from_string(db.get_database_backend(), SQL);
        db.query_one_raw(statement).await.unwrap().is_some()
    }

    /// Returns when nothing of the dead server is left in the database either.
    pub(crate) async fn remove(self) {
        if let Some(lock) = self.lock {
            lock.rollback().await.unwrap();
        }
        let drop = match self.db.get_database_backend() {
            DbBackend::Sqlite => r#"DROP TRIGGER "stop""#.to_owned(),
            _ => format!(r#"DROP TRIGGER "stop" ON "{}""#, self.stop.table),
        };
        self.db.execute_unprepared(&drop).await.unwrap();
    }
}
