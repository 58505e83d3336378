-- SPDX-License-Identifier: Apache-2.0
--
-- Statements about what devices answer of profiles, remedies and why an enrollment is stuck, written as in queries.sql.
-- The states are the numbers of mdm_desired_state_e, a delivery of 7 is MDM_DELIVERY_PROFILE_LIST.

-- ---- lists

-- What should hold, profiles of the library that are there without that (version -1), and what was told of the
-- enrollment profile (profile 0)

-- STMT_DRIFT_ROWS (enrollment, enrollment, enrollment)
SELECT d.profile, p.identifier, p.name, d.version, d.want_uuid, d.state, d.drift, d.command,
    CASE WHEN q.command IS NULL THEN 0 ELSE 1 END, d.tries, d.next_try_at, d.first_failed_at, d.changed_at,
    d.verified_at, d.error, v.detail
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile
LEFT JOIN mdm_profile_version v ON v.profile = d.profile AND v.version = d.version
LEFT JOIN mdm_queue q ON q.command = d.command AND q.enrollment = d.enrollment
WHERE d.enrollment = %lld
UNION ALL
SELECT p.id, p.identifier, p.name, -1, NULL, 9, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL
FROM mdm_item i JOIN mdm_profile p ON p.identifier = i.identifier
WHERE i.enrollment = %lld AND i.kind = 'profile'
    AND NOT EXISTS (SELECT 1 FROM mdm_desired d WHERE d.enrollment = i.enrollment AND d.profile = p.id)
UNION ALL
SELECT 0, '', value, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL
FROM mdm_fact WHERE enrollment = %lld AND name = 'ProfileList.EnrollmentProfile'
ORDER BY 1;

-- PART drift_row
(CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
    CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT), CAST(%lld AS BIGINT))

-- The last of a row is its changed_at as it was read, or now for one that is new. What was changed since the read, by
-- whatever clock, stays as it is

-- STMT_DRIFT_PUT (enrollment, reason, rows*288, changed_at)
INSERT INTO mdm_desired (enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command, drift,
    tries, next_try_at, first_failed_at, changed_at, verified_at, error)
SELECT %lld, r.column1, 0, NULL, NULL, r.column2, 0, %s, 0, r.column3, r.column4, r.column5, r.column6, r.column9,
    r.column7, r.column8
FROM (VALUES
    {32*drift_row}) r
WHERE r.column1 > 0
ON CONFLICT (enrollment, profile) DO UPDATE SET state = excluded.state, command = 0, drift = excluded.drift,
    tries = excluded.tries, next_try_at = excluded.next_try_at, first_failed_at = excluded.first_failed_at,
    changed_at = %lld, verified_at = excluded.verified_at, error = excluded.error
WHERE mdm_desired.changed_at = excluded.changed_at;

-- STMT_DRIFT_LOOK (command, priority, queued_at, enrollment)
INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at, not_before, not_after, held)
SELECT %lld, e.id, %lld, 0, 0, %lld, 0, 0, 0, 0 FROM mdm_enrollment e
WHERE e.id = %lld AND e.state = 2 AND NOT EXISTS (
    SELECT 1 FROM mdm_queue q JOIN mdm_command c ON c.id = q.command WHERE q.enrollment = e.id AND c.delivery = 7);

-- ---- remedies and checks

-- STMT_REMEDY (command, changed_at, profile, now, enrollments*64)
UPDATE mdm_desired SET state = CASE WHEN version = 0 THEN 8 ELSE 1 END, command = %lld, tries = tries + 1,
    next_try_at = 0, changed_at = %lld
WHERE profile = %lld AND next_try_at > 0 AND next_try_at <= %lld AND enrollment IN (%64lld);

-- STMT_CHECK_SIZE ()
SELECT COUNT(*) FROM mdm_enrollment;

-- STMT_CHECK_WINDOW (cursor, limit)
SELECT MAX(window_rows.id), COUNT(*) FROM (SELECT id FROM mdm_enrollment WHERE id > %lld ORDER BY id LIMIT %lld) window_rows;

