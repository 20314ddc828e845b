use std::sync::LazyLock;

use chrono::NaiveDateTime;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, RuntimeErr, Statement,
    Value,
    sqlx::{self, ColumnIndex, Decode, Type},
};
use serde_json::json;

use super::{AccountRows, Asker, IdentityRow, PageRow, PreferenceRow, ProviderData};
use crate::storage::{
    sqlite_time, time,
    traced::{share, span, within},
};

/// The rows of the asker's user, as a transaction sees them.
pub(crate) async fn of_caller(
    transaction: &DatabaseTransaction,
    asker: Asker,
) -> Result<Option<AccountRows>, DbErr> {
    let run = |statement| transaction.query_all_raw(statement);
    let backend = transaction.get_database_backend();
    let mut accounts = of_callers(backend, &[asker], run).await?;
    Ok(accounts.pop().flatten())
}

/// The rows of each asker's user, in the order of the askers; `None` for whom the credentials prove nobody.
pub(super) async fn of_callers<Run: Future<Output = Result<Vec<QueryResult>, DbErr>>>(
    backend: DbBackend,
    askers: &[Asker],
    run: impl FnOnce(Statement) -> Run,
) -> Result<Vec<Option<AccountRows>>, DbErr> {
    let mut accounts: Vec<_> = askers.iter().map(|_| None).collect();
    let proofs = Proofs::of(askers);
    if proofs.is_empty() {
        return Ok(accounts);
    }
    let statement = proofs.statement(backend);
    let span = span(backend, "SELECT account");
    share(&span, askers.iter().map(|asker| &asker.trace));
    for row in within(span, run(statement)).await? {
        let row = Row::read(&row)?;
        let asker = usize::try_from(row.asker).ok();
        let account = asker.and_then(|asker| accounts.get_mut(asker));
        let account = account.ok_or_else(|| DbErr::Type("a row of nobody who asked".to_owned()))?;
        row.add_to(account.get_or_insert_default());
    }
    Ok(accounts)
}

/// What the askers present: each token or session id with the place of its asker and the moment that counts.
#[derive(Default)]
struct Proofs<'a> {
    tokens: Vec<Proof<'a>>,
    /// Those of one asker in the order in which they are preferred.
    sessions: Vec<Proof<'a>>,
}

type Proof<'a> = (i32, &'a str, NaiveDateTime);

impl<'a> Proofs<'a> {
    fn of(askers: &'a [Asker]) -> Self {
        let mut proofs = Self::default();
        for (
            place,
            Asker {
                credentials, now, ..
            },
        ) in (0..).zip(askers)
        {
            let proof = |text: &'a String| (place, text.as_str(), *now);
            proofs
                .tokens
                .extend(credentials.token_hash.iter().map(proof));
            // Neither database can hold a NUL in text, and PostgreSQL refuses to look for one.
            let ids = credentials
                .session_ids
                .iter()
                .filter(|id| !id.contains('\0'));
            proofs.sessions.extend(ids.map(proof));
        }
        proofs
    }

    fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.sessions.is_empty()
    }

    fn statement(&self, backend: DbBackend) -> Statement {
        let mut values = Vec::new();
        let mut table = |proofs: &Vec<Proof<'_>>| {
            let first = values.len() + 1;
            match (proofs.as_slice(), backend) {
                (&[(asker, text, now)], _) => {
                    values.extend([asker.into(), text.into(), time(backend, now)]);
                    one_row(first, backend)
                }
                (_, DbBackend::Sqlite) => {
                    values.push(as_json(proofs).into());
                    json_table(first)
                }
                _ => {
                    values.extend(as_arrays(proofs));
                    array_table(first)
                }
            }
        };
        let by_token = (!self.tokens.is_empty()).then(|| by_token(&table(&self.tokens)));
        let by_session = (!self.sessions.is_empty()).then(|| by_session(&table(&self.sessions)));
        let live = Vec::from_iter(by_token.into_iter().chain(by_session)).join(" UNION ALL ");
        let count = self.tokens.len() + self.sessions.len();
        let proven = if self.compete() {
            first_of_each(&live)
        } else if count == 1 || backend == DbBackend::Sqlite {
            format!("({live})")
        } else {
            values.push(i64::try_from(count).unwrap_or(i64::MAX).into());
            all_of_them(&live, values.len())
        };
        Statement::from_sql_and_values(backend, sql(&proven), values)
    }

    /// Whether somebody presents several, of which the first one counts that proves anything.
    fn compete(&self) -> bool {
        let askers = self.tokens.iter().chain(&self.sessions);
        let mut askers = Vec::from_iter(askers.map(|(asker, ..)| *asker));
        askers.sort_unstable();
        askers.windows(2).any(|two| two[0] == two[1])
    }
}

