//! Reads `pg_catalog`: unlike `information_schema` it also shows what the user has no rights on.

/// Tables that a name alone reaches, wherever in the search path they are.
fn visible(tables: &str) -> String {
    format!(
        "c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname IN ({tables})
         AND n.nspname = ANY (current_schemas(false)) AND pg_table_is_visible(c.oid)"
    )
}

pub(super) fn columns(tables: &str) -> String {
    format!(
        r#"SELECT c.relname AS "table", c.relkind IN ('r', 'p') AS "indexable", a.attname AS "column",
                  format_type(a.atttypid, a.atttypmod) AS "type", NOT a.attnotnull AS "nullable"
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE {}
           ORDER BY c.relname, a.attnum"#,
        visible(tables)
    )
}

pub(super) fn indexes(tables: &str) -> String {
    format!(
        r#"SELECT c.relname AS "table", i.relname AS "index", x.indisunique AS "unique",
                  x.indisvalid AND x.indpred IS NULL AS "whole", a.attname AS "column"
           FROM pg_catalog.pg_index x
           JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
           JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
           LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
           WHERE k.position <= x.indnkeyatts AND {}
           ORDER BY c.relname, i.relname, k.position"#,
        visible(tables)
    )
}

pub(super) fn foreign_keys(tables: &str) -> String {
    format!(
        r#"SELECT c.relname AS "table", a.attname AS "column", t.relname AS "target",
                  CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' ELSE 'other' END AS "on_delete"
           FROM pg_catalog.pg_constraint f
           JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_class t ON t.oid = f.confrelid
           JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
           WHERE f.contype = 'f' AND cardinality(f.conkey) = 1 AND {}"#,
        visible(tables)
    )
}