-- STMT_CHECK_QUEUE (command, priority, queued_at, cursor, end, before)
INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at, not_before, not_after, held)
SELECT %lld, e.id, %lld, 0, 0, %lld, 0, 0, 0, 0 FROM mdm_enrollment e
WHERE e.id > %lld AND e.id <= %lld AND e.state = 2
    AND EXISTS (SELECT 1 FROM mdm_desired d WHERE d.enrollment = e.id AND d.state < 10)
    AND NOT EXISTS (SELECT 1 FROM mdm_fact_source s
        WHERE s.enrollment = e.id AND s.source = 'ProfileList' AND s.seen_at > %lld)
    AND NOT EXISTS (
        SELECT 1 FROM mdm_queue q JOIN mdm_command c ON c.id = q.command WHERE q.enrollment = e.id AND c.delivery = 7);

-- STMT_CHECK_QUEUED (command)
SELECT e.enrollment_id FROM mdm_queue q JOIN mdm_enrollment e ON e.id = q.enrollment WHERE q.command = %lld ORDER BY 1;

-- ---- for the status page

-- STMT_DRIFT_TROUBLE ()
SELECT state, COUNT(*) FROM mdm_desired WHERE state >= 5 AND state <= 7 GROUP BY state
UNION ALL
SELECT CASE WHEN value = '"missing"' THEN 101 ELSE 102 END, COUNT(*) FROM mdm_fact
WHERE name = 'ProfileList.EnrollmentProfile' GROUP BY 1;

-- How far the profiles are that were changed last and are meant for somebody; of one with more than so many rows they
-- are not counted

-- STMT_FIGURES_PROFILES (most_rows, limit)
SELECT p.name, p.version, p.uncounted, d.state, d.version, COUNT(*)
FROM (SELECT id, name, version, changed_at, CASE WHEN EXISTS (SELECT 1 FROM mdm_desired m
        WHERE m.profile = mdm_profile.id LIMIT 1 OFFSET %lld) THEN 1 ELSE 0 END AS uncounted
    FROM mdm_profile
    WHERE archived_at = 0 AND EXISTS (SELECT 1 FROM mdm_desired w WHERE w.profile = mdm_profile.id)
    ORDER BY changed_at DESC, id DESC LIMIT %lld) p
LEFT JOIN mdm_desired d ON d.profile = CASE WHEN p.uncounted = 0 THEN p.id END AND d.state < 9
GROUP BY p.changed_at, p.id, p.name, p.version, p.uncounted, d.state, d.version
ORDER BY p.changed_at DESC, p.id DESC, d.version DESC, d.state;

-- STMT_FIGURES_PASSCODES (limit)
SELECT e.enrollment_id, e.login, f.changed_at, COUNT(*) OVER ()
FROM mdm_fact f JOIN mdm_enrollment e ON e.id = f.enrollment
WHERE f.name = 'SecurityInfo.PasscodeCompliantWithProfiles' AND f.value = 'false' AND e.state = 2
ORDER BY f.changed_at DESC, e.enrollment_id LIMIT %lld;

-- STMT_DRIFT_TROUBLED (limit)
SELECT e.enrollment_id, p.name, d.state, d.drift, d.changed_at, d.error, d.next_try_at, d.reason
FROM (SELECT enrollment, profile, state, drift, changed_at, error, next_try_at, reason FROM mdm_desired
    WHERE state >= 5 AND state <= 7 ORDER BY state, changed_at LIMIT %lld) d
JOIN mdm_profile p ON p.id = d.profile JOIN mdm_enrollment e ON e.id = d.enrollment
ORDER BY d.state, d.changed_at, e.enrollment_id;

-- ---- why an enrollment is stuck

-- A user channel has the identity of its device; what waits for it is counted without what a second person has to
-- approve or what comes later

