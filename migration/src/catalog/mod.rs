//! What is in the database already, as far as the described tables go.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use crate::{dialect::Dialect, table::Key, tables::TABLES};

/// Tables by name.
pub(crate) type Catalog = BTreeMap<String, PresentTable>;

#[derive(Default)]
pub(crate) struct PresentTable {
    /// A view cannot carry an index.
    pub(crate) indexable: bool,
    pub(crate) columns: BTreeMap<String, PresentColumn>,
    pub(crate) indexes: BTreeMap<String, PresentIndex>,
    pub(crate) foreign_keys: Vec<PresentForeignKey>,
}

pub(crate) struct PresentColumn {
    pub(crate) kind: String,
    pub(crate) nullable: bool,
}

#[derive(Default)]
pub(crate) struct PresentIndex {
    unique: bool,
    /// Holds every row and may be used.
    whole: bool,
    /// An expression has no column.
    columns: Vec<Option<String>>,
}

pub(crate) struct PresentForeignKey {
    pub(crate) column: String,
    pub(crate) target: String,
    pub(crate) on_delete: String,
}

impl PresentTable {
    pub(crate) fn has_index(&self, key: Key) -> bool {
        self.indexes.values().any(|index| {
            index.whole
                && index
                    .columns
                    .iter()
                    .map(Option::as_deref)
                    .eq(key.iter().copied().map(Some))
        })
    }

    /// The order of the columns makes no difference to what may be stored.
    pub(crate) fn is_unique(&self, key: Key) -> bool {
        self.indexes.values().any(|index| {
            index.unique
                && index.whole
                && index.columns.len() == key.len()
                && key.iter().all(|&column| {
                    index
                        .columns
                        .iter()
                        .any(|present| present.as_deref() == Some(column))
                })
        })
    }
}

/// Tables and columns, in one statement.
pub(crate) async fn columns(db: &impl ConnectionTrait) -> Result<Catalog, DbErr> {
    let query = match Dialect::of(db)? {
        Dialect::Postgres => postgres::columns,
        Dialect::Sqlite => sqlite::columns,
    };
    let mut catalog = Catalog::new();
    for row in rows(db, query).await? {
        let table = catalog.entry(row.try_get("", "table")?).or_default();
        table.indexable = row.try_get("", "indexable")?;
        if let Some(column) = row.try_get("", "column")? {
            let kind = row.try_get("", "type")?;
            let nullable = row.try_get("", "nullable")?;
            table
                .columns
                .insert(column, PresentColumn { kind, nullable });
        }
    }
    Ok(catalog)
}

/// Tables with all that belongs to them.
pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Catalog, DbErr> {
    let mut catalog = columns(db).await?;
    let (indexes, foreign_keys): (Query, Query) = match Dialect::of(db)? {
        Dialect::Postgres => (postgres::indexes, postgres::foreign_keys),
        Dialect::Sqlite => (sqlite::indexes, sqlite::foreign_keys),
    };
    for row in rows(db, indexes).await? {
        if let Some(table) = catalog.get_mut(&row.try_get::<String>("", "table")?) {
            let index = table.indexes.entry(row.try_get("", "index")?).or_default();
            index.unique = row.try_get("", "unique")?;
            index.whole = row.try_get("", "whole")?;
            index.columns.push(row.try_get("", "column")?);
        }
    }
    for row in rows(db, foreign_keys).await? {
        if let Some(table) = catalog.get_mut(&row.try_get::<String>("", "table")?) {
            table.foreign_keys.push(PresentForeignKey {
                column: row.try_get("", "column")?,
                target: row.try_get("", "target")?,
                on_delete: row.try_get("", "on_delete")?,
            });
        }
    }
    Ok(catalog)
}

/// Takes the names to look for as a list of SQL literals.
type Query = fn(&str) -> String;

async fn rows(db: &impl ConnectionTrait, query: Query) -> Result<Vec<QueryResult>, DbErr> {
    let tables: Vec<_> = TABLES
        .iter()
        .map(|table| format!("'{}'", table.name))
        .collect();
    let statement = Statement::from_string(db.get_database_backend(), query(&tables.join(", ")));
    db.query_all_raw(statement).await
}
