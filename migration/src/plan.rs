//! Compares the description with what is there.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};

use crate::{
    catalog::{self, PresentTable},
    dialect::Dialect,
    sql,
    table::{Column, Key, PRIMARY_KEY, Table},
    tables::TABLES,
};

/// What a database lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What [`up`](crate::up) would run, in this order. Only ever creates tables and plain indexes.
    pub statements: Vec<String>,
    /// Sentences about tables that exist and differ from what was expected. They stay as they are: a column or a
    /// constraint more might refuse what their owner writes.
    pub notes: Vec<String>,
}

impl Plan {
    pub(crate) async fn of(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let dialect = Dialect::of(db)?;
        let catalog = catalog::read(db).await?;
        let mut plan = Self::default();
        for table in TABLES {
            match catalog.get(table.name) {
                None => plan.statements.extend(sql::create(table, dialect)),
                Some(present) => plan.adopt(table, present, dialect),
            }
        }
        Ok(plan)
    }

    pub(crate) async fn run(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        for statement in &self.statements {
            db.execute_unprepared(statement).await.map_err(|cause| {
                DbErr::Migration(format!("{} failed: {cause}", summary(statement)))
            })?;
        }
        Ok(())
    }

    fn adopt(&mut self, table: &Table, present: &PresentTable, dialect: Dialect) {
        for column in table.columns {
            self.compare(table, column, present, dialect);
        }
        for key in [PRIMARY_KEY].iter().chain(table.unique) {
            if !present.is_unique(key) {
                self.note(
                    table,
                    &format!("does not keep ({}) unique", sql::quoted(key)),
                );
            }
        }
        for key in table.indexes {
            self.index(table, key, present);
        }
    }

    fn compare(
        &mut self,
        table: &Table,
        column: &Column,
        present: &PresentTable,
        dialect: Dialect,
    ) {
        let name = column.name;
        let expected = dialect.reported(column.kind);
        let Some(found) = present.columns.get(name) else {
            return self.note(table, &format!(r#"has no column "{name}" ({expected})"#));
        };
        if !found.kind.eq_ignore_ascii_case(expected) {
            self.note(
                table,
                &format!(r#"has "{name}" as {}, not as {expected}"#, found.kind),
            );
        }
        match (found.nullable, column.nullable) {
            (true, false) => self.note(table, &format!(r#"allows NULL in "{name}""#)),
            (false, true) => self.note(table, &format!(r#"does not allow NULL in "{name}""#)),
            _ => {}
        }
        if let Some(reference) = column.references {
            let (target, on_delete) = (reference.table, reference.on_delete.sql());
            let kept = present.foreign_keys.iter().any(|key| {
                key.column == name && key.target == target && key.on_delete == on_delete
            });
            if !kept {
                self.note(table, &format!(r#"has no foreign key from "{name}" to "{target}" with ON DELETE {on_delete}"#));
            }
        }
    }

    fn index(&mut self, table: &Table, key: Key, present: &PresentTable) {
        if present.has_index(key) {
            return;
        }
        let name = sql::index_name(table.name, key);
        if !present.indexable
            || key
                .iter()
                .any(|&column| !present.columns.contains_key(column))
        {
            self.note(
                table,
                &format!("cannot have an index on ({})", sql::quoted(key)),
            );
        } else if present.indexes.contains_key(&name) {
            self.note(
                table,
                &format!(
                    r#"has an index "{name}" that is not one on all rows by ({})"#,
                    sql::quoted(key)
                ),
            );
        } else {
            self.statements.push(sql::create_index(table.name, key));
        }
    }

    fn note(&mut self, table: &Table, what: &str) {
        self.notes
            .push(format!(r#"The table "{}" {what}."#, table.name));
    }
}

/// `CREATE TABLE "users"`
fn summary(statement: &str) -> &str {
    statement
        .split_once('(')
        .map_or(statement, |(summary, _)| summary.trim_end())
}
