//! Reads SQLite's schema table and its pragmas, which can be joined like tables.

pub(super) fn columns(tables: &str) -> String {
    format!(
        r#"SELECT m.name AS "table", m.type = 'table' AS "indexable", c.name AS "column",
                  c.type AS "type", c."notnull" = 0 AS "nullable"
           FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
           WHERE m.type IN ('table', 'view') AND m.name IN ({tables})
           ORDER BY m.name, c.cid"#
    )
}

pub(super) fn indexes(tables: &str) -> String {
    format!(
        r#"SELECT m.name AS "table", i.name AS "index", i."unique" AS "unique",
                  i.partial = 0 AS "whole", k.name AS "column"
           FROM sqlite_schema m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) k
           WHERE m.type = 'table' AND m.name IN ({tables})
           ORDER BY m.name, i.name, k.seqno"#
    )
}

pub(super) fn foreign_keys(tables: &str) -> String {
    format!(
        r#"SELECT m.name AS "table", f."from" AS "column", f."table" AS "target", f.on_delete AS "on_delete"
           FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
           WHERE m.type = 'table' AND m.name IN ({tables})"#
    )
}
