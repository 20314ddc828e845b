//! A database as the web application makes and fills it: more tables, more columns, and rows of every age.

use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::support::database::Backend;

pub(super) async fn make(db: &DatabaseConnection, on: Backend) {
    run(db, on, TABLES).await;
    run(db, on, ROWS).await;
}

/// Runs statements written for PostgreSQL; on SQLite with the types that are text there.
pub(super) async fn run(db: &DatabaseConnection, on: Backend, sql: &str) {
    let sql = match on {
        Backend::Postgres => sql.to_owned(),
        Backend::Sqlite => sql
            .replace("TIMESTAMP(3)", "timestamp_text")
            .replace("JSONB", "jsonb_text"),
    };
    db.execute_unprepared(&sql).await.unwrap();
}

const TABLES: &str = r#"
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "username" TEXT NOT NULL,
    "passwordHash" TEXT NOT NULL,
    "displayName" TEXT,
    "avatar" TEXT,
    "bio" TEXT,
    "emailVerified" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "theme" TEXT NOT NULL DEFAULT 'system',
    "maxMessageLength" INTEGER NOT NULL DEFAULT 666,
    "latitude" DOUBLE PRECISION,
    "cleared" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");
CREATE UNIQUE INDEX "users_username_key" ON "users"("username");

CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "sessions_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "sessions_userId_idx" ON "sessions"("userId");
CREATE INDEX "sessions_expiresAt_idx" ON "sessions"("expiresAt");

CREATE TABLE "sync_tokens" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT 'CLI',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "sync_tokens_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "sync_tokens_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "sync_tokens_tokenHash_key" ON "sync_tokens"("tokenHash");
CREATE INDEX "sync_tokens_userId_idx" ON "sync_tokens"("userId");

CREATE TABLE "linked_identities" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "providerUserId" TEXT NOT NULL,
    "providerUsername" TEXT,
    "providerData" JSONB,
    "profileUrl" TEXT,
    "avatarUrl" TEXT,
    "connectedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastVerifiedAt" TIMESTAMP(3),
    CONSTRAINT "linked_identities_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "linked_identities_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "linked_identities_userId_provider_key" ON "linked_identities"("userId", "provider");
CREATE INDEX "linked_identities_provider_providerUserId_idx" ON "linked_identities"("provider", "providerUserId");

