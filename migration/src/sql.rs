//! From a described table to the statements that create it, named and typed as Prisma would.

use crate::{
    dialect::Dialect,
    table::{Column, Key, PRIMARY_KEY, Reference, Table},
};

/// Everything a table consists of. Its foreign keys stand inside, where both databases take them.
pub(crate) fn create(table: &Table, dialect: Dialect) -> Vec<String> {
    let unique = table
        .unique
        .iter()
        .map(|key| create_unique_index(table.name, key));
    let indexes = table
        .indexes
        .iter()
        .map(|key| create_index(table.name, key));
    [create_table(table, dialect)]
        .into_iter()
        .chain(unique)
        .chain(indexes)
        .collect()
}

pub(crate) fn create_index(table: &str, key: Key) -> String {
    format!(
        r#"CREATE INDEX "{}" ON "{table}" ({})"#,
        index_name(table, key),
        quoted(key)
    )
}

pub(crate) fn index_name(table: &str, key: Key) -> String {
    name(table, key, "_idx")
}

/// `"a", "b"`
pub(crate) fn quoted(key: Key) -> String {
    key.iter()
        .map(|column| format!(r#""{column}""#))
        .collect::<Vec<_>>()
        .join(", ")
}

fn create_unique_index(table: &str, key: Key) -> String {
    let index = name(table, key, "_key");
    format!(
        r#"CREATE UNIQUE INDEX "{index}" ON "{table}" ({})"#,
        quoted(key)
    )
}

fn create_table(table: &Table, dialect: Dialect) -> String {
    let columns = table.columns.iter().map(|column| define(column, dialect));
    let primary_key = format!(
        r#"CONSTRAINT "{}" PRIMARY KEY ({})"#,
        name(table.name, &[], "_pkey"),
        quoted(PRIMARY_KEY)
    );
    let foreign_keys = table
        .columns
        .iter()
        .filter_map(|column| foreign_key(table, column));
    let body: Vec<_> = columns.chain([primary_key]).chain(foreign_keys).collect();
    format!(
        "CREATE TABLE \"{}\" (\n    {}\n)",
        table.name,
        body.join(",\n    ")
    )
}

fn define(column: &Column, dialect: Dialect) -> String {
    let mut definition = format!(r#""{}" {}"#, column.name, dialect.declared(column.kind));
    if !column.nullable {
        definition += " NOT NULL";
    }
    if let Some(default) = column.default {
        definition += " DEFAULT ";
        definition += &dialect.default(default);
    }
    definition
}

fn foreign_key(table: &Table, column: &Column) -> Option<String> {
    let Reference {
        table: target,
        on_delete,
    } = column.references?;
    Some(format!(
        r#"CONSTRAINT "{}" FOREIGN KEY ("{}") REFERENCES "{target}" ("id") ON DELETE {} ON UPDATE CASCADE"#,
        name(table.name, &[column.name], "_fkey"),
        column.name,
        on_delete.sql(),
    ))
}

/// PostgreSQL cuts a longer name by itself, and with it the suffix.
const LONGEST_NAME: usize = 63;

/// Prisma's names: table, columns, suffix, of which only the suffix is never shortened.
fn name(table: &str, columns: &[&str], suffix: &str) -> String {
    let mut name = table.to_owned();
    for column in columns {
        name.push('_');
        name += column;
    }
    name.truncate(LONGEST_NAME - suffix.len());
    name + suffix
}
