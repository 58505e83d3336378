-- SPDX-License-Identifier: Apache-2.0
--
-- Statements about the library: profiles, their versions, secrets, assignments, written as in queries.sql.

-- ---- secrets. A version of a profile is in use while the profile is not archived, and the version is the current
-- one, pinned by an assignment, or part of its rollout. States of mdm_desired below 8 are those of what should hold.

-- STMT_SECRET_LIST (cursor, limit)
SELECT s.name, s.generation, s.created_by, s.created_at, s.retired_at,
    (SELECT COUNT(DISTINCT u.profile) FROM mdm_profile_secret u JOIN mdm_profile p ON p.id = u.profile
     WHERE u.secret = s.name AND p.archived_at = 0 AND (u.version = p.version OR EXISTS (
         SELECT 1 FROM mdm_assignment a WHERE a.profile = p.id AND (a.version = u.version
             OR a.rollout_version = u.version OR a.rollout_from = u.version))))
FROM mdm_secret s WHERE s.retired_at = 0 AND s.name > %s ORDER BY s.name LIMIT %lld;

-- STMT_SECRET_GENERATIONS (name)
SELECT name, generation, created_by, created_at, retired_at, 0 FROM mdm_secret WHERE name = %s
ORDER BY generation DESC;

-- STMT_SECRET_VALUES (names*64)
SELECT name, generation, value FROM mdm_secret WHERE retired_at = 0 AND name IN (%64s);

-- STMT_SECRET_HOLD (names*64)
UPDATE mdm_secret SET retired_at = 0 WHERE retired_at = 0 AND name IN (%64s);

-- STMT_SECRET_LAST (name)
SELECT MAX(generation) FROM mdm_secret WHERE name = %s;

-- STMT_SECRET_RETIRE (retired_at, name)
UPDATE mdm_secret SET retired_at = %lld, value = '' WHERE retired_at = 0 AND name = %s;

-- STMT_SECRET_INSERT (name, generation, value, created_by, created_at)
INSERT INTO mdm_secret (name, generation, value, created_by, created_at, retired_at, unreadable_at)
VALUES (%s, %lld, %s, %s, %lld, 0, 0);

-- STMT_SECRET_UNREADABLE (at, name, generation)
UPDATE mdm_secret SET unreadable_at = %lld WHERE name = %s AND generation = %lld AND unreadable_at = 0;

-- STMT_SECRET_READABLE (name, generation)
UPDATE mdm_secret SET unreadable_at = 0 WHERE name = %s AND generation = %lld AND unreadable_at > 0;

-- STMT_SECRET_DELETE (name)
DELETE FROM mdm_secret WHERE name = %s;

-- STMT_SECRET_USES (name)
SELECT p.id, p.name, u.version, p.version FROM mdm_profile_secret u JOIN mdm_profile p ON p.id = u.profile
WHERE u.secret = %s AND p.archived_at = 0 AND (u.version = p.version OR EXISTS (
    SELECT 1 FROM mdm_assignment a WHERE a.profile = p.id AND (a.version = u.version
        OR a.rollout_version = u.version OR a.rollout_from = u.version)))
ORDER BY p.name, u.version;

-- STMT_SECRET_ENROLLMENTS (name)
SELECT COUNT(DISTINCT d.enrollment) FROM mdm_profile_secret u
    JOIN mdm_desired d ON d.profile = u.profile AND d.version = u.version
WHERE u.secret = %s AND d.state < 8;

-- ---- profiles

-- PART profile_columns
id, name, identifier, scope, version, created_by, created_at, changed_at, archived_at

-- STMT_PROFILE_GET (name)
SELECT {profile_columns} FROM mdm_profile WHERE name = %s AND archived_at = 0;

-- STMT_PROFILE_BY_ID (id)
SELECT {profile_columns} FROM mdm_profile WHERE id = %lld;

-- STMT_PROFILE_BY_IDENTIFIER (identifier)
SELECT {profile_columns} FROM mdm_profile WHERE identifier = %s;

-- STMT_PROFILE_LIST (cursor, limit)
SELECT p.id, p.name, p.identifier, p.scope, p.version, p.created_by, p.created_at, p.changed_at, p.archived_at,
    v.detail, (SELECT COUNT(*) FROM mdm_assignment a WHERE a.profile = p.id)
FROM mdm_profile p LEFT JOIN mdm_profile_version v ON v.profile = p.id AND v.version = p.version
WHERE p.archived_at = 0 AND p.name > %s ORDER BY p.name LIMIT %lld;

