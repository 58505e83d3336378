-- SPDX-License-Identifier: Apache-2.0
--
-- Statements about what should hold for enrollments, and changes on their way, written as in queries.sql.

-- ---- marks: enrollments to be looked at again; since is the name of the call that marked them last

-- PART recheck_again
ON CONFLICT (enrollment) DO UPDATE SET since = excluded.since

-- STMT_RECHECK (since, enrollment, enrollment)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0) ORDER BY id
{recheck_again};

-- PART recheck_with_channels
SELECT id, since FROM marked_rows
UNION
SELECT u.id, marked_rows.since
FROM marked_rows JOIN mdm_enrollment u ON u.parent = marked_rows.id AND u.parent > 0
ORDER BY 1
{recheck_again}

-- STMT_RECHECK_MANY (since, enrollments*64)
INSERT INTO mdm_recheck (enrollment, since)
WITH marked_rows AS (SELECT id, CAST(%lld AS BIGINT) AS since FROM mdm_enrollment WHERE id IN (%64lld))
{recheck_with_channels};

-- STMT_RECHECK_IDS (since, ids*64)
INSERT INTO mdm_recheck (enrollment, since)
WITH marked_rows AS (SELECT id, CAST(%lld AS BIGINT) AS since FROM mdm_enrollment WHERE enrollment_id IN (%64s))
{recheck_with_channels};

-- STMT_RECHECK_CHANNELS (since, devices*64, seen*64)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment WHERE parent > 0 AND parent IN (%64lld) AND id NOT IN (%64lld) ORDER BY id
{recheck_again};

-- STMT_RECHECK_USER (since, login, login)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment
WHERE login = %s OR (parent > 0 AND parent IN (SELECT d.id FROM mdm_enrollment d WHERE d.login = %s)) ORDER BY id
{recheck_again};

-- STMT_RECHECK_USERS (since, logins*64, logins*64)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment
WHERE login IN (%64s) OR (parent > 0 AND parent IN (SELECT d.id FROM mdm_enrollment d WHERE d.login IN (%64s)))
ORDER BY id
{recheck_again};

-- STMT_RECHECK_FACTS (since, enrollment, enrollment, names*64)
INSERT INTO mdm_recheck (enrollment, since)
SELECT id, %lld FROM mdm_enrollment
WHERE (id = %lld OR (parent = %lld AND parent > 0))
    AND EXISTS (SELECT 1 FROM mdm_watched_fact w WHERE w.name IN (%64s)) ORDER BY id
{recheck_again};

-- STMT_RECHECK_MEMBERS (since, collection)
INSERT INTO mdm_recheck (enrollment, since)
WITH marked_rows AS (SELECT enrollment AS id, CAST(%lld AS BIGINT) AS since FROM mdm_member WHERE collection = %lld)
{recheck_with_channels};

-- STMT_RECHECK_DUE (limit)
SELECT enrollment, since
FROM (SELECT enrollment, since FROM mdm_recheck WHERE since > 0 ORDER BY since LIMIT %lld) due_rows
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
SELECT id, kind, object, actor, created_at, position, looked, changed, finished_at, NULL FROM mdm_change
WHERE id > 0 AND finished_at = 0 ORDER BY id LIMIT 1;

-- Writers under way: the oldest, and the one that would begin next; the same when there are none

-- STMT_CHANGE_WRITERS_PGSQL ()
SELECT txid_snapshot_xmin(txid_current_snapshot()), txid_snapshot_xmax(txid_current_snapshot());

-- STMT_CHANGE_MOVE (position, looked, changed, finished_at, id, from)
UPDATE mdm_change SET position = %lld, looked = %lld, changed = %lld, finished_at = %lld
WHERE id = %lld AND position = %lld AND finished_at = 0;

-- PART change_named
c.id, c.kind, c.object, c.actor, c.created_at, c.position, c.looked, c.changed, c.finished_at,
    CASE WHEN c.kind = 'profile' THEN p.name WHEN c.kind = 'group' THEN g.name ELSE c.object END
FROM mdm_change c
LEFT JOIN mdm_profile p ON p.id = CASE WHEN c.kind = 'profile' THEN CAST(c.object AS BIGINT) END
LEFT JOIN mdm_group g ON g.id = CASE WHEN c.kind = 'group' THEN CAST(c.object AS BIGINT) END

