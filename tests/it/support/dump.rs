//! All that a database holds, as text to compare.

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use super::database::Backend;

/// One line for every table, index, constraint, view and row.
///
/// On PostgreSQL also for where a table is stored and which transaction wrote a row, so that a rewrite with the same
/// content shows.
pub(crate) async fn everything(db: &DatabaseConnection, on: Backend) -> Vec<String> {
    let (catalog, row) = match on {
        Backend::Postgres => (POSTGRES, "x.xmin::text || x.ctid::text || x::text"),
        Backend::Sqlite => (SQLITE, ""),
    };
    let mut lines = strings(db, catalog).await;
    let tables: Vec<_> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("table ")?.split(' ').next())
        .collect();
    let mut rows = Vec::new();
    for table in tables {
        let row = match on {
            Backend::Postgres => row.to_owned(),
            Backend::Sqlite => {
                let columns =
                    format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
                strings(db, &columns).await.join(" || ',' || ")
            }
        };
        rows.extend(
            strings(
                db,
                &format!("SELECT 'row {table} ' || {row} FROM \"{table}\" x"),
            )
            .await,
        );
    }
    lines.extend(rows);
    lines.sort();
    lines
}

/// The same without the tables that are SeaORM's and the server's own.
pub(crate) async fn everything_shared(db: &DatabaseConnection, on: Backend) -> Vec<String> {
    let mut lines = everything(db, on).await;
    lines
        .retain(|line| !line.contains("seaql_migrations") && !line.contains("linkedin_page_syncs"));
    lines
}

pub(crate) async fn strings(db: &DatabaseConnection, query: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

const SQLITE: &str = "SELECT type || ' ' || name || ' on ' || tbl_name || coalesce(' as ' || sql, '') FROM sqlite_schema";

const POSTGRES: &str = r#"
    WITH c AS (
        SELECT oid, relname, relkind, relfilenode FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace
    )
    SELECT CASE relkind WHEN 'r' THEN 'table' ELSE 'relation ' || relkind::text END || ' ' || relname || ' ' || oid || ' in ' || relfilenode FROM c
  UNION ALL
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || a.attnum || ' ' || format_type(a.atttypid, a.atttypmod)
           || ' ' || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'v')
  UNION ALL
    SELECT 'index ' || pg_get_indexdef(x.indexrelid) FROM c JOIN pg_index x ON x.indrelid = c.oid
  UNION ALL
    SELECT 'constraint ' || c.relname || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
    FROM c JOIN pg_constraint k ON k.conrelid = c.oid
  UNION ALL
    SELECT 'view ' || c.relname || ' ' || pg_get_viewdef(c.oid) FROM c WHERE c.relkind = 'v'"#;
