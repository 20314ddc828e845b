//! Triggers that announce, on PostgreSQL, whose account has changed, whoever changed it. They are not part of the
//! tables: an operator adds them, and can remove them.

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use crate::{dialect::Dialect, plan::Plan, turn};

/// Where the announcements are: `LISTEN` to it. Each is the id of a user.
pub const CHANNEL: &str = "linkedin_targets";

/// The name of the function and of all triggers.
const NAME: &str = "linkedin_targets_notify";

/// When each table's rows tell of a change, and how they lead to the users whom it concerns.
const TRIGGERS: &[(&str, &str, &str)] = &[
    ("linkedin_posting_target_preferences", ALWAYS, "user"),
    ("linked_identities", ALWAYS, "user"),
    ("linkedin_personal_pages", ALWAYS, "identity"),
    ("org_linkedin_page_assignments", ALWAYS, "user"),
    ("org_linkedin_pages", "AFTER UPDATE", "page"),
    ("org_linkedin_credentials", "AFTER UPDATE", "credential"),
    // Not each time that a session is prolonged.
    ("sessions", "AFTER DELETE", "user"),
    ("sync_tokens", "AFTER DELETE", "user"),
];

const ALWAYS: &str = "AFTER INSERT OR UPDATE OR DELETE";

/// Runs with the rights of whoever writes, who can read these tables, and finds them where they were when it was made.
/// A user's id that is too long for an announcement is nobody's.
const BODY: &str = r#"
DECLARE
    "changed" RECORD;
    "concerned" TEXT[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        "changed" := OLD;
    ELSE
        "changed" := NEW;
    END IF;
    CASE TG_ARGV[0]
        WHEN 'user' THEN
            "concerned" := ARRAY["changed"."userId"];
        WHEN 'identity' THEN
            "concerned" := ARRAY(
                SELECT i."userId" FROM "linked_identities" i WHERE i."id" = "changed"."identityId");
        WHEN 'page' THEN
            "concerned" := ARRAY(
                SELECT a."userId" FROM "org_linkedin_page_assignments" a WHERE a."pageId" = "changed"."id");
        WHEN 'credential' THEN
            "concerned" := ARRAY(
                SELECT a."userId" FROM "org_linkedin_pages" p
                JOIN "org_linkedin_page_assignments" a ON a."pageId" = p."id"
                WHERE p."credentialId" = "changed"."id");
    END CASE;
    PERFORM pg_notify('linkedin_targets', u."id")
    FROM unnest("concerned") AS u("id") WHERE octet_length(u."id") BETWEEN 1 AND 7999;
    RETURN NULL;
END"#;

/// What is there of them.
struct Present {
    has_function: bool,
    tables: Vec<String>,
}

impl Present {
    async fn read(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let tables = format!(
            "SELECT c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             WHERE t.tgname = '{NAME}' AND pg_table_is_visible(c.oid)"
        );
        let function = format!(
            "SELECT p.prosrc FROM pg_proc p WHERE p.proname = '{NAME}' AND pg_function_is_visible(p.oid)"
        );
        let text = async |sql: String| {
            let statement = Statement::from_string(db.get_database_backend(), sql);
            let rows = db.query_all_raw(statement).await?;
            let texts = rows.iter().map(|row| row.try_get_by_index(0));
            texts.collect::<Result<Vec<String>, _>>()
        };
        Ok(Self {
            has_function: text(function).await?.iter().any(|body| body == BODY),
            tables: text(tables).await?,
        })
    }

    fn is_on(&self, table: &str) -> bool {
        self.tables.iter().any(|present| present == table)
    }
}

/// What has to run for the announcements to be there. Writes nothing.
///
/// # Errors
/// On another database than PostgreSQL.
pub async fn plan(db: &impl ConnectionTrait) -> Result<Plan, DbErr> {
    check(db)?;
    let present = Present::read(db).await?;
    let mut statements = Vec::new();
    if !present.has_function {
        statements.push(format!(
            "CREATE OR REPLACE FUNCTION \"{NAME}\"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $${BODY}$$"
        ));
    }
    for (table, when, way) in TRIGGERS {
        if !present.is_on(table) {
            statements.push(format!(
                "CREATE TRIGGER \"{NAME}\" {when} ON \"{table}\" FOR EACH ROW EXECUTE FUNCTION \"{NAME}\"('{way}')"
            ));
        }
    }
    Ok(Plan {
        statements,
        notes: Vec::new(),
    })
}

/// What has to run for the announcements to be gone. Writes nothing.
///
/// # Errors
/// On another database than PostgreSQL.
pub async fn removal_plan(db: &impl ConnectionTrait) -> Result<Plan, DbErr> {
    check(db)?;
    let present = Present::read(db).await?;
    let drop_trigger = |table: &String| format!("DROP TRIGGER \"{NAME}\" ON \"{table}\"");
    let mut statements: Vec<_> = present.tables.iter().map(drop_trigger).collect();
    if present.has_function || !statements.is_empty() {
        statements.push(format!("DROP FUNCTION \"{NAME}\"()"));
    }
    Ok(Plan {
        statements,
        notes: Vec::new(),
    })
}

/// Adds what is missing of them, all or nothing. Returns the statements that were run.
///
/// # Errors
/// On another database than PostgreSQL, and when the tables are not there.
pub async fn add(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    check(db)?;
    let turn = turn::take(db).await?;
    let plan = plan(&turn).await?;
    plan.run(&turn).await?;
    turn.commit().await?;
    Ok(plan.statements)
}

/// Removes them, all or nothing. Returns the statements that were run.
///
/// # Errors
/// On another database than PostgreSQL.
pub async fn remove(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    check(db)?;
    let turn = turn::take(db).await?;
    let plan = removal_plan(&turn).await?;
    plan.run(&turn).await?;
    turn.commit().await?;
    Ok(plan.statements)
}

fn check(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    match Dialect::of(db)? {
        Dialect::Postgres => Ok(()),
        Dialect::Sqlite => Err(DbErr::Migration(
            "SQLite has no notifications; they need PostgreSQL".to_owned(),
        )),
    }
}
