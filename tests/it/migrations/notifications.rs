//! The triggers that announce changes: an operator's choice, which can be taken back.

use migration::notifications;
use sea_orm::DatabaseConnection;

use crate::support::{
    database::{Backend, Database},
    dump, process,
};

async fn triggers(db: &DatabaseConnection) -> Vec<String> {
    let query = "SELECT c.relname || ' ' || pg_get_triggerdef(t.oid) FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)
        UNION ALL
        SELECT p.proname FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
        ORDER BY 1";
    dump::strings(db, query).await
}

#[tokio::test]
async fn they_are_added_once_and_removed_without_a_trace() {
    let Some(database) = Database::migrated(Backend::Postgres).await else {
        return;
    };
    let db = database.connect().await;
    let before = dump::everything(&db, Backend::Postgres).await;
    assert_eq!(
        triggers(&db).await,
        [""; 0],
        "not unless they are asked for"
    );

    let plan = notifications::plan(&db).await.unwrap().statements;
    let added = notifications::add(&db).await.unwrap();
    let with = triggers(&db).await;
    let again = notifications::add(&db).await.unwrap();
    let tables = dump::everything(&db, Backend::Postgres).await;
    let removal = notifications::removal_plan(&db).await.unwrap().statements;
    let removed = notifications::remove(&db).await.unwrap();

    assert_eq!(added, plan);
    assert_eq!(with.len(), 9, "eight tables and a function: {with:#?}");
    assert_eq!(again, [""; 0]);
    assert_eq!(tables, before, "nothing but triggers");
    assert_eq!(removed, removal);
    assert_eq!(triggers(&db).await, [""; 0]);
    assert_eq!(dump::everything(&db, Backend::Postgres).await, before);
    assert_eq!(notifications::remove(&db).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn the_program_adds_and_removes_them() {
    let Some(database) = Database::empty(Backend::Postgres).await else {
        return;
    };
    let migrate = |arguments: &[&str]| {
        let arguments = [&["migrate"], arguments].concat();
        let mut program = process::program(&arguments);
        let (output, out, err) = process::run(program.env("DATABASE_URL", &database.url));
        assert!(output.status.success(), "{err}");
        out
    };
    let db = database.connect().await;

    let plan = migrate(&["up", "--with-notifications", "--dry-run"]);
    migrate(&["up", "--with-notifications"]);
    let with = triggers(&db).await;
    let again = migrate(&["up", "--with-notifications"]);
    let removal = migrate(&["remove-notifications", "--dry-run"]);
    let removed = migrate(&["remove-notifications"]);
    let removed_again = migrate(&["remove-notifications"]);

    assert!(plan.contains("CREATE TRIGGER"), "{plan}");
    assert_eq!(with.len(), 9, "{with:#?}");
    assert_eq!(again, "Nothing was missing.\n");
    assert!(removal.contains("DROP TRIGGER"), "{removal}");
    assert_eq!(removed, "Removed the notifications.\n");
    assert_eq!(removed_again, "There were none.\n");
    assert_eq!(triggers(&db).await, [""; 0]);
}

#[tokio::test]
async fn sqlite_has_none_and_says_so() {
    let database = Database::migrated(Backend::Sqlite).await.unwrap();
    let arguments = ["migrate", "up", "--with-notifications"];

    let mut program = process::program(&arguments);
    let (output, _, err) = process::run(program.env("DATABASE_URL", &database.url));

    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("they need PostgreSQL"), "{err}");
}
