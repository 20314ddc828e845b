//! Who is asking and all that decides what they can post to, in one statement.

use std::fmt;

use chrono::NaiveDateTime;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

use super::time;

/// What a request proves about its sender: secrets, so `Debug` shows none of it.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// Lower-case hex SHA-256 of the bearer token. A live one wins over the sessions.
    pub(crate) token_hash: Option<String>,
    /// Session ids, the preferred one first.
    pub(crate) session_ids: Vec<String>,
}

impl Credentials {
    /// Each of them, in the order in which they count.
    pub(crate) fn each(&self) -> impl Iterator<Item = &str> {
        let token = self.token_hash.as_deref();
        token
            .into_iter()
            .chain(self.session_ids.iter().map(String::as_str))
    }

    /// Whether there is nothing to look up.
    pub(crate) fn is_empty(&self) -> bool {
        self.token_hash.is_none() && self.session_ids.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Credentials {{ token: {}, sessions: {} }}",
            self.token_hash.is_some(),
            self.session_ids.len()
        )
    }
}

/// A live caller's rows, unjudged: whether a connection is active is the domain's to say.
#[derive(Debug, Default)]
pub(crate) struct AccountRows {
    pub(crate) user_id: String,
    /// When the session ends that told who it is; a token does not end.
    pub(crate) session_ends_at: Option<NaiveDateTime>,
    pub(crate) identity: Option<IdentityRow>,
    /// Assigned to the caller, of credentials that are active.
    pub(crate) org_pages: Vec<PageRow>,
    /// Of the caller's identity, not removed.
    pub(crate) personal_pages: Vec<PageRow>,
    pub(crate) preferences: Vec<PreferenceRow>,
}

#[derive(Debug)]
pub(crate) struct IdentityRow {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) provider_data: Option<ProviderData>,
}

/// The JSON text of `linked_identities.providerData`; it holds the access token.
pub(crate) struct ProviderData(pub(crate) String);

impl fmt::Debug for ProviderData {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ProviderData")
    }
}

#[derive(Debug)]
pub(crate) struct PageRow {
    pub(crate) id: String,
    pub(crate) linkedin_page_id: String,
    pub(crate) name: String,
    pub(crate) logo_url: Option<String>,
    /// Only on organization pages.
    pub(crate) organization_id: Option<String>,
    /// Of a personal page, when it was last synced; of an organization's, when its credential ends.
    pub(crate) at: Option<NaiveDateTime>,
}

#[derive(Debug)]
pub(crate) struct PreferenceRow {
    pub(crate) kind: String,
    pub(crate) page_id: Option<String>,
    pub(crate) personal_page_id: Option<String>,
}

/// The rows of the user whom the credentials prove, or `None` when they prove nobody at `now` (UTC).
pub(crate) async fn of_caller(
    db: &impl ConnectionTrait,
    credentials: &Credentials,
    now: NaiveDateTime,
) -> Result<Option<AccountRows>, DbErr> {
    if credentials.is_empty() {
        return Ok(None);
    }
    let rows = db
        .query_all_raw(statement(db.get_database_backend(), credentials, now)?)
        .await?;
    let mut account = None;
    for row in &rows {
        let row = Row::from_query_result(row, "")?;
        // The caller's own row comes first: it is the first part of the union.
        let account = account.get_or_insert_with(AccountRows::default);
        row.add_to(account);
    }
    Ok(account)
}

/// One row of the union. What its columns mean depends on `part`.
#[derive(FromQueryResult)]
struct Row {
    part: String,
    id: String,
    page: Option<String>,
    label: Option<String>,
    image: Option<String>,
    detail: Option<String>,
    at: Option<NaiveDateTime>,
}

