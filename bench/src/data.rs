//! A database with many users in it, made once and kept.

use std::{path::Path, process::Command};

use rusqlite::Connection;
use tokio_postgres::{Client, NoTls};

use crate::{Options, Outcome};

/// Somebody who asks, and what they may save.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) session: String,
    pub(crate) page: String,
    pub(crate) personal_page: String,
}

/// How many people take part in the load.
const PEOPLE: u32 = 10_000;

/// The people of a database and the processes behind it.
pub(crate) struct Data {
    url: String,
    people: Vec<Person>,
    processes: Processes,
}

enum Processes {
    /// Those that serve this database.
    Postgres(String),
    /// The server's own.
    Sqlite,
}

impl Data {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn people(&self) -> Vec<Person> {
        self.people.clone()
    }

    /// Of the database that work for the servers now.
    pub(crate) fn processes(&self) -> Outcome<Vec<u32>> {
        match &self.processes {
            Processes::Sqlite => Ok(Vec::new()),
            Processes::Postgres(name) => process_ids(name),
        }
    }

    pub(crate) async fn postgres(server: &Path, options: &Options) -> Outcome<Self> {
        let name = format!("linkedin_targets_bench_{}_{}", options.users, options.pages);
        let mut url = options.database_url.clone();
        let found = connect(url.as_str())
            .await?
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
            .await?;
        if found.is_none() {
            let create = format!("CREATE DATABASE {name}");
            connect(url.as_str()).await?.batch_execute(&create).await?;
        }
        url.set_path(&name);
        let url = url.to_string();
        migrate(server, &url)?;
        let mut client = connect(&url).await?;
        if client.query_opt(IS_FILLED, &[]).await?.is_none() {
            let fill = client.transaction().await?;
            // The rows belong together by the way they are made: looking for each other's would take minutes.
            fill.batch_execute("SET LOCAL session_replication_role = replica")
                .await?;
            for statement in fill_with(&POSTGRES, options) {
                fill.batch_execute(&statement).await?;
            }
            fill.commit().await?;
            client.batch_execute("VACUUM ANALYZE").await?;
        }
        let rows = client.query(&people(options.users), &[]).await?;
        let person = |row: &tokio_postgres::Row| Person {
            session: row.get(0),
            page: row.get(1),
            personal_page: row.get(2),
        };
        Ok(Self {
            url,
            people: rows.iter().map(person).collect(),
            processes: Processes::Postgres(name),
        })
    }

    pub(crate) fn sqlite(server: &Path, options: &Options) -> Outcome<Self> {
        let folder = std::env::temp_dir();
        let file = folder.join(format!(
            "linkedin-targets-bench-{}-{}.db",
            options.users, options.pages
        ));
        let url = format!("sqlite://{}", file.display());
        migrate(server, &url)?;
        let mut db = Connection::open(&file)?;
        if db.prepare(IS_FILLED)?.query([])?.next()?.is_none() {
            let fill = db.transaction()?;
            for statement in fill_with(&SQLITE, options) {
                fill.execute_batch(&statement)?;
            }
            fill.commit()?;
            db.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        let mut query = db.prepare(&people(options.users))?;
        let people = query.query_map([], |row| {
            Ok(Person {
                session: row.get(0)?,
                page: row.get(1)?,
                personal_page: row.get(2)?,
            })
        })?;
        Ok(Self {
            url,
            people: people.collect::<Result<_, _>>()?,
            processes: Processes::Sqlite,
        })
    }
}

async fn connect(url: &str) -> Outcome<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // When it ends, whoever uses the client is told.
    tokio::spawn(connection);
    Ok(client)
}

fn migrate(server: &Path, url: &str) -> Outcome<()> {
    let migrated = Command::new(server)
        .args(["migrate", "up"])
        .env("DATABASE_URL", url)
        .status()?;
    if migrated.success() {
        Ok(())
    } else {
        Err("the database cannot be migrated".into())
    }
}

/// By what PostgreSQL's processes call themselves; none when it runs elsewhere.
fn process_ids(database: &str) -> Outcome<Vec<u32>> {
    let serves = |id: &u32| {
        let title = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let title = String::from_utf8_lossy(&title).into_owned();
        title.starts_with("postgres:") && title.split(' ').any(|word| word == database)
    };
    let names = std::fs::read_dir("/proc")?
        .flatten()
        .map(|entry| entry.file_name());
    let ids = names.filter_map(|name| name.to_str()?.parse().ok());
    Ok(ids.filter(serves).collect())
}

const IS_FILLED: &str = "SELECT 1 FROM users LIMIT 1";

/// Some people spread over all of them, in an order that is none in any table.
fn people(users: u32) -> String {
    let step = (users / PEOPLE).max(1);
    format!(
        r#"SELECT s."id", MIN(a."pageId"), MIN(p."id")
        FROM (SELECT * FROM "sessions" ORDER BY "id" LIMIT {}) s
        JOIN "org_linkedin_page_assignments" a ON a."userId" = s."userId"
        JOIN "linked_identities" i ON i."userId" = s."userId"
        JOIN "linkedin_personal_pages" p ON p."identityId" = i."id"
        GROUP BY s."id" ORDER BY MIN(a."pageId"), s."id" LIMIT {PEOPLE}"#,
        u64::from(PEOPLE) * u64::from(step)
    )
}

/// How a database writes what the two write differently.
struct Dialect {
    /// Numbers from 0, `n` of `s`.
    series: fn(u32) -> String,
    /// Digits of a number in base 16, at least so many.
    hex: fn(&str, u32) -> String,
    time: fn(&str) -> String,
    json: fn(&str) -> String,
}

