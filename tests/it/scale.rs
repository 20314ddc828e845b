//! What a request costs does not depend on how many other people there are.

use std::{collections::BTreeSet, time::Duration};

use linkedin_targets::{
    demo::World,
    storage::{self, Pool},
};
use reqwest::Method;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use serde_json::json;

use crate::support::{
    app::{Ask, TestApp},
    database::{Backend, Database},
    member::{meanwhile, settled, sync},
    queue::Queue,
};

#[rstest]
#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index(
    #[values(Backend::Sqlite, Backend::Postgres)] on: Backend,
) {
    let Some(app) = TestApp::new(on).await else {
        return;
    };
    fill(&app.db).await;
    let ada = app.person("ada").await;
    settled(&app, &ada).await;
    app.linkedin.world(meanwhile);
    share_a_page(&app.world(), &ada.id).await;
    app.take_statements();

    let targets = app.get("/api/linkedin/targets", &ada).await.json();
    let entry = &targets["targets"][1];
    let selection = json!({ "targets": [entry] });
    app.put("/api/linkedin/posting-targets", &ada, &selection)
        .await;
    sync(&app, &ada).await;
    let query = "{
        linkedInTargets { ... on OrgPage { organization { id name } } }
        linkedInConnection { status lastSync { at } }
        unavailableLinkedInTargets { id reason }
    }";
    app.gql(&ada, query).await.data();
    let by_token = || {
        app.request(Method::GET, "/api/linkedin/targets")
            .bearer_auth("token")
    };
    by_token().reply().await;
    by_token().by(&ada).reply().await;
    // One goes ahead, another may follow alone, and those who are left go together.
    let mut queue = Queue::form(&app).await;
    for _ in 0..4 {
        let by_session = app.request(Method::GET, "/api/linkedin/targets").by(&ada);
        queue.join(&app, by_session).await;
    }
    queue.serve().await;

    let statements: BTreeSet<_> = app.take_statements().into_iter().collect();
    assert!(statements.len() > 10, "{statements:#?}");
    let mut scans = Vec::new();
    for statement in &statements {
        for step in plan(&app.db, on, statement).await {
            if is_scan(on, &step) {
                scans.push((step, statement));
            }
        }
    }
    assert!(scans.is_empty(), "{scans:#?}");
}

#[tokio::test]
async fn postgres_plans_a_statement_once_and_without_bitmaps() {
    let Some(database) = Database::migrated(Backend::Postgres).await else {
        return;
    };
    let pool = Pool {
        max_connections: 1,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
        create: false,
    };
    let db = storage::connect(&database.url.clone().into(), &pool).await;
    let db = db.unwrap();

    let sql = "SELECT current_setting('plan_cache_mode'), current_setting('enable_bitmapscan')";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql));
    let row = row.await.unwrap().unwrap();

    let settings: [String; 2] = [0, 1].map(|index| row.try_get_by_index(index).unwrap());
    assert_eq!(settings, ["force_generic_plan", "off"]);
    db.close().await.unwrap();
}

/// A page of an organization's, assigned to somebody.
async fn share_a_page(world: &World<'_, DatabaseConnection>, user_id: &str) {
    let credential = world.organization("Acme", user_id).await.unwrap();
    let page = world.org_page(&credential, "1", "Shared").await.unwrap();
    world.assign(&page, user_id).await.unwrap();
}

/// As the database would run it, whatever the values: one step a line.
async fn plan(db: &DatabaseConnection, on: Backend, statement: &str) -> Vec<String> {
    let backend = db.get_database_backend();
    let transaction = db.begin().await.unwrap();
    let (explain, column) = match on {
        Backend::Sqlite => (format!("EXPLAIN QUERY PLAN {statement}"), "detail"),
        Backend::Postgres => {
            let prepare = format!(
                "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE explained AS {statement}"
            );
            transaction.execute_unprepared(&prepare).await.unwrap();
            let count = (1..).find(|number| !statement.contains(&format!("${number}")));
            let values = vec!["NULL"; count.unwrap() - 1].join(", ");
            let values = (!values.is_empty()).then(|| format!("({values})"));
            let explain = format!("EXPLAIN EXECUTE explained{}", values.unwrap_or_default());
            (explain, "QUERY PLAN")
        }
    };
    let rows = transaction.query_all_raw(Statement::from_string(backend, explain));
    let steps = rows.await.unwrap();
    let steps = steps.iter().map(|row| row.try_get("", column).unwrap());
    let steps = steps.collect();
    if on == Backend::Postgres {
        let forget = transaction.execute_unprepared("DEALLOCATE explained");
        forget.await.unwrap();
    }
    transaction.rollback().await.unwrap();
    steps
}

