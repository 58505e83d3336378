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
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment WHERE enrollment_id IN (%64s) ORDER BY id
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_USER (since, login, login)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment
WHERE login = %s OR (parent > 0 AND parent IN (SELECT d.id FROM mdm_enrollment d WHERE d.login = %s)) ORDER BY id
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since;

-- STMT_RECHECK_USERS (since, logins*64, logins*64)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment
WHERE login IN (%64s) OR (parent > 0 AND parent IN (SELECT d.id FROM mdm_enrollment d WHERE d.login IN (%64s)))
ORDER BY id
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

-- ---- what should hold: the states are the numbers of mdm_desired_state_e

-- STMT_DESIRED_LIST (enrollment)
SELECT d.enrollment, d.profile, d.version, d.want_uuid, d.sent_uuid, d.state, d.assignment, d.reason, d.command,
    d.drift, d.tries, d.next_try_at, d.first_failed_at, d.changed_at, d.verified_at, d.error, p.name, p.identifier,
    p.scope, NULL
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile WHERE d.enrollment = %lld ORDER BY p.name, p.id;

-- STMT_DESIRED_BY_COMMAND (enrollment, command)
SELECT d.enrollment, d.profile, d.version, d.want_uuid, d.sent_uuid, d.state, d.assignment, d.reason, d.command,
    d.drift, d.tries, d.next_try_at, d.first_failed_at, d.changed_at, d.verified_at, d.error, p.name, p.identifier,
    p.scope, NULL
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile WHERE d.enrollment = %lld AND d.command = %lld;

-- STMT_DESIRED_PAGE (profile, state, state, cursor, limit)
SELECT d.enrollment, d.profile, d.version, d.want_uuid, d.sent_uuid, d.state, d.assignment, d.reason, d.command,
    d.drift, d.tries, d.next_try_at, d.first_failed_at, d.changed_at, d.verified_at, d.error, p.name, p.identifier,
    p.scope, e.enrollment_id
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile JOIN mdm_enrollment e ON e.id = d.enrollment
WHERE d.profile = %lld AND d.state >= %lld AND d.state <= %lld
    AND d.enrollment > COALESCE((SELECT c.id FROM mdm_enrollment c WHERE c.enrollment_id = %s), 0)
ORDER BY d.enrollment LIMIT %lld;

-- STMT_DESIRED_COUNTS (profile)
SELECT state, version, COUNT(*) FROM mdm_desired WHERE profile = %lld GROUP BY state, version ORDER BY state, version;

-- STMT_DESIRED_DUE (now, limit)
SELECT d.enrollment, d.profile, d.version, d.want_uuid, d.sent_uuid, d.state, d.assignment, d.reason, d.command,
    d.drift, d.tries, d.next_try_at, d.first_failed_at, d.changed_at, d.verified_at, d.error, p.name, p.identifier,
    p.scope, e.enrollment_id
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile JOIN mdm_enrollment e ON e.id = d.enrollment
WHERE d.next_try_at > 0 AND d.next_try_at <= %lld ORDER BY d.next_try_at LIMIT %lld;

-- STMT_DESIRED_UPDATE (sent_uuid, state, command, drift, tries, next_try_at, first_failed_at, changed_at, verified_at,
--     error, enrollment, profile, from_command)
UPDATE mdm_desired SET sent_uuid = %s, state = %lld, command = %lld, drift = %lld, tries = %lld, next_try_at = %lld,
    first_failed_at = %lld, changed_at = %lld, verified_at = %lld, error = %s
WHERE enrollment = %lld AND profile = %lld AND command = %lld;

-- STMT_DESIRED_SENT (want_uuid, sent_uuid, changed_at, enrollment, profile, command, version)
UPDATE mdm_desired SET want_uuid = %s, sent_uuid = %s, state = 2, changed_at = %lld
WHERE enrollment = %lld AND profile = %lld AND command = %lld AND version = %lld;

-- STMT_DESIRED_BLOCK (reason, changed_at, enrollment, profile, command, version)
UPDATE mdm_desired SET want_uuid = NULL, state = 7, command = 0, next_try_at = 0, reason = %s, changed_at = %lld
WHERE enrollment = %lld AND profile = %lld AND command = %lld AND version = %lld;