const POSTGRES: Dialect = Dialect {
    series: |count| format!("generate_series(0::bigint, {count} - 1) AS s(n)"),
    hex: |number, digits| format!("lpad(to_hex({number}), {digits}, '0')"),
    time: |text| format!("TIMESTAMP '{text}'"),
    json: |text| format!("'{text}'::jsonb"),
};

const SQLITE: Dialect = Dialect {
    series: |count| {
        format!(
            "(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n + 1 < {count}) SELECT n FROM c) AS s"
        )
    },
    hex: |number, digits| format!("printf('%0{digits}x', {number})"),
    time: |text| format!("'{text}'"),
    json: |text| format!("'{text}'"),
};

/// Every user has a session, a connection, two pages of organizations and some of their own, and half of them have
/// saved preferences. Ids are as scattered as random ones.
fn fill_with(dialect: &Dialect, options: &Options) -> Vec<String> {
    let Dialect {
        series,
        hex,
        time,
        json,
    } = dialect;
    let users = options.users;
    let (organizations, shared) = (users.div_ceil(20), users.div_ceil(20) * 2);
    let id = |kind: u32, number: &str| {
        let scattered = format!(
            "(({number}) * 2654435761 + {}) % 4294967296",
            u64::from(kind) * 805_459_861
        );
        let counted = format!("({number}) * 64 + {kind}");
        format!(
            "{} || '-0000-4000-8000-' || {}",
            hex(&scattered, 8),
            hex(&counted, 12)
        )
    };
    let user = id(0, "n");
    let (made, ends) = (
        time("2026-01-01 00:00:00.000"),
        time("2100-01-01 00:00:00.000"),
    );
    let data = json(
        r#"{"access_token": "not a token", "expires_at": "2100-01-01T00:00:00.000Z", "scope": "openid profile email w_member_social rw_organization_admin w_organization_social"}"#,
    );
    let all = series(users);
    let mut statements = vec![
        format!(
            r#"INSERT INTO "users" ("id", "email", "username", "passwordHash", "displayName", "updatedAt")
            SELECT {user}, 'user' || n || '@example.com', 'user' || n, 'not a hash', 'User ' || n, {made} FROM {all}"#
        ),
        format!(
            r#"INSERT INTO "sessions" ("id", "userId", "expiresAt") SELECT {}, {user}, {ends} FROM {all}"#,
            id(1, "n")
        ),
        format!(
            r#"INSERT INTO "linked_identities" ("id", "userId", "provider", "providerUserId", "providerUsername", "providerData", "avatarUrl")
            SELECT {}, {user}, 'linkedin', 'member' || n, 'Member ' || n, {data}, 'https://media.licdn.com/' || n || '.png' FROM {all}"#,
            id(2, "n")
        ),
        format!(
            r#"INSERT INTO "organizations" ("id", "name", "slug", "updatedAt")
            SELECT {}, 'Organization ' || n, 'organization-' || n, {made} FROM {}"#,
            id(3, "n"),
            series(organizations)
        ),
        format!(
            r#"INSERT INTO "org_linkedin_credentials" ("id", "organizationId", "connectedByUserId", "providerUserId", "accessToken", "expiresAt")
            SELECT {}, {}, {user}, 'member' || n, 'not a token', {ends} FROM {}"#,
            id(4, "n"),
            id(3, "n"),
            series(organizations)
        ),
        format!(
            r#"INSERT INTO "org_linkedin_pages" ("id", "credentialId", "linkedInPageId", "pageName", "pageLogoUrl")
            SELECT {}, {}, 'shared' || n, 'Shared page ' || n, 'https://media.licdn.com/shared/' || n || '.png' FROM {}"#,
            id(5, "n"),
            id(4, "n / 2"),
            series(shared)
        ),
    ];
    // Never the same page twice: the number of pages is even, and 6n + 1 is not.
    for (kind, page) in [
        (6, format!("n % {shared}")),
        (7, format!("(7 * n + 1) % {shared}")),
    ] {
        statements.push(format!(
            r#"INSERT INTO "org_linkedin_page_assignments" ("id", "pageId", "userId", "assignedByUserId")
            SELECT {}, {}, {user}, {user} FROM {all}"#,
            id(kind, "n"),
            id(5, &page)
        ));
    }
    let pages = options.pages;
    statements.push(format!(
        r#"INSERT INTO "linkedin_personal_pages" ("id", "identityId", "linkedInPageId", "pageName", "lastSyncedAt")
        SELECT {}, {}, 'own' || n, 'Own page ' || n, {made} FROM {}"#,
        id(8, "n"),
        id(2, &format!("n / {pages}")),
        series(users * pages)
    ));
    let preferences = [
        (9, "personal", "NULL".to_owned(), "NULL".to_owned()),
        (
            10,
            "orgPage",
            id(5, &format!("(2 * n) % {shared}")),
            "NULL".to_owned(),
        ),
        (
            11,
            "personalPage",
            "NULL".to_owned(),
            id(8, &format!("2 * n * {pages}")),
        ),
    ];
    for (kind, name, page, personal_page) in preferences {
        statements.push(format!(
            r#"INSERT INTO "linkedin_posting_target_preferences" ("id", "userId", "kind", "pageId", "personalPageId")
            SELECT {}, {}, '{name}', {page}, {personal_page} FROM {}"#,
            id(kind, "n"),
            id(0, "2 * n"),
            series(users / 2)
        ));
    }
    statements
}