-- STMT_CHANGE_GET (id)
SELECT {change_named}
WHERE c.id = %lld;

-- STMT_CHANGE_LIST (cursor, limit)
SELECT {change_named}
WHERE c.id < %lld ORDER BY c.id DESC LIMIT %lld;

-- STMT_CHANGE_BACKLOG ()
SELECT (SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0), (SELECT COUNT(*) FROM mdm_recheck);

-- STMT_CHANGE_PRUNE (before, limit)
DELETE FROM mdm_change WHERE id IN (
    SELECT id FROM mdm_change WHERE id > 0 AND finished_at > 0 AND finished_at < %lld ORDER BY id LIMIT %lld);

-- ---- what should hold: the states are the numbers of mdm_desired_state_e

-- PART desired_columns
d.enrollment, d.profile, d.version, d.want_uuid, d.sent_uuid, d.state, d.assignment, d.reason, d.command,
    d.drift, d.tries, d.next_try_at, d.first_failed_at, d.changed_at, d.verified_at, d.error, p.name, p.identifier,
    p.scope

-- STMT_DESIRED_LIST (enrollment)
SELECT {desired_columns}, NULL
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile WHERE d.enrollment = %lld ORDER BY p.name, p.id;

-- STMT_DESIRED_BY_COMMAND (enrollment, command)
SELECT {desired_columns}, NULL
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile WHERE d.enrollment = %lld AND d.command = %lld;

-- STMT_DESIRED_PAGE (profile, state, state, cursor, limit)
SELECT {desired_columns}, e.enrollment_id
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile JOIN mdm_enrollment e ON e.id = d.enrollment
WHERE d.profile = %lld AND d.state >= %lld AND d.state <= %lld
    AND d.enrollment > COALESCE((SELECT c.id FROM mdm_enrollment c WHERE c.enrollment_id = %s), 0)
ORDER BY d.enrollment LIMIT %lld;

-- STMT_DESIRED_COUNTS (profile)
SELECT state, version, COUNT(*) FROM mdm_desired WHERE profile = %lld GROUP BY state, version ORDER BY state, version;

-- STMT_DESIRED_DUE (now, limit)
SELECT {desired_columns}, e.enrollment_id
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

-- A person has ended commands of the rows: it has failed. The command stays, so that a late answer counts

-- PART desired_cancelled
UPDATE mdm_desired SET state = 6, error = %s, next_try_at = %lld, changed_at = %lld WHERE state IN (1, 2, 8)

-- PART desired_ended
EXISTS (SELECT 1 FROM mdm_result r
    WHERE r.command = mdm_desired.command AND r.enrollment = mdm_desired.enrollment AND r.status = 'Cancelled')

-- STMT_DESIRED_CANCELLED (error, next_try_at, changed_at, command, command)
{desired_cancelled} AND command = %lld AND {desired_ended}
    AND enrollment IN (SELECT c.enrollment FROM mdm_result c WHERE c.command = %lld);

-- STMT_DESIRED_CLEARED (error, next_try_at, changed_at, enrollment_id)
{desired_cancelled} AND command > 0 AND {desired_ended}
    AND enrollment = (SELECT e.id FROM mdm_enrollment e WHERE e.enrollment_id = %s);

-- STMT_DESIRED_CLOSE (changed_at, enrollment, enrollment)
UPDATE mdm_desired SET state = 10, command = 0, next_try_at = 0, changed_at = %lld
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0)) AND state <> 10;

-- Of rows that are gone those are forgotten whose content is not what was handed out last; the others are acked

-- STMT_DESIRED_RETURN_FORGET (enrollment)
DELETE FROM mdm_desired
WHERE enrollment = %lld AND state = 10 AND (want_uuid IS NULL OR sent_uuid IS NULL OR want_uuid <> sent_uuid);

-- STMT_DESIRED_RETURN (changed_at, enrollment)
UPDATE mdm_desired SET state = 3, drift = 0, tries = 0, first_failed_at = 0, changed_at = %lld, error = NULL
WHERE enrollment = %lld AND state = 10;

-- STMT_DESIRED_FORGET (enrollment, enrollment)
DELETE FROM mdm_desired
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- PART desired_brief_columns
enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command

-- STMT_DESIRED_MANY (enrollments*64)
SELECT {desired_brief_columns} FROM mdm_desired
WHERE enrollment IN (%64lld) ORDER BY enrollment, profile;