-- STMT_DESIRED_CLOSE (changed_at, enrollment, enrollment)
UPDATE mdm_desired SET state = 10, command = 0, next_try_at = 0, changed_at = %lld
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0)) AND state <> 10;

-- STMT_DESIRED_FORGET (enrollment, enrollment)
DELETE FROM mdm_desired
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- STMT_DESIRED_MANY (enrollments*64)
SELECT enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command FROM mdm_desired
WHERE enrollment IN (%64lld) ORDER BY enrollment, profile;

-- STMT_DESIRED_MANY_PGSQL (enrollments*64)
SELECT enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command FROM mdm_desired
WHERE enrollment IN (%64lld) ORDER BY enrollment, profile FOR UPDATE;

-- STMT_DESIRED_SOME (enrollments*64, profiles*64)
SELECT enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command FROM mdm_desired
WHERE enrollment IN (%64lld) AND profile IN (%64lld) ORDER BY enrollment, profile;

-- STMT_DESIRED_SOME_PGSQL (enrollments*64, profiles*64)
SELECT enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command FROM mdm_desired
WHERE enrollment IN (%64lld) AND profile IN (%64lld) ORDER BY enrollment, profile FOR UPDATE;

-- A row with the state 0 changes version, assignment and reason of what is there, and is no row of its own

-- STMT_DESIRED_PUT (profile, version, state, assignment, command, changed_at, rows*48)
INSERT INTO mdm_desired (enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command, drift,
    tries, next_try_at, first_failed_at, changed_at, verified_at, error)
SELECT r.column1, %lld, %lld, r.column2, NULL, %lld, %lld, r.column3, %lld, 0, 0, 0, 0, %lld, 0, NULL
FROM (VALUES
    (CAST(%lld AS BIGINT), CAST(%s AS TEXT), CAST(%s AS TEXT)), (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s),
    (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s),
    (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s), (%lld, %s, %s)) r
WHERE r.column1 > 0
ON CONFLICT (enrollment, profile) DO UPDATE SET version = excluded.version, assignment = excluded.assignment,
    reason = excluded.reason, changed_at = excluded.changed_at,
    want_uuid = CASE WHEN excluded.state = 0 THEN mdm_desired.want_uuid ELSE excluded.want_uuid END,
    sent_uuid = CASE WHEN excluded.state > 0 AND mdm_desired.state >= 9 THEN NULL ELSE mdm_desired.sent_uuid END,
    verified_at = CASE WHEN excluded.state > 0 AND mdm_desired.state >= 8 THEN 0 ELSE mdm_desired.verified_at END,
    state = CASE WHEN excluded.state = 0 THEN mdm_desired.state ELSE excluded.state END,
    command = CASE WHEN excluded.state = 0 THEN mdm_desired.command ELSE excluded.command END,
    drift = CASE WHEN excluded.state = 0 THEN mdm_desired.drift ELSE 0 END,
    tries = CASE WHEN excluded.state = 0 THEN mdm_desired.tries ELSE 0 END,
    next_try_at = CASE WHEN excluded.state = 0 THEN mdm_desired.next_try_at ELSE 0 END,
    first_failed_at = CASE WHEN excluded.state = 0 THEN mdm_desired.first_failed_at ELSE 0 END,
    error = CASE WHEN excluded.state = 0 THEN mdm_desired.error ELSE NULL END;

-- STMT_DESIRED_SUPERSEDE_RESULTS (error_chain, finished_at, command, supersede_key, enrollments*64)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT q.command, q.enrollment, c.request_type, 'Superseded', %s, NULL, %lld
FROM mdm_queue q JOIN mdm_command c ON c.id = q.command
WHERE q.command <> %lld AND q.sent_at = 0 AND c.supersede_key = %s AND q.enrollment IN (%64lld);

-- STMT_DESIRED_SUPERSEDE (enrollments*64)
DELETE FROM mdm_queue
WHERE enrollment IN (%64lld) AND EXISTS (SELECT 1 FROM mdm_result r
    WHERE r.command = mdm_queue.command AND r.enrollment = mdm_queue.enrollment);
