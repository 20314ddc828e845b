WITH "viewer" AS MATERIALIZED (
    SELECT "userId" FROM "sessions" WHERE "id" = $1 AND "expiresAt" > $2
)
SELECT 0 AS "part", i."id", NULL AS "page", i."providerUsername" AS "label", i."avatarUrl" AS "image",
    CAST(i."providerData" AS TEXT) AS "detail"
FROM "viewer" v
JOIN "linked_identities" i ON i."userId" = v."userId" AND i."provider" = 'linkedin'
UNION ALL
SELECT 1, p."id", p."linkedInPageId", p."pageName", p."pageLogoUrl", NULL
FROM "viewer" v
JOIN "org_linkedin_page_assignments" a ON a."userId" = v."userId"
JOIN "org_linkedin_pages" p ON p."id" = a."pageId"
JOIN "org_linkedin_credentials" c ON c."id" = p."credentialId"
WHERE c."disconnectedAt" IS NULL AND (c."expiresAt" IS NULL OR c."expiresAt" > $2)
UNION ALL
SELECT 2, p."id", p."linkedInPageId", p."pageName", p."pageLogoUrl", NULL
FROM "viewer" v
JOIN "linked_identities" i ON i."userId" = v."userId" AND i."provider" = 'linkedin'
JOIN "linkedin_personal_pages" p ON p."identityId" = i."id"
WHERE p."removedAt" IS NULL
UNION ALL
SELECT 3, r."kind", r."pageId", NULL, NULL, r."personalPageId"
FROM "viewer" v
JOIN "linkedin_posting_target_preferences" r ON r."userId" = v."userId"