/// What statements make themselves, and so can only be read from end to end.
const DERIVED: [&str; 10] = [
    "viewer",
    "v",
    "live",
    "ranked",
    "proven",
    "proof",
    "found",
    "json_each",
    "CONSTANT",
    "(subquery",
];

fn is_scan(on: Backend, step: &str) -> bool {
    match on {
        Backend::Sqlite => {
            // These are made from a whole table, for the one statement.
            let is_made = step.contains("AUTOMATIC") || step.starts_with("BLOOM FILTER");
            let is_read_whole = step.strip_prefix("SCAN ").is_some_and(|read| {
                let read = read.split([' ', '-']).next().unwrap();
                !DERIVED.contains(&read)
            });
            is_made || is_read_whole
        }
        Backend::Postgres => step.contains("Seq Scan"),
    }
}

/// Many people in every table.
async fn fill(db: &DatabaseConnection) {
    const TABLES: [(&str, &str, &str); 11] = [
        (
            "users",
            r#""id", "email", "username", "passwordHash", "updatedAt""#,
            "'user' || n, 'mail' || n, 'name' || n, '', CURRENT_TIMESTAMP",
        ),
        (
            "sessions",
            r#""id", "userId", "expiresAt""#,
            "'session' || n, 'user' || n, CURRENT_TIMESTAMP",
        ),
        (
            "sync_tokens",
            r#""id", "userId", "tokenHash""#,
            "'token' || n, 'user' || n, 'hash' || n",
        ),
        (
            "linked_identities",
            r#""id", "userId", "provider", "providerUserId""#,
            "'identity' || n, 'user' || n, 'linkedin', 'member' || n",
        ),
        (
            "linkedin_personal_pages",
            r#""id", "identityId", "linkedInPageId", "pageName""#,
            "'page' || n, 'identity' || n, 'number' || n, 'Page'",
        ),
        (
            "linkedin_page_syncs",
            r#""id", "identityId", "tokenHash", "startedAt""#,
            "'sync' || n, 'identity' || n, '', CURRENT_TIMESTAMP",
        ),
        (
            "organizations",
            r#""id", "name", "slug", "updatedAt""#,
            "'organization' || n, 'Name' || n, 'slug' || n, CURRENT_TIMESTAMP",
        ),
        (
            "org_linkedin_credentials",
            r#""id", "organizationId", "connectedByUserId", "providerUserId", "accessToken""#,
            "'credential' || n, 'organization' || n, 'user' || n, '', ''",
        ),
        (
            "org_linkedin_pages",
            r#""id", "credentialId", "linkedInPageId", "pageName""#,
            "'shared' || n, 'credential' || n, 'number' || n, 'Page'",
        ),
        (
            "org_linkedin_page_assignments",
            r#""id", "pageId", "userId", "assignedByUserId""#,
            "'assignment' || n, 'shared' || n, 'user' || n, 'user' || n",
        ),
        (
            "linkedin_posting_target_preferences",
            r#""id", "userId", "kind", "pageId""#,
            "'preference' || n, 'user' || n, 'orgPage', 'shared' || n",
        ),
    ];
    for (table, columns, values) in TABLES {
        let insert = format!(
            r#"INSERT INTO "{table}" ({columns})
            WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) SELECT {values} FROM s"#
        );
        db.execute_unprepared(&insert).await.unwrap();
    }
    db.execute_unprepared("ANALYZE").await.unwrap();
}
