-- SPDX-License-Identifier: Apache-2.0
--
-- Statements about what should hold for enrollments, and changes on their way, written as in queries.sql.

-- ---- marks: enrollments to be looked at again; since is the name of the call that marked them last

-- STMT_RECHECK (since, enrollment, enrollment)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0) ORDER BY id
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_MANY (since, enrollments*64)
INSERT INTO mdm_recheck (enrollment, since) SELECT id, %lld FROM mdm_enrollment WHERE id IN (%64lld) ORDER BY id
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_IDS (since, ids*64)
INSERT INTO mdm_recheck (enrollment, since) SELECT id, %lld FROM mdm_enrollment WHERE enrollment_id IN (%64s) ORDER BY id
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_USER (since, login, login)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment
WHERE login = %s OR (parent > 0 AND parent IN (SELECT d.id FROM mdm_enrollment d WHERE d.login = %s)) ORDER BY id
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_FACTS (since, enrollment, enrollment, names*64)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment
WHERE (id = %lld OR (parent = %lld AND parent > 0))
    AND EXISTS (SELECT 1 FROM mdm_watched_fact w WHERE w.name IN (%64s)) ORDER BY id
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_MEMBERS (since, collection)
INSERT INTO mdm_recheck (enrollment, since)
SELECT enrollment, %lld FROM mdm_member WHERE collection = %lld ORDER BY enrollment
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_DUE (limit)
SELECT enrollment, since FROM (SELECT enrollment, since FROM mdm_recheck ORDER BY since LIMIT %lld) due_rows
ORDER BY enrollment;

-- STMT_RECHECK_DONE (enrollments*64, since*64)
DELETE FROM mdm_recheck WHERE enrollment IN (%64lld) AND since IN (%64lld);

-- STMT_RECHECK_FORGET (enrollment, enrollment)
DELETE FROM mdm_recheck
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- ---- changes on their way through the enrollments

-- STMT_CHANGE_INSERT (id, kind, object, actor, created_at)
INSERT INTO mdm_change (id, kind, object, actor, created_at, position, looked, changed, finished_at)
VALUES (%lld, %s, %s, %s, %lld, 0, 0, 0, 0);

-- STMT_CHANGE_NEXT ()
SELECT id, kind, object, actor, created_at, position, looked, changed, finished_at FROM mdm_change
WHERE finished_at = 0 ORDER BY id LIMIT 1;

-- STMT_CHANGE_MOVE (position, looked, changed, finished_at, id, from)
UPDATE mdm_change SET position = %lld, looked = %lld, changed = %lld, finished_at = %lld
WHERE id = %lld AND position = %lld AND finished_at = 0;

-- STMT_CHANGE_GET (id)
SELECT id, kind, object, actor, created_at, position, looked, changed, finished_at FROM mdm_change WHERE id = %lld;

-- STMT_CHANGE_LIST (cursor, limit)
SELECT id, kind, object, actor, created_at, position, looked, changed, finished_at FROM mdm_change
WHERE id < %lld ORDER BY id DESC LIMIT %lld;

-- STMT_CHANGE_BACKLOG ()
SELECT (SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0), (SELECT COUNT(*) FROM mdm_recheck);

-- STMT_CHANGE_PRUNE (before, limit)
DELETE FROM mdm_change WHERE id IN (
    SELECT id FROM mdm_change WHERE finished_at > 0 AND finished_at < %lld ORDER BY id LIMIT %lld);