-- STMT_DESIRED_MANY_PGSQL (enrollments*64)
SELECT {desired_brief_columns} FROM mdm_desired
WHERE enrollment IN (%64lld) ORDER BY enrollment, profile FOR UPDATE;

-- STMT_DESIRED_SOME (enrollments*64, profiles*64)
SELECT {desired_brief_columns} FROM mdm_desired
WHERE enrollment IN (%64lld) AND profile IN (%64lld) ORDER BY enrollment, profile;

-- STMT_DESIRED_SOME_PGSQL (enrollments*64, profiles*64)
SELECT {desired_brief_columns} FROM mdm_desired
WHERE enrollment IN (%64lld) AND profile IN (%64lld) ORDER BY enrollment, profile FOR UPDATE;

-- PART desired_row
(%lld, %s, %s)

-- A row with the state 0 changes version, assignment and reason of what is there, and is no row of its own

-- STMT_DESIRED_PUT (profile, version, state, assignment, command, changed_at, rows*48)
INSERT INTO mdm_desired (enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command, drift,
    tries, next_try_at, first_failed_at, changed_at, verified_at, error)
SELECT r.column1, %lld, %lld, r.column2, NULL, %lld, %lld, r.column3, %lld, 0, 0, 0, 0, %lld, 0, NULL
FROM (VALUES
    (CAST(%lld AS BIGINT), CAST(%s AS TEXT), CAST(%s AS TEXT)), {15*desired_row}) r
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

-- ---- assignments: a target is an id as text, or a login

-- STMT_ASSIGNMENT_INSERT (id, profile, version, kind, target, exclude, priority, rollout, rollout_state, rollout_step,
--     rollout_version, rollout_from, rollout_at, rollout_reason, created_by, created_at, changed_at)
INSERT INTO mdm_assignment (id, profile, version, kind, target, exclude, priority, condition_id, rollout, rollout_state,
    rollout_step, rollout_version, rollout_from, rollout_at, rollout_reason, created_by, created_at, changed_at)
VALUES (%lld, %lld, %lld, %lld, %s, %lld, %lld, 0, %s, %lld, %lld, %lld, %lld, %lld, %s, %s, %lld, %lld);

-- PART assignment_named
a.id, a.profile, a.version, a.kind, a.target, a.exclude, a.priority, a.rollout, a.rollout_state, a.rollout_step,
    a.rollout_version, a.rollout_from, a.rollout_at, a.rollout_reason, a.created_by, a.created_at, a.changed_at, p.name,
    CASE WHEN a.kind = 1 THEN g.name WHEN a.kind = 2 THEN a.target ELSE e.enrollment_id END
FROM mdm_assignment a JOIN mdm_profile p ON p.id = a.profile
LEFT JOIN mdm_group g ON g.id = CASE WHEN a.kind = 1 THEN CAST(a.target AS BIGINT) END
LEFT JOIN mdm_enrollment e ON e.id = CASE WHEN a.kind = 3 THEN CAST(a.target AS BIGINT) END

-- STMT_ASSIGNMENT_GET (id)
SELECT {assignment_named}
WHERE a.id = %lld;

-- STMT_ASSIGNMENT_LIST (profile, cursor, limit)
SELECT {assignment_named}
WHERE a.profile = %lld AND a.id > %lld ORDER BY a.id LIMIT %lld;

-- STMT_ASSIGNMENT_LIST_ALL (cursor, limit)
SELECT {assignment_named}
WHERE p.archived_at = 0 AND a.id > %lld ORDER BY a.id LIMIT %lld;

-- STMT_ASSIGNMENT_OF_TARGET (kind, target)
SELECT {assignment_named}
WHERE a.kind = %lld AND a.target = %s ORDER BY a.id;

-- STMT_ASSIGNMENT_ROLLOUTS ()
SELECT {assignment_named}
WHERE a.rollout_state IN (1, 2) ORDER BY a.id;

-- STMT_ASSIGNMENT_STOPPED (limit)
SELECT a.id, p.name, a.rollout_reason FROM mdm_assignment a JOIN mdm_profile p ON p.id = a.profile
WHERE a.rollout_state = 3 ORDER BY a.id LIMIT %lld;