-- STMT_PROFILE_INSERT (id, name, identifier, scope, version, created_by, created_at, changed_at)
INSERT INTO mdm_profile ({profile_columns})
VALUES (%lld, %s, %s, %s, %lld, %s, %lld, %lld, 0);

-- STMT_PROFILE_UPDATE (name, scope, version, changed_at, id, from, archived_at)
UPDATE mdm_profile SET name = %s, scope = %s, version = %lld, changed_at = %lld, archived_at = 0
WHERE id = %lld AND version = %lld AND archived_at = %lld;

-- STMT_PROFILE_HOLD (id)
UPDATE mdm_profile SET archived_at = 0 WHERE id = %lld AND archived_at = 0;

-- STMT_PROFILE_ARCHIVE (archived_at, changed_at, id)
UPDATE mdm_profile SET archived_at = %lld, changed_at = %lld WHERE id = %lld AND archived_at = 0;

-- STMT_PROFILE_VERSION_GET (profile, version)
SELECT profile, version, sha256, detail, note, created_by, created_at, body
FROM mdm_profile_version WHERE profile = %lld AND version = %lld;

-- STMT_PROFILE_VERSION_LIST (profile, before, limit)
SELECT profile, version, sha256, detail, note, created_by, created_at
FROM mdm_profile_version WHERE profile = %lld AND version < %lld ORDER BY version DESC LIMIT %lld;

-- STMT_PROFILE_VERSION_LAST (profile)
SELECT MAX(version) FROM mdm_profile_version WHERE profile = %lld;

-- STMT_PROFILE_VERSION_INSERT (profile, version, body, sha256, detail, note, created_by, created_at)
INSERT INTO mdm_profile_version (profile, version, body, sha256, detail, note, created_by, created_at, unreadable_at)
VALUES (%lld, %lld, %s, %s, %s, %s, %s, %lld, 0);

-- STMT_PROFILE_VERSION_FACTS (profile, version)
SELECT profile, version, sha256, detail, note, created_by, created_at
FROM mdm_profile_version WHERE profile = %lld AND version = %lld;

-- STMT_PROFILE_VERSION_UNREADABLE (at, profile, version)
UPDATE mdm_profile_version SET unreadable_at = %lld WHERE profile = %lld AND version = %lld AND unreadable_at = 0;

-- STMT_PROFILE_VERSION_READABLE (profile, version)
UPDATE mdm_profile_version SET unreadable_at = 0 WHERE profile = %lld AND version = %lld AND unreadable_at > 0;

-- Those in use that were found not to open: a secret (1) with its generation, a profile (2) with its version

-- STMT_UNREADABLE (limit)
SELECT 1, s.name, 0, s.generation FROM mdm_secret s
WHERE s.unreadable_at > 0 AND s.retired_at = 0
    AND EXISTS (SELECT 1 FROM mdm_profile_secret u JOIN mdm_profile p ON p.id = u.profile
        WHERE u.secret = s.name AND p.archived_at = 0)
UNION ALL
SELECT 2, p.name, p.id, v.version FROM mdm_profile_version v JOIN mdm_profile p ON p.id = v.profile
WHERE v.unreadable_at > 0 AND p.archived_at = 0 AND (v.version = p.version OR EXISTS (
    SELECT 1 FROM mdm_assignment a WHERE a.profile = p.id AND (a.version = v.version
        OR a.rollout_version = v.version OR a.rollout_from = v.version)))
ORDER BY 1, 2, 4 LIMIT %lld;

-- STMT_PROFILE_SECRET_INSERT (secret, profile, version)
INSERT INTO mdm_profile_secret (secret, profile, version) VALUES (%s, %lld, %lld);

-- STMT_PROFILE_WATCH (name, profile)
INSERT INTO mdm_watched_fact (name, kind, object) VALUES (%s, 'profile', %lld)
ON CONFLICT (name, kind, object) DO NOTHING;

-- STMT_PROFILE_UNWATCH (profile)
DELETE FROM mdm_watched_fact WHERE object = %lld AND kind = 'profile';

-- STMT_PROFILE_UNASSIGN (profile)
DELETE FROM mdm_assignment WHERE profile = %lld;

-- STMT_PROFILE_ENROLLMENTS (profile)
SELECT COUNT(*) FROM mdm_desired WHERE profile = %lld AND state < 8;

-- STMT_PROFILE_ATTRIBUTE (pattern)
SELECT login FROM mdm_user WHERE attributes LIKE %s ESCAPE '!' LIMIT 1;