fn as_json(proofs: &[Proof<'_>]) -> String {
    let rows = proofs
        .iter()
        .map(|(asker, text, now)| json!([asker, text, sqlite_time(*now)]));
    serde_json::Value::from_iter(rows).to_string()
}

fn as_arrays(proofs: &[Proof<'_>]) -> [Value; 3] {
    let askers: Vec<_> = proofs.iter().map(|(asker, ..)| *asker).collect();
    let texts: Vec<_> = proofs
        .iter()
        .map(|(_, text, _)| (*text).to_owned())
        .collect();
    let times: Vec<_> = proofs.iter().map(|(.., now)| *now).collect();
    [askers.into(), texts.into(), times.into()]
}

/// One row of the union. What its other columns mean depends on `part`.
struct Row {
    asker: i32,
    part: i32,
    id: String,
    page: Option<String>,
    label: Option<String>,
    image: Option<String>,
    detail: Option<String>,
    at: Option<NaiveDateTime>,
}

impl Row {
    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => Self::decode(row),
            (_, Some(row)) => Self::decode(row),
            (None, None) => return Err(DbErr::Type("a row of another database".to_owned())),
        }
        .map_err(|cause| DbErr::Query(RuntimeErr::SqlxError(cause.into())))
    }

    /// By the driver itself: SeaORM makes an error of each column that is NULL, and then drops it.
    fn decode<'r, R: sqlx::Row>(row: &'r R) -> Result<Self, sqlx::Error>
    where
        usize: ColumnIndex<R>,
        i32: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        Option<String>: Decode<'r, R::Database> + Type<R::Database>,
        Option<NaiveDateTime>: Decode<'r, R::Database> + Type<R::Database>,
    {
        Ok(Self {
            asker: row.try_get(0)?,
            part: row.try_get(1)?,
            id: row.try_get(2)?,
            page: row.try_get(3)?,
            label: row.try_get(4)?,
            image: row.try_get(5)?,
            detail: row.try_get(6)?,
            at: row.try_get(7)?,
        })
    }

    fn add_to(self, account: &mut AccountRows) {
        match self.part {
            VIEWER => {
                account.user_id = self.id;
                account.session_ends_at = self.at;
                account.identity = self.page.map(|id| IdentityRow {
                    id,
                    name: self.label,
                    avatar_url: self.image,
                    provider_data: self.detail.map(ProviderData),
                });
            }
            ORG_PAGE => account.org_pages.push(self.into_page()),
            PERSONAL_PAGE => account.personal_pages.push(self.into_page()),
            _ => account.preferences.push(PreferenceRow {
                kind: self.id,
                page_id: self.page,
                personal_page_id: self.detail,
            }),
        }
    }

    fn into_page(self) -> PageRow {
        PageRow {
            id: self.id,
            linkedin_page_id: self.page.unwrap_or_default(),
            name: self.label.unwrap_or_default(),
            logo_url: self.image,
            organization_id: self.detail,
            at: self.at,
        }
    }
}

const VIEWER: i32 = 0;
const ORG_PAGE: i32 = 1;
const PERSONAL_PAGE: i32 = 2;
const PREFERENCE: i32 = 3;

