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

-- STMT_DRIFT_PUT (enrollment, reason, changed_at, rows*256, read_at)
INSERT INTO mdm_desired (enrollment, profile, version, want_uuid, sent_uuid, state, assignment, reason, command, drift,
    tries, next_try_at, first_failed_at, changed_at, verified_at, error)
SELECT %lld, r.column1, 0, NULL, NULL, r.column2, 0, %s, 0, r.column3, r.column4, r.column5, r.column6, %lld, r.column7,
    r.column8
FROM (VALUES
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%lld AS BIGINT),
        CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT))) r
WHERE r.column1 > 0
ON CONFLICT (enrollment, profile) DO UPDATE SET state = excluded.state, command = 0, drift = excluded.drift,
    tries = excluded.tries, next_try_at = excluded.next_try_at, first_failed_at = excluded.first_failed_at,
    changed_at = excluded.changed_at, verified_at = excluded.verified_at, error = excluded.error
WHERE mdm_desired.changed_at <= %lld;

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
SELECT MAX(x.id), COUNT(*) FROM (SELECT id FROM mdm_enrollment WHERE id > %lld ORDER BY id LIMIT %lld) x;

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

-- STMT_DRIFT_TROUBLED (limit)
SELECT e.enrollment_id, p.name, d.state, d.drift, d.changed_at, d.error, d.next_try_at, d.reason
FROM (SELECT enrollment, profile, state, drift, changed_at, error, next_try_at, reason FROM mdm_desired
    WHERE state >= 5 AND state <= 7 ORDER BY state, changed_at LIMIT %lld) d
JOIN mdm_profile p ON p.id = d.profile JOIN mdm_enrollment e ON e.id = d.enrollment
ORDER BY d.state, d.changed_at, e.enrollment_id;
