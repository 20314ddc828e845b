//! What the migration makes of a database: an empty one, the web application's, and those in between.

mod expected;
mod interlinedlist;
mod notifications;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{NaiveDate, NaiveDateTime};
use migration::{Migrator, sea_orm_migration::MigratorTrait};
use rstest::rstest;
use sea_orm::{
    ConnectionTrait, Database as Connect, DatabaseConnection, QueryResult, Statement, Value,
};

use crate::support::{
    database::{Backend, Database},
    dump,
};

#[rstest]
#[tokio::test]
async fn an_empty_database_gets_every_table(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;

    migration::up(&db).await.unwrap();

    assert_eq!(expected::tables(&db, on).await, expected::TABLES);
    assert_eq!(migration::missing(&db).await.unwrap(), [""; 0]);
}

#[rstest]
#[tokio::test]
async fn running_twice_changes_nothing(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;
    migration::up(&db).await.unwrap();
    let before = dump::everything(&db, on).await;

    let statements = migration::up(&db).await.unwrap();

    assert_eq!(statements, [""; 0]);
    assert_eq!(dump::everything(&db, on).await, before);
    assert_eq!(
        migration::plan(&db).await.unwrap(),
        migration::Plan::default()
    );
}

#[rstest]
#[tokio::test]
async fn an_interlinedlist_database_is_adopted_as_it_is(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;
    interlinedlist::make(&db, on).await;
    let before = dump::everything(&db, on).await;
    assert_eq!(
        migration::missing(&db).await.unwrap(),
        [r#"table "linkedin_page_syncs""#]
    );

    let plan = migration::plan(&db).await.unwrap();
    let statements = migration::up(&db).await.unwrap();

    assert_eq!(plan.notes, [""; 0]);
    assert_eq!(statements, plan.statements);
    assert_eq!(shared(&statements), [""; 0]);
    assert_eq!(dump::everything_shared(&db, on).await, before);
    assert_eq!(migration::missing(&db).await.unwrap(), [""; 0]);
    assert!(is_applied(&db).await);
}

#[rstest]
#[tokio::test]
async fn an_interlinedlist_database_gets_only_what_it_lacks(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;
    interlinedlist::make(&db, on).await;
    let lose = r#"
        DROP TABLE "linkedin_posting_target_preferences";
        DROP TABLE "sync_tokens";
        DROP INDEX "sessions_expiresAt_idx";
        DROP INDEX "org_linkedin_pages_credentialId_idx";
        CREATE INDEX "under another name" ON "org_linkedin_pages" ("credentialId");
        DROP INDEX "linked_identities_provider_providerUserId_idx";
        CREATE INDEX "in another order" ON "linked_identities" ("providerUserId", "provider")"#;
    interlinedlist::run(&db, on, lose).await;
    let before = dump::everything(&db, on).await;

    let statements = migration::up(&db).await.unwrap();

    let summaries: Vec<_> = shared(&statements)
        .into_iter()
        .map(|statement| statement.lines().next().unwrap())
        .collect();
    assert_eq!(
        summaries,
        [
            r#"CREATE INDEX "sessions_expiresAt_idx" ON "sessions" ("expiresAt")"#,
            r#"CREATE TABLE "sync_tokens" ("#,
            r#"CREATE UNIQUE INDEX "sync_tokens_tokenHash_key" ON "sync_tokens" ("tokenHash")"#,
            r#"CREATE INDEX "linked_identities_provider_providerUserId_idx" ON "linked_identities" ("provider", "providerUserId")"#,
            r#"CREATE TABLE "linkedin_posting_target_preferences" ("#,
            r#"CREATE UNIQUE INDEX "linkedin_posting_target_preferences_userId_kind_pageId_key" ON "linkedin_posting_target_preferences" ("userId", "kind", "pageId")"#,
            r#"CREATE UNIQUE INDEX "linkedin_posting_target_preferences_userId_kind_personalPag_key" ON "linkedin_posting_target_preferences" ("userId", "kind", "personalPageId")"#,
            r#"CREATE INDEX "linkedin_posting_target_preferences_userId_idx" ON "linkedin_posting_target_preferences" ("userId")"#,
            r#"CREATE INDEX "linkedin_posting_target_preferences_pageId_idx" ON "linkedin_posting_target_preferences" ("pageId")"#,
            r#"CREATE INDEX "linkedin_posting_target_preferences_personalPageId_idx" ON "linkedin_posting_target_preferences" ("personalPageId")"#,
        ]
    );
    let mut after = dump::everything_shared(&db, on).await;
    after.retain(|line| {
        ![
            "linkedin_posting_target_preferences",
            "sync_tokens",
            "sessions_expiresAt_idx",
            "linked_identities_provider_providerUserId_idx",
        ]
        .iter()
        .any(|new| line.contains(new))
    });
    assert_eq!(after, before);
    assert_eq!(migration::up(&db).await.unwrap(), [""; 0]);
}

#[rstest]
#[tokio::test]
async fn what_would_tighten_a_table_is_only_noted(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;
    interlinedlist::make(&db, on).await;
    let differ = r#"
        DROP INDEX "organizations_slug_key";
        DROP INDEX "users_email_key";
        CREATE UNIQUE INDEX "users_email_key" ON "users" ("email") WHERE "emailVerified";
        DROP INDEX "sessions_userId_idx";
        CREATE INDEX "sessions_userId_idx" ON "sessions" ("userId") WHERE "createdAt" IS NOT NULL;
        ALTER TABLE "linkedin_personal_pages" DROP COLUMN "removedAt";
        DROP TABLE "linkedin_posting_target_preferences";
        CREATE TABLE "linkedin_posting_target_preferences" (
            "id" TEXT NOT NULL PRIMARY KEY,
            "userId" TEXT,
            "kind" VARCHAR(20) NOT NULL,
            "pageId" TEXT NOT NULL,
            "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY ("userId") REFERENCES "users" ("id") ON DELETE RESTRICT
        );
        CREATE INDEX "a" ON "linkedin_posting_target_preferences" ("userId");
        CREATE INDEX "b" ON "linkedin_posting_target_preferences" ("pageId");
        CREATE UNIQUE INDEX "c" ON "linkedin_posting_target_preferences" ("pageId", "userId", "kind")"#;
    interlinedlist::run(&db, on, differ).await;
    let before = dump::everything(&db, on).await;

    let plan = migration::plan(&db).await.unwrap();
    let statements = migration::up(&db).await.unwrap();

    assert_eq!(shared(&statements), [""; 0]);
    assert_eq!(dump::everything_shared(&db, on).await, before);
    let time = match on {
        Backend::Postgres => "timestamp(3) without time zone",
        Backend::Sqlite => "timestamp_text",
    };
    let varchar = match on {
        Backend::Postgres => "character varying(20)",
        Backend::Sqlite => "VARCHAR(20)",
    };
    assert_eq!(
        plan.notes.iter().map(|note| note.to_lowercase()).collect::<Vec<_>>(),
        [
            r#"The table "users" does not keep ("email") unique."#,
            r#"The table "sessions" has an index "sessions_userId_idx" that is not one on all rows by ("userId")."#,
            &format!(r#"The table "linkedin_personal_pages" has no column "removedAt" ({time})."#),
            r#"The table "organizations" does not keep ("slug") unique."#,
            r#"The table "linkedin_posting_target_preferences" allows NULL in "userId"."#,
            r#"The table "linkedin_posting_target_preferences" has no foreign key from "userId" to "users" with ON DELETE CASCADE."#,
            &format!(r#"The table "linkedin_posting_target_preferences" has "kind" as {varchar}, not as text."#),
            r#"The table "linkedin_posting_target_preferences" does not allow NULL in "pageId"."#,
            r#"The table "linkedin_posting_target_preferences" has no foreign key from "pageId" to "org_linkedin_pages" with ON DELETE CASCADE."#,
            r#"The table "linkedin_posting_target_preferences" has no column "personalPageId" (text)."#,
            r#"The table "linkedin_posting_target_preferences" does not keep ("userId", "kind", "personalPageId") unique."#,
            r#"The table "linkedin_posting_target_preferences" cannot have an index on ("personalPageId")."#,
        ]
        .map(str::to_lowercase)
    );
}

#[rstest]
#[tokio::test]
async fn a_view_in_the_place_of_a_table_is_left_alone(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;
    interlinedlist::make(&db, on).await;
    let replace = r#"
        ALTER TABLE "sessions" RENAME TO "all_sessions";
        CREATE VIEW "sessions" AS SELECT * FROM "all_sessions""#;
    interlinedlist::run(&db, on, replace).await;
    let before = dump::everything(&db, on).await;

    let statements = migration::up(&db).await.unwrap();

    assert_eq!(shared(&statements), [""; 0]);
    assert_eq!(dump::everything_shared(&db, on).await, before);
    assert_eq!(migration::missing(&db).await.unwrap(), [""; 0]);
}

#[rstest]
#[tokio::test]
async fn going_down_drops_nothing(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    add_user(&db, "u1").await;
    let before = dump::everything_shared(&db, on).await;

    Migrator::down(&db, None).await.unwrap();

    assert_eq!(dump::everything_shared(&db, on).await, before);
    assert!(!is_applied(&db).await);

    assert_eq!(migration::up(&db).await.unwrap(), [""; 0]);
    assert!(is_applied(&db).await);
}

#[rstest]
#[tokio::test]
async fn starting_afresh_is_refused(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    let before = dump::everything(&db, on).await;

    Migrator::fresh(&db).await.unwrap_err();

    assert_eq!(dump::everything(&db, on).await, before);
}

#[rstest]
#[tokio::test]
async fn the_plan_writes_nothing_and_is_what_is_run(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;
    interlinedlist::make(&db, on).await;
    let lose = r#"DROP TABLE "org_linkedin_page_assignments"; DROP INDEX "sessions_userId_idx""#;
    interlinedlist::run(&db, on, lose).await;
    let before = dump::everything(&db, on).await;

    let plan = migration::plan(&db).await.unwrap();
    let applied = is_applied(&db).await;
    let missing = migration::missing(&db).await.unwrap();

    assert_eq!(dump::everything(&db, on).await, before);
    assert_eq!(shared(&plan.statements).len(), 5);
    assert!(!applied);
    assert_eq!(
        missing,
        [
            r#"table "linkedin_page_syncs""#,
            r#"table "org_linkedin_page_assignments""#
        ]
    );
    assert_eq!(migration::up(&db).await.unwrap(), plan.statements);
}

#[rstest]
#[tokio::test]
async fn what_goes_missing_later_comes_back(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    interlinedlist::run(&db, on, r#"DROP TABLE "sync_tokens""#).await;

    let plan = migration::plan(&db).await.unwrap();
    let statements = migration::up(&db).await.unwrap();

    assert_eq!(statements, plan.statements);
    assert_eq!(expected::tables(&db, on).await, expected::TABLES);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_at_once_take_turns(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let mut servers = Vec::new();
    for _ in 0..4 {
        servers.push(database.connect().await);
    }

    let starts: Vec<_> = servers
        .iter()
        .cloned()
        .map(|db| tokio::spawn(async move { migration::up(&db).await }))
        .collect();
    let mut ran = Vec::new();
    for start in starts {
        ran.push(start.await.unwrap().unwrap());
    }

    assert_eq!(
        ran.iter()
            .filter(|statements| !statements.is_empty())
            .count(),
        1,
        "{ran:#?}"
    );
    assert_eq!(expected::tables(&servers[0], on).await, expected::TABLES);
}

#[rstest]
#[tokio::test]
async fn all_that_is_missing_is_named(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;

    let missing = migration::missing(&db).await.unwrap();

    assert_eq!(
        missing,
        [
            r#"table "users""#,
            r#"table "sessions""#,
            r#"table "sync_tokens""#,
            r#"table "linked_identities""#,
            r#"table "linkedin_personal_pages""#,
            r#"table "linkedin_page_syncs""#,
            r#"table "organizations""#,
            r#"table "org_linkedin_credentials""#,
            r#"table "org_linkedin_pages""#,
            r#"table "org_linkedin_page_assignments""#,
            r#"table "linkedin_posting_target_preferences""#,
        ]
    );

    migration::up(&db).await.unwrap();
    let lose = r#"
        DROP TABLE "sync_tokens";
        ALTER TABLE "linkedin_personal_pages" DROP COLUMN "removedAt";
        ALTER TABLE "users" RENAME COLUMN "displayName" TO "display_name""#;
    interlinedlist::run(&db, on, lose).await;

    let missing = migration::missing(&db).await.unwrap();

    assert_eq!(
        missing,
        [
            r#"column "users"."displayName""#,
            r#"table "sync_tokens""#,
            r#"column "linkedin_personal_pages"."removedAt""#,
        ]
    );
}

#[rstest]
#[tokio::test]
async fn asking_for_what_is_missing_takes_one_statement(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let mut db = database.connect().await;
    let statements = Arc::new(AtomicUsize::new(0));
    let count = statements.clone();
    db.set_metric_callback(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });

    migration::missing(&db).await.unwrap();

    assert_eq!(statements.load(Ordering::SeqCst), 1);
}

#[rstest]
#[tokio::test]
async fn rows_go_and_stay_with_what_they_refer_to(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    add_user(&db, "u1").await;
    add_user(&db, "u2").await;
    let rows = r#"
        INSERT INTO "sessions" ("id", "userId", "expiresAt") VALUES ('s1', 'u1', '2099-01-01 00:00:00.000');
        INSERT INTO "organizations" ("id", "name", "slug", "updatedAt") VALUES ('o1', 'Acme', 'acme', '2026-01-01 00:00:00.000');
        INSERT INTO "org_linkedin_credentials" ("id", "organizationId", "connectedByUserId", "providerUserId", "accessToken")
            VALUES ('c1', 'o1', 'u2', 'abc', 'secret');
        INSERT INTO "linkedin_posting_target_preferences" ("id", "userId", "kind") VALUES ('f1', 'u2', 'personal'), ('f2', 'u2', 'personal')"#;
    db.execute_unprepared(rows).await.unwrap();

    db.execute_unprepared(r#"DELETE FROM "users" WHERE "id" = 'u1'"#)
        .await
        .unwrap();
    let refused = db
        .execute_unprepared(r#"DELETE FROM "users" WHERE "id" = 'u2'"#)
        .await;

    refused.unwrap_err();
    assert_eq!(count(&db, "sessions").await, 0);
    assert_eq!(count(&db, "users").await, 1);
}

#[rstest]
#[tokio::test]
async fn times_compare_alike_whoever_wrote_them(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    let long_ago = NaiveDate::from_ymd_opt(2020, 1, 1)
        .unwrap()
        .and_hms_milli_opt(9, 8, 7, 6)
        .unwrap();
    let insert = Statement::from_sql_and_values(
        db.get_database_backend(),
        r#"INSERT INTO "users" ("id", "email", "username", "passwordHash", "updatedAt") VALUES ('u1', '', '', '', $1)"#,
        [Value::from(long_ago)],
    );
    db.execute_raw(insert).await.unwrap();

    let row = one(
        &db,
        r#"SELECT "createdAt", "updatedAt", "updatedAt" < "createdAt" AS "ordered" FROM "users""#,
    )
    .await;

    let made: NaiveDateTime = row.try_get("", "createdAt").unwrap();
    assert!(made > long_ago);
    assert_eq!(
        row.try_get::<NaiveDateTime>("", "updatedAt").unwrap(),
        long_ago
    );
    assert!(row.try_get::<bool>("", "ordered").unwrap());
    if on == Backend::Sqlite {
        let row = one(&db, r#"SELECT CAST("createdAt" AS text) AS "made", CAST("updatedAt" AS text) AS "given" FROM "users""#).await;
        assert_eq!(
            row.try_get::<String>("", "given").unwrap(),
            "2020-01-01 09:08:07.006"
        );
        assert_eq!(
            row.try_get::<String>("", "made").unwrap(),
            made.format("%F %T%.3f").to_string()
        );
    }
}

#[rstest]
#[tokio::test]
async fn numbers_in_disguise_stay_text(#[values(Backend::Sqlite)] on: Backend) {
    let Some(database) = Database::migrated(on).await else {
        return;
    };
    let db = database.connect().await;
    let insert = r#"INSERT INTO "organizations" ("id", "name", "slug", "settings", "updatedAt") VALUES ('1', '007', '1e3', '1.0', '2026')"#;
    db.execute_unprepared(insert).await.unwrap();

    let types = r#"SELECT typeof("id") || typeof("name") || typeof("slug") || typeof("settings") || typeof("updatedAt") AS "types" FROM "organizations""#;

    assert_eq!(
        one(&db, types)
            .await
            .try_get::<String>("", "types")
            .unwrap(),
        "texttexttexttexttext"
    );
}

#[tokio::test]
async fn tables_anywhere_in_the_search_path_are_found() {
    let Some(first) = Database::empty(Backend::Postgres).await else {
        return;
    };
    let Some(second) = Database::migrated(Backend::Postgres).await else {
        return;
    };
    let (_, schema) = second.url.rsplit_once("%3D").unwrap();
    let db = Connect::connect(format!("{},{schema}", first.url))
        .await
        .unwrap();

    assert_eq!(migration::missing(&db).await.unwrap(), [""; 0]);
    assert_eq!(
        migration::plan(&db).await.unwrap(),
        migration::Plan::default()
    );

    let alone = first.connect().await;
    assert_eq!(migration::missing(&alone).await.unwrap().len(), 11);
}

#[tokio::test]
async fn who_may_not_create_tables_is_told_so_and_may_still_ask() {
    let Some(database) = Database::empty(Backend::Postgres).await else {
        return;
    };
    let db = Connect::connect(format!("{}%20-c%20role%3Dpg_read_all_data", database.url))
        .await
        .unwrap();
    let before = dump::everything(&db, Backend::Postgres).await;

    assert_eq!(migration::plan(&db).await.unwrap().statements.len(), 36);
    assert_eq!(migration::missing(&db).await.unwrap().len(), 11);
    assert!(!is_applied(&db).await);
    let error = migration::up(&db).await.unwrap_err().to_string();

    assert!(error.contains(r#"CREATE TABLE "users" failed"#), "{error}");
    assert!(error.contains("permission denied for schema"), "{error}");
    assert_eq!(dump::everything(&db, Backend::Postgres).await, before);
}

#[rstest]
#[tokio::test]
async fn a_failure_leaves_no_half_of_it(#[values(Backend::Sqlite, Backend::Postgres)] on: Backend) {
    let Some(database) = Database::empty(on).await else {
        return;
    };
    let db = database.connect().await;
    // In the way of the last but one table.
    let obstacle = r#"CREATE TABLE "other" ("x" TEXT); CREATE INDEX "org_linkedin_page_assignments_userId_idx" ON "other" ("x")"#;
    interlinedlist::run(&db, on, obstacle).await;
    let before = dump::everything(&db, on).await;

    let error = migration::up(&db).await.unwrap_err().to_string();

    assert!(error.contains(r#"CREATE INDEX "org_linkedin_page_assignments_userId_idx" ON "org_linkedin_page_assignments" failed"#), "{error}");
    assert_eq!(dump::everything(&db, on).await, before);
}

/// The statements about InterlinedList's tables: the server's own table is never there before.
fn shared(statements: &[String]) -> Vec<&str> {
    statements
        .iter()
        .map(String::as_str)
        .filter(|statement| !statement.contains("linkedin_page_syncs"))
        .collect()
}

async fn is_applied(db: &DatabaseConnection) -> bool {
    let status = migration::status(db).await.unwrap();
    assert_eq!(status.len(), 1);
    status[0].applied
}

async fn add_user(db: &DatabaseConnection, id: &str) {
    let insert = format!(
        r#"INSERT INTO "users" ("id", "email", "username", "passwordHash", "updatedAt")
           VALUES ('{id}', '{id}@example.com', '{id}', '', '2026-01-01 00:00:00.000')"#
    );
    db.execute_unprepared(&insert).await.unwrap();
}

async fn count(db: &DatabaseConnection, table: &str) -> i64 {
    one(db, &format!(r#"SELECT count(*) AS "rows" FROM "{table}""#))
        .await
        .try_get("", "rows")
        .unwrap()
}

async fn one(db: &DatabaseConnection, query: &str) -> QueryResult {
    let statement = Statement::from_string(db.get_database_backend(), query);
    db.query_one_raw(statement).await.unwrap().unwrap()
}