-- STMT_STUCK (now, now, now, enrollments*64)
SELECT e.id, e.enrollment_id, e.state, e.left_at, e.topic, t.topic, c.not_after, c.revoked_at,
    CASE WHEN p.dead_tally = e.token_update_tally THEN 1 ELSE 0 END, p.last_at, p.last_reason,
    CASE WHEN e.last_seen_at > p.last_at THEN 0 ELSE p.repushes END, p.attempts, p.due_at, e.last_seen_at, e.token_at,
    (SELECT COUNT(*) FROM mdm_queue q WHERE q.enrollment = e.id AND q.held = 0 AND q.not_before <= %lld),
    (SELECT MIN(q.queued_at) FROM mdm_queue q WHERE q.enrollment = e.id AND q.held = 0 AND q.not_before <= %lld),
    (SELECT COUNT(*) FROM mdm_queue q WHERE q.enrollment = e.id AND q.held = 1),
    (SELECT MIN(q.not_before) FROM mdm_queue q WHERE q.enrollment = e.id AND q.held = 0 AND q.not_before > %lld),
    (SELECT MIN(n.request_type) FROM mdm_queue q JOIN mdm_command n ON n.id = q.command
        WHERE q.enrollment = e.id AND q.tries > 0 AND q.held = 0)
FROM mdm_enrollment e JOIN mdm_push p ON p.enrollment = e.id
LEFT JOIN mdm_push_topic t ON t.topic = e.topic
LEFT JOIN mdm_enrollment b ON b.id = CASE WHEN e.parent > 0 THEN e.parent ELSE e.id END
LEFT JOIN mdm_certificate c ON c.fingerprint = b.certificate
WHERE e.id IN (%64lld)
ORDER BY e.id;

-- Exclusions from a rollout (0), rollouts whose version it does not have (1), and profiles that are not as they should
-- be (2). Who is meant by an assignment is meant here as in core/mdm_effect.c

-- STMT_STUCK_PROFILES (enrollments*64, enrollments*64)
SELECT d.enrollment, 2, p.name, d.state, d.drift, d.next_try_at,
    CASE WHEN d.state = 7 THEN d.reason ELSE d.error END, d.changed_at, 0, NULL, d.profile
FROM mdm_desired d JOIN mdm_profile p ON p.id = d.profile
WHERE d.enrollment IN (%64lld) AND d.state >= 5 AND d.state <= 7
UNION ALL
SELECT e.id, 1 - a.exclude, p.name, a.rollout_state, a.rollout_step, a.rollout_at, a.rollout_reason, a.changed_at, a.id,
    a.rollout, a.profile
FROM mdm_enrollment e JOIN mdm_assignment a ON (a.exclude = 0 AND a.rollout_state >= 1 AND a.rollout_state <= 3)
    OR (a.exclude = 1 AND EXISTS (SELECT 1 FROM mdm_assignment r
        WHERE r.profile = a.profile AND r.rollout_state >= 1 AND r.rollout_state <= 3))
JOIN mdm_profile p ON p.id = a.profile
WHERE e.id IN (%64lld) AND e.state = 2 AND (p.scope = 'User') = (e.parent > 0)
    AND ((a.kind = 3 AND (a.target = CAST(e.id AS TEXT) OR (e.parent > 0 AND a.target = CAST(e.parent AS TEXT))))
        OR (a.kind = 2 AND a.target = e.login AND (a.exclude = 1
            OR NOT EXISTS (SELECT 1 FROM mdm_user u WHERE u.login = e.login AND u.disabled = 1)))
        OR (a.kind = 1 AND EXISTS (SELECT 1 FROM mdm_member m
            WHERE (m.enrollment = e.id OR m.enrollment = e.parent) AND CAST(m.collection AS TEXT) = a.target)))
    AND (a.exclude = 1 OR NOT EXISTS (SELECT 1 FROM mdm_desired d
        WHERE d.enrollment = e.id AND d.profile = a.profile AND d.version = a.rollout_version))
ORDER BY 1, 2, 8, 3;

-- Enrollments with the oldest open commands, and with profiles that are not as they should be

-- STMT_STUCK_CANDIDATES (limit, limit)
SELECT enrollment FROM (SELECT enrollment FROM mdm_queue ORDER BY command LIMIT %lld) q
UNION
SELECT enrollment FROM (SELECT enrollment FROM mdm_desired WHERE state >= 5 AND state <= 7
    ORDER BY state, changed_at LIMIT %lld) d
ORDER BY 1;