CREATE TABLE "linkedin_personal_pages" (
    "id" TEXT NOT NULL,
    "identityId" TEXT NOT NULL,
    "linkedInPageId" TEXT NOT NULL,
    "pageName" TEXT NOT NULL,
    "pageLogoUrl" TEXT,
    "discoveredAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSyncedAt" TIMESTAMP(3),
    CONSTRAINT "linkedin_personal_pages_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "linkedin_personal_pages_identityId_fkey" FOREIGN KEY ("identityId") REFERENCES "linked_identities"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "linkedin_personal_pages_identityId_idx" ON "linkedin_personal_pages"("identityId");
CREATE UNIQUE INDEX "linkedin_personal_pages_identityId_linkedInPageId_key" ON "linkedin_personal_pages"("identityId", "linkedInPageId");
ALTER TABLE "linkedin_personal_pages" ADD COLUMN "removedAt" TIMESTAMP(3);

CREATE TABLE "organizations" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT,
    "avatar" TEXT,
    "isPublic" BOOLEAN NOT NULL DEFAULT true,
    "isSystem" BOOLEAN NOT NULL DEFAULT false,
    "settings" JSONB,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "deletedAt" TIMESTAMP(3),
    CONSTRAINT "organizations_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "organizations_name_key" ON "organizations"("name");
CREATE UNIQUE INDEX "organizations_slug_key" ON "organizations"("slug");
CREATE INDEX "organizations_slug_idx" ON "organizations"("slug");
CREATE INDEX "organizations_isPublic_deletedAt_idx" ON "organizations"("isPublic", "deletedAt");

CREATE TABLE "user_organizations" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "organizationId" TEXT NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'member',
    "joinedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "user_organizations_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "user_organizations_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "user_organizations_userId_role_idx" ON "user_organizations"("userId", "role");

CREATE TABLE "org_linkedin_credentials" (
    "id" TEXT NOT NULL,
    "organizationId" TEXT NOT NULL,
    "connectedByUserId" TEXT NOT NULL,
    "providerUserId" TEXT NOT NULL,
    "providerUsername" TEXT,
    "accessToken" TEXT NOT NULL,
    "expiresAt" TIMESTAMP(3),
    "scopesGranted" TEXT,
    "connectedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastVerifiedAt" TIMESTAMP(3),
    "disconnectedAt" TIMESTAMP(3),
    CONSTRAINT "org_linkedin_credentials_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "org_linkedin_credentials_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "org_linkedin_credentials_connectedByUserId_fkey" FOREIGN KEY ("connectedByUserId") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "org_linkedin_credentials_organizationId_key" ON "org_linkedin_credentials"("organizationId");
CREATE INDEX "org_linkedin_credentials_organizationId_idx" ON "org_linkedin_credentials"("organizationId");
CREATE INDEX "org_linkedin_credentials_connectedByUserId_idx" ON "org_linkedin_credentials"("connectedByUserId");

CREATE TABLE "org_linkedin_pages" (
    "id" TEXT NOT NULL,
    "credentialId" TEXT NOT NULL,
    "linkedInPageId" TEXT NOT NULL,
    "pageName" TEXT NOT NULL,
    "pageLogoUrl" TEXT,
    "discoveredAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSyncedAt" TIMESTAMP(3),
    CONSTRAINT "org_linkedin_pages_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "org_linkedin_pages_credentialId_fkey" FOREIGN KEY ("credentialId") REFERENCES "org_linkedin_credentials"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "org_linkedin_pages_credentialId_idx" ON "org_linkedin_pages"("credentialId");
CREATE UNIQUE INDEX "org_linkedin_pages_credentialId_linkedInPageId_key" ON "org_linkedin_pages"("credentialId", "linkedInPageId");

CREATE TABLE "org_linkedin_page_assignments" (
    "id" TEXT NOT NULL,
    "pageId" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "assignedByUserId" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "org_linkedin_page_assignments_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "org_linkedin_page_assignments_pageId_fkey" FOREIGN KEY ("pageId") REFERENCES "org_linkedin_pages"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "org_linkedin_page_assignments_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "org_linkedin_page_assignments_assignedByUserId_fkey" FOREIGN KEY ("assignedByUserId") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX "org_linkedin_page_assignments_userId_idx" ON "org_linkedin_page_assignments"("userId");
CREATE INDEX "org_linkedin_page_assignments_pageId_idx" ON "org_linkedin_page_assignments"("pageId");
CREATE UNIQUE INDEX "org_linkedin_page_assignments_pageId_userId_key" ON "org_linkedin_page_assignments"("pageId", "userId");

CREATE TABLE "linkedin_posting_target_preferences" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "pageId" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "personalPageId" TEXT,
    CONSTRAINT "linkedin_posting_target_preferences_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "linkedin_posting_target_preferences_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "linkedin_posting_target_preferences_pageId_fkey" FOREIGN KEY ("pageId") REFERENCES "org_linkedin_pages"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "linkedin_posting_target_preferences_personalPageId_fkey" FOREIGN KEY ("personalPageId") REFERENCES "linkedin_personal_pages"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "linkedin_posting_target_preferences_userId_idx" ON "linkedin_posting_target_preferences"("userId");
CREATE INDEX "linkedin_posting_target_preferences_pageId_idx" ON "linkedin_posting_target_preferences"("pageId");
CREATE INDEX "linkedin_posting_target_preferences_personalPageId_idx" ON "linkedin_posting_target_preferences"("personalPageId");
CREATE UNIQUE INDEX "linkedin_posting_target_preferences_userId_kind_pageId_key" ON "linkedin_posting_target_preferences"("userId", "kind", "pageId");
CREATE UNIQUE INDEX "linkedin_posting_target_preferences_userId_kind_personalPag_key" ON "linkedin_posting_target_preferences"("userId", "kind", "personalPageId");

CREATE TABLE "messages" (
    "id" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "tags" JSONB,
    "digCount" INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT "messages_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "messages_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "migration_name" VARCHAR(255) NOT NULL,
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
);
CREATE VIEW "verified_users" AS SELECT "id", "username" FROM "users" WHERE "emailVerified";
"#;

const ROWS: &str = r#"
INSERT INTO "users" ("id", "email", "username", "passwordHash", "displayName", "bio", "emailVerified", "createdAt", "updatedAt", "latitude") VALUES
    ('u1', 'ada@example.com', 'ada', '$2b$10$x', 'Ada "the" O''Neil', 'a
second line', true, '2025-12-23 01:50:38.001', '2026-01-01 00:00:00', 47.6),
    ('u2', '', 'ünïcode 🦀', '', NULL, NULL, false, '1970-01-01 00:00:00', '9999-12-31 23:59:59.999', NULL),
    ('not-a-uuid', 'BOB@EXAMPLE.COM', ' ', 'x', '', '', false, '2026-06-01 12:00:00', '2026-06-01 12:00:00', -0.0);
INSERT INTO "sessions" ("id", "userId", "expiresAt") VALUES ('s1', 'u1', '2020-01-01 00:00:00'), ('s2', 'u1', '2099-01-01 00:00:00.5');
INSERT INTO "sync_tokens" ("id", "userId", "tokenHash") VALUES ('t1', 'u2', 'NOT HEX');
INSERT INTO "linked_identities" ("id", "userId", "provider", "providerUserId", "providerData", "lastVerifiedAt") VALUES
    ('i1', 'u1', 'linkedin', 'abc', '{"access_token": "secret", "expires_in": "soon", "scope": ["r_liteprofile"]}', NULL),
    ('i2', 'u2', 'linkedin', '', NULL, '2026-01-01 00:00:00'),
    ('i3', 'not-a-uuid', 'linkedin', 'abc', '12345678901234567890', NULL),
    ('i4', 'u2', 'mastodon:example.org', '7', '"text"', NULL),
    ('i5', 'u1', 'github', '8', 'null', NULL);
INSERT INTO "linkedin_personal_pages" ("id", "identityId", "linkedInPageId", "pageName", "removedAt") VALUES
    ('p1', 'i1', '00123', 'Acme', NULL), ('p2', 'i1', '456', '', '2026-02-03 04:05:06.789');
INSERT INTO "organizations" ("id", "name", "slug", "settings", "updatedAt", "deletedAt") VALUES
    ('o1', 'The Public', 'the-public', '{}', '2026-02-07 01:57:50', NULL), ('o2', 'Gone', 'gone', '[]', '2026-02-07 01:57:50', '2026-03-01 00:00:00');
INSERT INTO "user_organizations" ("id", "userId", "organizationId") VALUES ('uo1', 'u1', 'o1'), ('uo2', 'u2', 'an organization that never was');
INSERT INTO "org_linkedin_credentials" ("id", "organizationId", "connectedByUserId", "providerUserId", "accessToken", "scopesGranted") VALUES
    ('c1', 'o1', 'u1', 'abc', 'secret', 'rw_organization_admin,w_member_social'), ('c2', 'o2', 'u1', '', '', NULL);
INSERT INTO "org_linkedin_pages" ("id", "credentialId", "linkedInPageId", "pageName") VALUES ('op1', 'c1', '00123', 'Acme'), ('op2', 'c2', '9', 'Old');
INSERT INTO "org_linkedin_page_assignments" ("id", "pageId", "userId", "assignedByUserId") VALUES ('a1', 'op1', 'u2', 'u1');
INSERT INTO "linkedin_posting_target_preferences" ("id", "userId", "kind", "pageId", "personalPageId") VALUES
    ('f1', 'u1', 'personal', NULL, NULL), ('f2', 'u1', 'personal', NULL, NULL), ('f3', 'u1', 'personalPage', NULL, 'p2'),
    ('f4', 'u2', 'orgPage', 'op1', NULL), ('f5', 'u2', 'carrier pigeon', 'op2', 'p1'), ('f6', 'not-a-uuid', 'none', NULL, NULL);
INSERT INTO "messages" ("id", "content", "userId", "tags") VALUES ('m1', 'hello', 'u1', '["a", 1, null]');
INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name") VALUES ('1', 'x', '20251223015038_init_user');
"#;