-- STMT_ASSIGNMENT_UPDATE (version, priority, rollout, rollout_state, rollout_step, rollout_version, rollout_from,
--     rollout_at, rollout_reason, changed_at, id, read_changed_at)
UPDATE mdm_assignment SET version = %lld, priority = %lld, rollout = %s, rollout_state = %lld, rollout_step = %lld,
    rollout_version = %lld, rollout_from = %lld, rollout_at = %lld, rollout_reason = %s, changed_at = %lld
WHERE id = %lld AND changed_at = %lld;

-- What is known of assignments when one is saved; who saves names what he knew, and is refused when it is old. The row
-- is made by the first save, and locked until the transaction ends

-- STMT_ASSIGNMENT_SAVED ()
SELECT value FROM mdm_meta WHERE name = 'assignments';

-- STMT_ASSIGNMENT_SAVE (value, known)
INSERT INTO mdm_meta (name, value) VALUES ('assignments', %s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE mdm_meta.value = %s;

-- STMT_ASSIGNMENT_DELETE (id)
DELETE FROM mdm_assignment WHERE id = %lld;

-- STMT_ASSIGNMENT_TALLY (since, profile, assignment, version)
SELECT COUNT(*), COUNT(CASE WHEN first_failed_at > %lld THEN 1 END) FROM mdm_desired
WHERE profile = %lld AND assignment = %lld AND version = %lld AND state <= 6;

-- ---- many enrollments at a time

-- STMT_BATCH_ENROLLMENTS (ids*64)
SELECT id, enrollment_id, type, parent, state, login, serial_number, model, model_name, device_name, product_name,
    os_version, build_version, imei, meid, user_short_name, user_long_name
FROM mdm_enrollment WHERE id IN (%64lld) ORDER BY id;

-- STMT_BATCH_CHANNELS (devices*64)
SELECT id FROM mdm_enrollment WHERE parent > 0 AND parent IN (%64lld) AND state = 2 ORDER BY id;

-- STMT_BATCH_MEMBERSHIPS (enrollments*64)
SELECT enrollment, collection FROM mdm_member WHERE enrollment IN (%64lld);

-- STMT_BATCH_FACTS (enrollments*64, names*64)
SELECT enrollment, name, value FROM mdm_fact WHERE enrollment IN (%64lld) AND name IN (%64s);

-- STMT_BATCH_USERS (logins*64)
SELECT login, display_name, email, attributes, disabled FROM mdm_user WHERE login IN (%64s);

-- STMT_BATCH_PROFILES ()
SELECT id, name, identifier, scope, version FROM mdm_profile
WHERE archived_at = 0 AND EXISTS (SELECT 1 FROM mdm_assignment a WHERE a.profile = mdm_profile.id) ORDER BY id;

-- STMT_BATCH_VERSIONS ()
SELECT v.profile, v.version, v.detail
FROM (SELECT p.id AS profile, p.version AS version FROM mdm_profile p
    WHERE p.archived_at = 0 AND EXISTS (SELECT 1 FROM mdm_assignment a WHERE a.profile = p.id)
    UNION SELECT profile, version FROM mdm_assignment WHERE version > 0
    UNION SELECT profile, rollout_version FROM mdm_assignment WHERE rollout_version > 0
    UNION SELECT profile, rollout_from FROM mdm_assignment WHERE rollout_from > 0) used
JOIN mdm_profile_version v ON v.profile = used.profile AND v.version = used.version;

-- Limits within, so that a page costs what a page needs, whatever PostgreSQL believes of a table that has grown since it
-- counted. Second: whether it is enrolled

-- PART batch_page
concerned_rows ORDER BY id LIMIT %lld) page_rows
LEFT JOIN mdm_enrollment e ON e.id = page_rows.id ORDER BY page_rows.id

