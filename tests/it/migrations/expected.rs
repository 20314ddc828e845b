//! The tables as they must be, written out by hand, and what is needed to read them back in the same words.

use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};

use crate::support::database::Backend;

/// A question mark allows NULL. Lines of a table are in the order of their columns, then by name.
pub(super) const TABLES: &str = "\
linked_identities
    id text
    userId text
    provider text
    providerUserId text
    providerUsername text?
    providerData json?
    profileUrl text?
    avatarUrl text?
    connectedAt time = now
    lastVerifiedAt time?
    primary key linked_identities_pkey (id)
    index linked_identities_provider_providerUserId_idx (provider, providerUserId)
    unique linked_identities_userId_provider_key (userId, provider)
    linked_identities_userId_fkey: userId -> users.id, delete CASCADE, update CASCADE
linkedin_page_syncs
    id text
    identityId text
    tokenHash text
    startedAt time
    leaseUntil time?
    finishedAt time?
    outcome json?
    primary key linkedin_page_syncs_pkey (id)
    unique linkedin_page_syncs_identityId_key (identityId)
    linkedin_page_syncs_identityId_fkey: identityId -> linked_identities.id, delete CASCADE, update CASCADE
linkedin_personal_pages
    id text
    identityId text
    linkedInPageId text
    pageName text
    pageLogoUrl text?
    discoveredAt time = now
    lastSyncedAt time?
    removedAt time?
    primary key linkedin_personal_pages_pkey (id)
    index linkedin_personal_pages_identityId_idx (identityId)
    unique linkedin_personal_pages_identityId_linkedInPageId_key (identityId, linkedInPageId)
    linkedin_personal_pages_identityId_fkey: identityId -> linked_identities.id, delete CASCADE, update CASCADE
linkedin_posting_target_preferences
    id text
    userId text
    kind text
    pageId text?
    personalPageId text?
    createdAt time = now
    primary key linkedin_posting_target_preferences_pkey (id)
    index linkedin_posting_target_preferences_pageId_idx (pageId)
    index linkedin_posting_target_preferences_personalPageId_idx (personalPageId)
    index linkedin_posting_target_preferences_userId_idx (userId)
    unique linkedin_posting_target_preferences_userId_kind_pageId_key (userId, kind, pageId)
    unique linkedin_posting_target_preferences_userId_kind_personalPag_key (userId, kind, personalPageId)
    linkedin_posting_target_preferences_pageId_fkey: pageId -> org_linkedin_pages.id, delete CASCADE, update CASCADE
    linkedin_posting_target_preferences_personalPageId_fkey: personalPageId -> linkedin_personal_pages.id, delete CASCADE, update CASCADE
    linkedin_posting_target_preferences_userId_fkey: userId -> users.id, delete CASCADE, update CASCADE
org_linkedin_credentials
    id text
    organizationId text
    connectedByUserId text
    providerUserId text
    providerUsername text?
    accessToken text
    expiresAt time?
    scopesGranted text?
    connectedAt time = now
    lastVerifiedAt time?
    disconnectedAt time?
    primary key org_linkedin_credentials_pkey (id)
    index org_linkedin_credentials_connectedByUserId_idx (connectedByUserId)
    index org_linkedin_credentials_organizationId_idx (organizationId)
    unique org_linkedin_credentials_organizationId_key (organizationId)
    org_linkedin_credentials_connectedByUserId_fkey: connectedByUserId -> users.id, delete RESTRICT, update CASCADE
    org_linkedin_credentials_organizationId_fkey: organizationId -> organizations.id, delete CASCADE, update CASCADE
org_linkedin_page_assignments
    id text
    pageId text
    userId text
    assignedByUserId text
    createdAt time = now
    primary key org_linkedin_page_assignments_pkey (id)
    index org_linkedin_page_assignments_pageId_idx (pageId)
    index org_linkedin_page_assignments_userId_idx (userId)
    unique org_linkedin_page_assignments_pageId_userId_key (pageId, userId)
    org_linkedin_page_assignments_assignedByUserId_fkey: assignedByUserId -> users.id, delete RESTRICT, update CASCADE
    org_linkedin_page_assignments_pageId_fkey: pageId -> org_linkedin_pages.id, delete CASCADE, update CASCADE
    org_linkedin_page_assignments_userId_fkey: userId -> users.id, delete CASCADE, update CASCADE
org_linkedin_pages
    id text
    credentialId text
    linkedInPageId text
    pageName text
    pageLogoUrl text?
    discoveredAt time = now
    lastSyncedAt time?
    primary key org_linkedin_pages_pkey (id)
    index org_linkedin_pages_credentialId_idx (credentialId)
    unique org_linkedin_pages_credentialId_linkedInPageId_key (credentialId, linkedInPageId)
    org_linkedin_pages_credentialId_fkey: credentialId -> org_linkedin_credentials.id, delete CASCADE, update CASCADE
organizations
    id text
    name text
    slug text
    description text?
    avatar text?
    isPublic bool = true
    isSystem bool = false
    settings json?
    createdAt time = now
    updatedAt time
    deletedAt time?
    primary key organizations_pkey (id)
    unique organizations_name_key (name)
    unique organizations_slug_key (slug)
sessions
    id text
    userId text
    expiresAt time
    createdAt time = now
    primary key sessions_pkey (id)
    index sessions_expiresAt_idx (expiresAt)
    index sessions_userId_idx (userId)
    sessions_userId_fkey: userId -> users.id, delete CASCADE, update CASCADE
