//! The tables that linkedin-targets needs: created where they are missing, adopted where they exist.
//!
//! The server runs on InterlinedList's database, whose tables belong to a web application, and on empty databases of
//! its own. So there is no history of changes to replay but one description of the tables, and a [`Plan`] of what a
//! given database still lacks. What exists is never altered, rewritten or dropped.

mod catalog;
mod dialect;
mod m20261124_000001_tables;
pub mod notifications;
mod plan;
mod sql;
mod table;
mod tables;
mod turn;

use sea_orm_migration::{
    MigrationStatus,
    prelude::*,
    sea_orm::{ConnectionTrait, DatabaseConnection},
};

pub use plan::Plan;
pub use sea_orm_migration::{self, MigratorTrait};

/// Creates what is missing, all of it or nothing, and returns the statements that were run.
///
/// Several processes may call this at once: they take turns, and the later ones find nothing left to do.
pub async fn up(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let txn = turn::take(db).await?;
    let plan = Plan::of(&txn).await?;
    plan.run(&txn).await?;
    if !Migrator::get_pending_migrations_read_only(&txn)
        .await?
        .is_empty()
    {
        // Finds nothing left to create, and is recorded.
        Migrator::up(&txn, None).await?;
    }
    txn.commit().await?;
    Ok(plan.statements)
}

/// What [`up`] would run, and what it would leave as it is. Writes nothing.
pub async fn plan(db: &impl ConnectionTrait) -> Result<Plan, DbErr> {
    Plan::of(db).await
}

/// Which migrations were run on this database. Writes nothing.
///
/// A database that the web application made has all the tables before any of them was run: ask [`missing`] whether
/// it can be used.
pub async fn status(db: &impl ConnectionTrait) -> Result<Vec<Status>, DbErr> {
    let migrations = Migrator::get_migration_with_status_read_only(db).await?;
    Ok(migrations
        .into_iter()
        .map(|migration| Status {
            name: migration.name().to_owned(),
            applied: migration.status() == MigrationStatus::Applied,
        })
        .collect())
}

/// A migration by name, and whether it was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The name under which it is recorded.
    pub name: String,
    /// Whether it is recorded.
    pub applied: bool,
}

/// The tables and columns that the server needs and that are not there, as in `table "sessions"` or
/// `column "linkedin_personal_pages"."removedAt"`. Empty when the server can work.
///
/// Looks at the tables themselves, in one statement, and does not care who made them.
pub async fn missing(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let catalog = catalog::columns(db).await?;
    let mut missing = Vec::new();
    for table in tables::TABLES {
        match catalog.get(table.name) {
            None => missing.push(format!(r#"table "{}""#, table.name)),
            Some(present) => missing.extend(
                table
                    .columns
                    .iter()
                    .filter(|column| !present.columns.contains_key(column.name))
                    .map(|column| format!(r#"column "{}"."{}""#, table.name, column.name)),
            ),
        }
    }
    Ok(missing)
}

/// The migrations as SeaORM runs them, without the turn-taking of [`up`].
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20261124_000001_tables::Migration)]
    }

    /// Always fails: it would first drop every table of the web application.
    async fn fresh<'c, C>(_: C) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        Err(DbErr::Migration(
            "these tables are shared and never dropped".to_owned(),
        ))
    }
}