/// Parameters that are one asker, proof and moment: what the database need not take for a table costs it less.
fn one_row(first: usize, backend: DbBackend) -> String {
    let (text, now) = (first + 1, first + 2);
    let row = match backend {
        DbBackend::Sqlite => {
            format!(r#"${first} AS "asker", ${text} AS "text", ${now} AS "now""#)
        }
        _ => format!(
            r#"${first}::int AS "asker", ${text}::text AS "text", ${now}::timestamp AS "now""#
        ),
    };
    format!(r#"(SELECT {row}, 0 AS "rank") AS "proof""#)
}

/// Parameters that are columns: askers, proofs and moments.
fn array_table(first: usize) -> String {
    let (texts, times) = (first + 1, first + 2);
    format!(
        r#"unnest(${first}::int[], ${texts}::text[], ${times}::timestamp[]) WITH ORDINALITY
        AS "proof"("asker", "text", "now", "rank")"#
    )
}

/// A parameter that is an array of `[asker, proof, moment]`.
fn json_table(parameter: usize) -> String {
    format!(
        r#"(SELECT "value" ->> 0 AS "asker", "value" ->> 1 AS "text", "value" ->> 2 AS "now", "key" AS "rank"
        FROM json_each(${parameter})) AS "proof""#
    )
}

fn by_token(proofs: &str) -> String {
    format!(
        r#"
    SELECT "proof"."asker", "proof"."now", 0 AS "rank", t."userId", CAST(NULL AS TIMESTAMP) AS "expiresAt"
    FROM {proofs}
    CROSS JOIN "sync_tokens" t
    WHERE t."tokenHash" = "proof"."text""#
    )
}

fn by_session(proofs: &str) -> String {
    format!(
        r#"
    SELECT "proof"."asker", "proof"."now", "proof"."rank" + 1 AS "rank", s."userId", s."expiresAt"
    FROM {proofs}
    CROSS JOIN "sessions" s
    WHERE s."id" = "proof"."text" AND s."expiresAt" > "proof"."now""#
    )
}

/// Of a filter by rank, PostgreSQL expects one row whatever the parameters, so that it prefers a generic plan also where it
/// may not be told to.
fn first_of_each(live: &str) -> String {
    format!(
        r#"(
    SELECT * FROM (
        SELECT "live".*, ROW_NUMBER() OVER (PARTITION BY "asker" ORDER BY "rank") AS "place" FROM ({live}) AS "live"
    ) AS "ranked"
    WHERE "place" = 1
)"#
    )
}

/// Each proof proves one user at most, so that a limit of their number cuts off nothing: it is there to have PostgreSQL
/// expect few rows, as above, and as it does of one proof anyway. SQLite is slower with it.
fn all_of_them(live: &str, count: usize) -> String {
    format!("({live} LIMIT ${count})")
}

/// Whoever the proofs of an asker prove first is the asker's user, and everything else hangs on that: an asker gets
/// the rows of their own user and of nobody else. What nobody presents is not looked for: a part of
/// the statement costs the database, whether it finds rows or not.
///
/// `CROSS JOIN` is how SQLite is told to begin with the viewers; to PostgreSQL it is a join like any other.
fn sql(proven: &str) -> String {
    [WITH, proven, &REST].concat()
}

const WITH: &str = r#"
WITH "viewer" AS MATERIALIZED (
    SELECT "asker", "now", "proven"."userId", "expiresAt", i."id" AS "identityId", i."providerUsername", i."avatarUrl",
        i."providerData"
    FROM "#;

/// Put together once: it is always the same.
static REST: LazyLock<String> = LazyLock::new(|| {
    format!(
        r#" AS "proven"
    LEFT JOIN "linked_identities" i ON i."userId" = "proven"."userId" AND i."provider" = 'linkedin'
)
SELECT "asker", {VIEWER} AS "part", "userId" AS "id", "identityId" AS "page", "providerUsername" AS "label",
    "avatarUrl" AS "image", CAST("providerData" AS TEXT) AS "detail",
    CASE WHEN "expiresAt" < '9999-12-31' THEN "expiresAt" END AS "at"
FROM "viewer"
UNION ALL
SELECT v."asker", {ORG_PAGE}, p."id", p."linkedInPageId", p."pageName", p."pageLogoUrl", c."organizationId",
    CASE WHEN c."expiresAt" < '9999-12-31' THEN c."expiresAt" END
FROM "viewer" v
CROSS JOIN "org_linkedin_page_assignments" a
CROSS JOIN "org_linkedin_pages" p
CROSS JOIN "org_linkedin_credentials" c
WHERE a."userId" = v."userId" AND p."id" = a."pageId" AND c."id" = p."credentialId"
    AND c."disconnectedAt" IS NULL AND (c."expiresAt" IS NULL OR c."expiresAt" > v."now")
UNION ALL
SELECT v."asker", {PERSONAL_PAGE}, p."id", p."linkedInPageId", p."pageName", p."pageLogoUrl", NULL, p."lastSyncedAt"
FROM "viewer" v
CROSS JOIN "linkedin_personal_pages" p
WHERE p."identityId" = v."identityId" AND p."removedAt" IS NULL
UNION ALL
SELECT v."asker", {PREFERENCE}, r."kind", r."pageId", NULL, NULL, r."personalPageId", NULL
FROM "viewer" v
CROSS JOIN "linkedin_posting_target_preferences" r
WHERE r."userId" = v."userId""#
    )
});