-- STMT_BATCH_OF_PROFILE (profile, after, limit, after, profile, limit, after, profile, after, profile, limit)
SELECT page_rows.id, CASE WHEN e.state = 2 THEN 1 ELSE 0 END
FROM (SELECT id
FROM (SELECT id FROM (
        SELECT d.enrollment AS id FROM mdm_desired d WHERE d.profile = %lld AND d.enrollment > %lld
        ORDER BY d.enrollment LIMIT %lld) desired_rows
    UNION
    SELECT id FROM (
        SELECT DISTINCT m.enrollment AS id FROM mdm_member m WHERE m.enrollment > %lld AND m.collection IN (
            SELECT CAST(a.target AS BIGINT) FROM mdm_assignment a
            WHERE a.profile = %lld AND a.exclude = 0 AND a.kind = 1)
        ORDER BY m.enrollment LIMIT %lld) member_rows
    UNION
    SELECT u.id FROM mdm_enrollment u WHERE u.id > %lld AND u.login IN (
        SELECT a.target FROM mdm_assignment a WHERE a.profile = %lld AND a.exclude = 0 AND a.kind = 2)
    UNION
    SELECT u.id FROM mdm_enrollment u WHERE u.id > %lld AND u.id IN (
        SELECT CAST(a.target AS BIGINT) FROM mdm_assignment a
        WHERE a.profile = %lld AND a.exclude = 0 AND a.kind = 3)) {batch_page};

-- STMT_BATCH_OF_USER_PROFILE (profile, after, limit, profile, after, after, profile, after, profile, after, profile, limit)
SELECT page_rows.id, CASE WHEN e.state = 2 THEN 1 ELSE 0 END
FROM (SELECT id
FROM (SELECT id FROM (
        SELECT d.enrollment AS id FROM mdm_desired d WHERE d.profile = %lld AND d.enrollment > %lld
        ORDER BY d.enrollment LIMIT %lld) desired_rows
    UNION
    SELECT u.id
    FROM mdm_member m JOIN mdm_enrollment u ON u.parent > 0 AND (u.parent = m.enrollment OR u.id = m.enrollment)
    WHERE m.collection IN (
            SELECT CAST(a.target AS BIGINT) FROM mdm_assignment a
            WHERE a.profile = %lld AND a.exclude = 0 AND a.kind = 1)
        AND u.id > %lld
    UNION
    SELECT u.id FROM mdm_enrollment u WHERE u.id > %lld AND u.login IN (
        SELECT a.target FROM mdm_assignment a WHERE a.profile = %lld AND a.exclude = 0 AND a.kind = 2)
    UNION
    SELECT u.id FROM mdm_enrollment u WHERE u.id > %lld AND u.parent > 0 AND u.parent IN (
        SELECT CAST(a.target AS BIGINT) FROM mdm_assignment a
        WHERE a.profile = %lld AND a.exclude = 0 AND a.kind = 3)
    UNION
    SELECT u.id FROM mdm_enrollment u WHERE u.id > %lld AND u.parent > 0 AND u.id IN (
        SELECT CAST(a.target AS BIGINT) FROM mdm_assignment a
        WHERE a.profile = %lld AND a.exclude = 0 AND a.kind = 3)) {batch_page};

-- STMT_BATCH_OF_HOLDERS (profile, after, limit)
SELECT d.enrollment FROM mdm_desired d
WHERE d.profile = %lld AND d.enrollment > %lld AND d.state < 8
    AND EXISTS (SELECT 1 FROM mdm_enrollment e WHERE e.id = d.enrollment AND e.state = 2)
ORDER BY d.enrollment LIMIT %lld;

-- STMT_BATCH_OF_GROUP (collection, after, limit, collection, after, limit)
SELECT page_rows.id, CASE WHEN e.state = 2 THEN 1 ELSE 0 END
FROM (SELECT id
FROM (SELECT id FROM (
        SELECT m.enrollment AS id FROM mdm_member m WHERE m.collection = %lld AND m.enrollment > %lld
        ORDER BY m.enrollment LIMIT %lld) member_rows
    UNION
    SELECT u.id FROM mdm_member m JOIN mdm_enrollment u ON u.parent = m.enrollment AND u.parent > 0
    WHERE m.collection = %lld AND u.id > %lld) {batch_page};

-- STMT_BATCH_OF_USER (login, after, limit)
SELECT id FROM mdm_enrollment WHERE login = %s AND id > %lld AND state = 2 ORDER BY id LIMIT %lld;

-- STMT_BATCH_OF_ENROLLMENT (id, after, parent, after, limit)
SELECT id FROM mdm_enrollment
WHERE state = 2 AND ((id = %lld AND id > %lld) OR (parent = %lld AND parent > 0 AND id > %lld)) ORDER BY id LIMIT %lld;

-- STMT_BATCH_WORK ()
SELECT (SELECT MIN(id) FROM mdm_change WHERE finished_at = 0), (SELECT MIN(since) FROM mdm_recheck),
    (SELECT MIN(rollout_at) FROM mdm_assignment WHERE rollout_at > 0);