sync_tokens
    id text
    userId text
    tokenHash text
    name text = 'CLI'
    createdAt time = now
    primary key sync_tokens_pkey (id)
    unique sync_tokens_tokenHash_key (tokenHash)
    sync_tokens_userId_fkey: userId -> users.id, delete CASCADE, update CASCADE
users
    id text
    email text
    username text
    passwordHash text
    displayName text?
    avatar text?
    emailVerified bool = false
    createdAt time = now
    updatedAt time
    primary key users_pkey (id)
    unique users_email_key (email)
    unique users_username_key (username)
";

/// Reads all tables but SeaORM's own, in the words of [`TABLES`].
pub(super) async fn tables(db: &DatabaseConnection, on: Backend) -> String {
    let query = match on {
        Backend::Postgres => POSTGRES,
        Backend::Sqlite => SQLITE,
    };
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    let mut text = String::new();
    let mut last = String::new();
    for row in rows {
        let table: String = row.try_get("", "table").unwrap();
        if table != last {
            text += &format!("{table}\n");
            last = table;
        }
        text += &format!("    {}\n", line(&row));
    }
    text
}

fn line(row: &QueryResult) -> String {
    let line: String = row.try_get("", "line").unwrap();
    [
        ("timestamp(3) without time zone", "time"),
        ("timestamp_text", "time"),
        ("TEXT", "text"),
        ("jsonb_text", "json"),
        ("jsonb", "json"),
        ("boolean", "bool"),
        ("CURRENT_TIMESTAMP", "now"),
        ("strftime('%Y-%m-%d %H:%M:%f', 'now')", "now"),
        ("'CLI'::text", "'CLI'"),
    ]
    .into_iter()
    .fold(line, |line, (theirs, ours)| line.replace(theirs, ours))
}

const POSTGRES: &str = r#"
    WITH t AS (
        SELECT c.oid, c.relname AS "table" FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'seaql_migrations'
    ), lines AS (
        SELECT t."table", 1 AS part, c.ordinal_position::int AS position,
               c.column_name || ' ' || format_type(a.atttypid, a.atttypmod)
               || CASE c.is_nullable WHEN 'YES' THEN '?' ELSE '' END || coalesce(' = ' || c.column_default, '') AS line
        FROM t
        JOIN information_schema.columns c ON c.table_schema = current_schema() AND c.table_name = t."table"
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = c.column_name
      UNION ALL
        SELECT t."table", CASE WHEN x.indisprimary THEN 2 WHEN x.indisunique THEN 4 ELSE 3 END, 0,
               CASE WHEN x.indisprimary THEN 'primary key ' WHEN x.indisunique THEN 'unique ' ELSE 'index ' END
               || i.relname || ' ('
               || (SELECT string_agg(a.attname, ', ' ORDER BY k.position)
                   FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (attnum, position)
                   JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) || ')'
        FROM t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
      UNION ALL
        SELECT t."table", 5, 0,
               r.constraint_name || ': ' || f.column_name || ' -> ' || p.table_name || '.' || p.column_name
               || ', delete ' || r.delete_rule || ', update ' || r.update_rule
        FROM t
        JOIN information_schema.key_column_usage f ON f.table_schema = current_schema() AND f.table_name = t."table"
        JOIN information_schema.referential_constraints r
          ON r.constraint_schema = f.constraint_schema AND r.constraint_name = f.constraint_name
        JOIN information_schema.constraint_column_usage p
          ON p.constraint_schema = f.constraint_schema AND p.constraint_name = f.constraint_name
    )
    SELECT "table"::text AS "table", line::text AS line FROM lines
    ORDER BY "table" COLLATE "C", part, position, line COLLATE "C""#;

/// SQLite keeps the names of its constraints nowhere but in the text of the table.
const SQLITE: &str = r#"
    WITH t AS (
        SELECT name AS "table", sql FROM sqlite_schema WHERE type = 'table' AND name <> 'seaql_migrations'
    ), lines AS (
        SELECT t."table", 1 AS part, c.cid AS position,
               c.name || ' ' || c.type || iif(c."notnull", '', '?') || coalesce(' = ' || c.dflt_value, '') AS line
        FROM t JOIN pragma_table_info(t."table") c
      UNION ALL
        SELECT t."table", 2, 0, 'primary key ' || t."table" || '_pkey (' || c.name || ')'
        FROM t JOIN pragma_table_info(t."table") c
        WHERE c.pk AND instr(t.sql, 'CONSTRAINT "' || t."table" || '_pkey" PRIMARY KEY ("' || c.name || '")')
      UNION ALL
        SELECT t."table", iif(i."unique", 4, 3), 0, iif(i."unique", 'unique ', 'index ') || i.name || ' ('
               || (SELECT group_concat(k.name, ', ' ORDER BY k.seqno) FROM pragma_index_info(i.name) k) || ')'
        FROM t JOIN pragma_index_list(t."table") i WHERE i.origin = 'c'
      UNION ALL
        SELECT t."table", 5, 0,
               iif(instr(t.sql, 'CONSTRAINT "' || t."table" || '_' || f."from" || '_fkey" FOREIGN KEY ("' || f."from" || '")'),
                   t."table" || '_' || f."from" || '_fkey', 'unnamed')
               || ': ' || f."from" || ' -> ' || f."table" || '.' || f."to"
               || ', delete ' || f.on_delete || ', update ' || f.on_update
        FROM t JOIN pragma_foreign_key_list(t."table") f
    )
    SELECT "table", line FROM lines ORDER BY "table", part, position, line"#;
