//! The servers to compare with: the *ceiling* does what nobody can leave out, with its statements prepared and its
//! JSON made by hand, and nothing else; the *floor* answers a constant.

use std::{cell::RefCell, fmt::Write, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, HeaderValue,
        header::{CONTENT_TYPE, COOKIE},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::DateTime;
use clap::Subcommand;
use deadpool_postgres::{Manager, Pool};
use rusqlite::{Connection, TransactionBehavior};
use serde_json::Value;
use tokio_postgres::{NoTls, Row};

use crate::Outcome;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Bare {
    /// The same answers as this server's, with the least effort.
    Ceiling { database_url: String },
    /// Always the answer that comes over standard input.
    Floor,
}

/// As many connections as this server has by default.
const CONNECTIONS: usize = 10;

/// Prints the address, and serves for ever.
pub(crate) async fn bare(server: Bare) -> Outcome<()> {
    let routes = match server {
        Bare::Floor => {
            let answer = Bytes::from(std::io::read_to_string(std::io::stdin())?);
            Router::new().fallback(async || json(answer))
        }
        Bare::Ceiling { database_url } => Router::new()
            .route("/api/linkedin/targets", get(targets))
            .route(
                "/api/linkedin/posting-targets",
                get(posting_targets).put(save),
            )
            .route("/graphql", post(graphql))
            .with_state(Store::open(&database_url)?),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    #[expect(clippy::print_stdout, reason = "the benchmark reads it")]
    {
        println!("{}", listener.local_addr()?);
    }
    Ok(axum::serve(listener, routes).await?)
}

async fn targets(State(store): State<Store>, headers: HeaderMap) -> Response {
    answer(store.account(session(&headers)).await, |account| {
        format!("{{\"targets\":{}}}", account.targets(Shape::Targets))
    })
}

async fn posting_targets(State(store): State<Store>, headers: HeaderMap) -> Response {
    answer(store.account(session(&headers)).await, |account| {
        let targets = account.targets(Shape::PostingTargets);
        format!(
            "{{\"targets\":{targets},\"orgScopeMissing\":{}}}",
            account.org_scope_missing
        )
    })
}

async fn save(State(store): State<Store>, headers: HeaderMap, body: Bytes) -> Response {
    answer(store.save(session(&headers), &body).await, |account| {
        format!("{{\"targets\":{}}}", account.targets(Shape::PostingTargets))
    })
}

async fn graphql(State(store): State<Store>, headers: HeaderMap, _: Bytes) -> Response {
    answer(store.account(session(&headers)).await, |account| {
        let targets = account.targets(Shape::GraphQl);
        format!(
            "{{\"data\":{{\"linkedInPostingPreferences\":{{\"targets\":{targets},\"orgScopeMissing\":{}}}}}}}",
            account.org_scope_missing
        )
    })
}

fn session(headers: &HeaderMap) -> String {
    let cookie = headers.get(COOKIE).and_then(|cookie| cookie.to_str().ok());
    let session = cookie.and_then(|cookie| cookie.strip_prefix("session="));
    session.unwrap_or_default().to_owned()
}

fn answer(account: Outcome<Account>, body: impl FnOnce(&Account) -> String) -> Response {
    match account {
        Ok(account) => json(body(&account)),
        Err(cause) => (
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            cause.to_string(),
        )
            .into_response(),
    }
}

fn json(body: impl IntoResponse) -> Response {
    (
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response()
}

/// A row of `account.sql`.
struct Part {
    part: i32,
    id: String,
    page: Option<String>,
    label: Option<String>,
    image: Option<String>,
    detail: Option<String>,
}

impl From<&Row> for Part {
    fn from(row: &Row) -> Self {
        Self {
            part: row.get(0),
            id: row.get(1),
            page: row.get(2),
            label: row.get(3),
            image: row.get(4),
            detail: row.get(5),
        }
    }
}

#[derive(Default)]
struct Account {
    personal: Option<Part>,
    org_pages: Vec<Part>,
    personal_pages: Vec<Part>,
    preferences: Vec<Part>,
    org_scope_missing: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Targets,
    PostingTargets,
    GraphQl,
}

impl Account {
    fn new(rows: impl Iterator<Item = Part>) -> Outcome<Self> {
        let mut account = Self::default();
        for row in rows {
            match row.part {
                0 => account.personal = Some(row),
                1 => account.org_pages.push(row),
                2 => account.personal_pages.push(row),
                _ => account.preferences.push(row),
            }
        }
        account.org_pages.sort_by_cached_key(Part::order);
        account.personal_pages.sort_by_cached_key(Part::order);
        if let Some(identity) = &account.personal {
            let data: Value = serde_json::from_str(identity.detail.as_deref().unwrap_or("null"))?;
            let scopes = data["scope"].as_str().unwrap_or_default();
            account.org_scope_missing = !scopes
                .split(' ')
                .any(|scope| scope == "rw_organization_admin");
            let ends = data["expires_at"].as_str().unwrap_or_default();
            if ends < "2026" {
                account.personal = None;
                account.personal_pages.clear();
            }
        }
        Ok(account)
    }

    fn targets(&self, shape: Shape) -> String {
        let mut out = String::with_capacity(1024);
        out.push('[');
        if let Some(target) = &self.personal {
            self.target(&mut out, shape, target, "personal", "Personal", None);
        }
        for target in &self.org_pages {
            self.target(
                &mut out,
                shape,
                target,
                "orgPage",
                "OrgPage",
                Some("pageId"),
            );
        }
        for target in &self.personal_pages {
            self.target(
                &mut out,
                shape,
                target,
                "personalPage",
                "PersonalPage",
                Some("personalPageId"),
            );
        }
        if out.ends_with(',') {
            out.pop();
        }
        out.push(']');
        out
    }

    fn target(
        &self,
        out: &mut String,
        shape: Shape,
        target: &Part,
        kind: &str,
        type_name: &str,
        id: Option<&str>,
    ) {
        let is_meant = |row: &Part| {
            row.id == kind
                && id.is_none_or(|_| row.page.as_ref().or(row.detail.as_ref()) == Some(&target.id))
        };
        let enabled = self.preferences.is_empty() || self.preferences.iter().any(is_meant);
        // Writing to a string never fails.
        let _ = match shape {
            Shape::GraphQl => write!(
                out,
                "{{\"enabled\":{enabled},\"target\":{{\"__typename\":\"{type_name}\""
            ),
            Shape::Targets | Shape::PostingTargets => write!(out, "{{\"kind\":\"{kind}\""),
        };
        if let Some(id) = id {
            let _ = write!(out, ",\"{id}\":");
            text(out, Some(&target.id));
            out.push_str(",\"linkedInPageId\":");
            text(out, target.page.as_deref());
        }
        out.push_str(",\"label\":");
        text(out, target.label.as_deref());
        out.push_str(if id.is_some() {
            ",\"logoUrl\":"
        } else {
            ",\"avatarUrl\":"
        });
        text(out, target.image.as_deref());
        out.push_str(match (shape, enabled) {
            (Shape::Targets, _) => "},",
            (Shape::GraphQl, _) => "}},",
            (Shape::PostingTargets, true) => ",\"enabled\":true},",
            (Shape::PostingTargets, false) => ",\"enabled\":false},",
        });
    }
}

impl Part {
    fn order(&self) -> (String, String) {
        (
            self.label.as_deref().unwrap_or_default().to_lowercase(),
            self.id.clone(),
        )
    }
}

fn text(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => out.push_str(&Value::from(text).to_string()),
        None => out.push_str("null"),
    }
}

/// What a body of `PUT /api/linkedin/posting-targets` enables: kind, page and personal page of each.
fn selection(body: &[u8]) -> Outcome<[Vec<Option<String>>; 3]> {
    let body: Value = serde_json::from_slice(body)?;
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    for target in body["targets"].as_array().into_iter().flatten() {
        for (column, key) in columns.iter_mut().zip(["kind", "pageId", "personalPageId"]) {
            column.push(target[key].as_str().map(str::to_owned));
        }
    }
    Ok(columns)
}

const ACCOUNT: &str = include_str!("account.sql");
const USER: &str = r#"SELECT "userId" FROM "sessions" WHERE "id" = $1"#;
const DELETE: &str = r#"DELETE FROM "linkedin_posting_target_preferences" WHERE "userId" = $1"#;
const COLUMNS: &str = r#"INSERT INTO "linkedin_posting_target_preferences" ("id", "userId", "kind", "pageId", "personalPageId")"#;

#[derive(Clone)]
enum Store {
    Postgres(Pool),
    Sqlite(Arc<str>),
}

impl Store {
    fn open(url: &str) -> Outcome<Self> {
        if let Some(file) = url.strip_prefix("sqlite://") {
            return Ok(Self::Sqlite(file.into()));
        }
        let manager = Manager::new(url.parse()?, NoTls);
        Ok(Self::Postgres(
            Pool::builder(manager).max_size(CONNECTIONS).build()?,
        ))
    }

    async fn account(&self, session: String) -> Outcome<Account> {
        match self {
            Self::Postgres(pool) => {
                let client = pool.get().await?;
                let statement = client.prepare_cached(ACCOUNT).await?;
                let rows = client
                    .query(&statement, &[&session, &DateTime::UNIX_EPOCH.naive_utc()])
                    .await?;
                Account::new(rows.iter().map(Part::from))
            }
            Self::Sqlite(file) => on_sqlite(file, move |db| account(db, &session)).await,
        }
    }

    /// A lock on the user, the account, delete, insert: one transaction, as nobody can save with less.
    async fn save(&self, session: String, body: &[u8]) -> Outcome<Account> {
        let [kinds, pages, personal_pages] = selection(body)?;
        match self {
            Self::Postgres(pool) => {
                let mut client = pool.get().await?;
                let transaction = client.transaction().await?;
                const LOCK: &str = r#"SELECT u."id" FROM "users" u JOIN "sessions" s ON s."userId" = u."id" WHERE s."id" = $1 FOR NO KEY UPDATE OF u"#;
                let lock = transaction.prepare_cached(LOCK).await?;
                let user: String = transaction.query_one(&lock, &[&session]).await?.get(0);
                let delete = transaction.prepare_cached(DELETE).await?;
                transaction.execute(&delete, &[&user]).await?;
                let insert = format!(
                    "{COLUMNS} SELECT gen_random_uuid(), $1, * FROM unnest($2::text[], $3::text[], $4::text[])"
                );
                let insert = transaction.prepare_cached(&insert).await?;
                transaction
                    .execute(&insert, &[&user, &kinds, &pages, &personal_pages])
                    .await?;
                let statement = transaction.prepare_cached(ACCOUNT).await?;
                let rows = transaction
                    .query(&statement, &[&session, &DateTime::UNIX_EPOCH.naive_utc()])
                    .await?;
                let account = Account::new(rows.iter().map(Part::from))?;
                transaction.commit().await?;
                Ok(account)
            }
            Self::Sqlite(file) => {
                on_sqlite(file, move |db| {
                    let transaction =
                        db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                    let user: String = transaction
                        .prepare_cached(USER)?
                        .query_row([&session], |row| row.get(0))?;
                    transaction.prepare_cached(DELETE)?.execute([&user])?;
                    let insert =
                        format!("{COLUMNS} VALUES (lower(hex(randomblob(16))), $1, $2, $3, $4)");
                    for ((kind, page), personal_page) in
                        kinds.iter().zip(&pages).zip(&personal_pages)
                    {
                        transaction.prepare_cached(&insert)?.execute((
                            &user,
                            kind,
                            page,
                            personal_page,
                        ))?;
                    }
                    let account = account(&transaction, &session)?;
                    transaction.commit()?;
                    Ok(account)
                })
                .await
            }
        }
    }
}

fn account(db: &Connection, session: &str) -> Outcome<Account> {
    // Who asks is one row, and SQLite that does not know it reads whole tables for filters.
    let one_row = ACCOUNT.replace("AS MATERIALIZED", "AS NOT MATERIALIZED");
    let mut statement = db.prepare_cached(&one_row)?;
    let rows = statement.query_map([session, "1970-01-01 00:00:00.000"], |row| {
        Ok(Part {
            part: row.get(0)?,
            id: row.get(1)?,
            page: row.get(2)?,
            label: row.get(3)?,
            image: row.get(4)?,
            detail: row.get(5)?,
        })
    })?;
    Account::new(rows.collect::<Result<Vec<_>, _>>()?.into_iter())
}

/// On a thread that waits for the file, with a connection of the thread's own.
async fn on_sqlite<T: Send + 'static>(
    file: &Arc<str>,
    work: impl FnOnce(&mut Connection) -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    thread_local! {
        static DB: RefCell<Option<Connection>> = const { RefCell::new(None) };
    }
    let file = file.clone();
    let work = move || {
        DB.with_borrow_mut(|db| {
            if db.is_none() {
                let opened = Connection::open(&*file)?;
                opened.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON")?;
                *db = Some(opened);
            }
            work(db.as_mut().ok_or("no connection")?)
        })
    };
    tokio::task::spawn_blocking(work).await?
}