impl Row {
    fn add_to(self, account: &mut AccountRows) {
        match self.part.as_str() {
            "viewer" => {
                account.user_id = self.id;
                account.session_ends_at = self.at;
            }
            "identity" => {
                account.identity = Some(IdentityRow {
                    id: self.id,
                    name: self.label,
                    avatar_url: self.image,
                    provider_data: self.detail.map(ProviderData),
                });
            }
            "orgPage" => account.org_pages.push(self.into_page()),
            "personalPage" => account.personal_pages.push(self.into_page()),
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

fn statement(
    backend: DbBackend,
    credentials: &Credentials,
    now: NaiveDateTime,
) -> Result<Statement, DbErr> {
    // Neither database can hold a NUL in text, and PostgreSQL refuses to look for one.
    let session_ids: Vec<_> = credentials
        .session_ids
        .iter()
        .filter(|id| !id.contains('\0'))
        .collect();
    let session_ids =
        serde_json::to_string(&session_ids).map_err(|cause| DbErr::Json(cause.to_string()))?;
    let sql = match backend {
        DbBackend::Sqlite => &*SQLITE,
        _ => &*POSTGRES,
    };
    let values = [
        credentials.token_hash.clone().into(),
        session_ids.into(),
        time(backend, now),
    ];
    Ok(Statement::from_sql_and_values(backend, sql, values))
}

static POSTGRES: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    sql(r#"json_array_elements_text($2::json) WITH ORDINALITY AS "asked"("id", "rank")"#)
});
static SQLITE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    sql(r#"(SELECT "value" AS "id", "key" AS "rank" FROM json_each($2)) AS "asked""#)
});

/// `$1` token hash, `$2` session ids as a JSON array, `$3` now.
fn sql(session_ids: &str) -> String {
    format!(
        r#"
WITH "viewer" AS MATERIALIZED (
    SELECT "userId", "expiresAt" FROM (
        SELECT "userId", CAST(NULL AS TIMESTAMP) AS "expiresAt", -1 AS "rank" FROM "sync_tokens" WHERE "tokenHash" = $1
        UNION ALL
        SELECT "sessions"."userId", "sessions"."expiresAt", "asked"."rank"
        FROM {session_ids}
        JOIN "sessions" ON "sessions"."id" = "asked"."id"
        WHERE "sessions"."expiresAt" > $3
    ) AS "live" ORDER BY "rank" LIMIT 1
)
SELECT 'viewer' AS "part", "userId" AS "id", CAST(NULL AS TEXT) AS "page", CAST(NULL AS TEXT) AS "label",
    CAST(NULL AS TEXT) AS "image", CAST(NULL AS TEXT) AS "detail",
    CASE WHEN "expiresAt" < '9999-12-31' THEN "expiresAt" END AS "at"
FROM "viewer"
UNION ALL
SELECT 'identity', i."id", NULL, i."providerUsername", i."avatarUrl", CAST(i."providerData" AS TEXT), NULL
FROM "viewer" v
JOIN "linked_identities" i ON i."userId" = v."userId" AND i."provider" = 'linkedin'
UNION ALL
SELECT 'orgPage', p."id", p."linkedInPageId", p."pageName", p."pageLogoUrl", c."organizationId",
    CASE WHEN c."expiresAt" < '9999-12-31' THEN c."expiresAt" END
FROM "viewer" v
JOIN "org_linkedin_page_assignments" a ON a."userId" = v."userId"
JOIN "org_linkedin_pages" p ON p."id" = a."pageId"
JOIN "org_linkedin_credentials" c ON c."id" = p."credentialId"
WHERE c."disconnectedAt" IS NULL AND (c."expiresAt" IS NULL OR c."expiresAt" > $3)
UNION ALL
SELECT 'personalPage', p."id", p."linkedInPageId", p."pageName", p."pageLogoUrl", NULL, p."lastSyncedAt"
FROM "viewer" v
JOIN "linked_identities" i ON i."userId" = v."userId" AND i."provider" = 'linkedin'
JOIN "linkedin_personal_pages" p ON p."identityId" = i."id"
WHERE p."removedAt" IS NULL
UNION ALL
SELECT 'preference', r."kind", r."pageId", NULL, NULL, r."personalPageId", NULL
FROM "viewer" v
JOIN "linkedin_posting_target_preferences" r ON r."userId" = v."userId""#
    )
}
