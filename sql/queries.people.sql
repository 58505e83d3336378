-- SPDX-License-Identifier: Apache-2.0
--
-- Statements about persons, groups and the directory, written as in queries.sql.

-- ---- persons

-- PART user_columns
login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at, disabled_by

-- STMT_USER_MANY (logins*64)
SELECT {user_columns} FROM mdm_user WHERE login IN (%64s);

-- STMT_USER_MANY_PGSQL (logins*64)
SELECT {user_columns} FROM mdm_user WHERE login IN (%64s) ORDER BY login FOR UPDATE;

-- STMT_USER_LIST (cursor, limit)
SELECT {user_columns} FROM mdm_user WHERE login > %s ORDER BY login LIMIT %lld;

-- STMT_USER_LIST_DISABLED (disabled, cursor, limit)
SELECT {user_columns} FROM mdm_user WHERE disabled = %lld AND login > %s ORDER BY login LIMIT %lld;

-- Who signs in, and whoever is disabled and has the same login but for case and spaces

-- PART user_alike
SELECT {user_columns} FROM mdm_user
WHERE LOWER(TRIM(login)) IN (%s, %s, %s) AND (login = %s OR disabled = 1)

-- STMT_USER_ALIKE (folded, folded, folded, login)
{user_alike};

-- STMT_USER_ALIKE_PGSQL (folded, folded, folded, login)
{user_alike} ORDER BY login FOR UPDATE;

-- STMT_USER_INSERT (login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at,
--     disabled_by)
INSERT INTO mdm_user ({user_columns})
VALUES (%s, %s, %s, %s, %s, %lld, %lld, %lld, %lld, %s) ON CONFLICT (login) DO NOTHING;

-- STMT_USER_UPDATE (display_name, email, attributes, source, disabled, changed_at, synced_at, disabled_by, login)
UPDATE mdm_user SET display_name = %s, email = %s, attributes = %s, source = %s, disabled = %lld, changed_at = %lld,
    synced_at = %lld, disabled_by = %s
WHERE login = %s;

-- ---- what the directory said last

-- STMT_USER_SEEN (synced_at)
UPDATE mdm_user SET synced_at = %lld WHERE synced_at > 0;

-- STMT_USER_LOST (logins*64)
UPDATE mdm_user SET synced_at = 0 WHERE login IN (%64s);

-- STMT_DIRECTORY_ASK (position, name, now)
UPDATE mdm_job SET due_at = 0, position = %s WHERE name = %s AND lease_until <= %lld;

-- STMT_DIRECTORY_MEMBERS (collection)
SELECT login FROM mdm_directory_member WHERE collection = %lld ORDER BY login;

-- STMT_DIRECTORY_JOIN (collection, login, synced_at)
INSERT INTO mdm_directory_member (collection, login, synced_at) VALUES (%lld, %s, %lld)
ON CONFLICT (collection, login) DO NOTHING;

-- STMT_DIRECTORY_LEAVE (collection, logins*64)
DELETE FROM mdm_directory_member WHERE collection = %lld AND login IN (%64s);

-- ---- groups: the column collection holds mdm_group.id; the kinds are 1 static, 2 rule, 3 directory

-- STMT_GROUP_INSERT (id, name, created_by, created_at, kind, rule, directory)
INSERT INTO mdm_group (id, name, created_by, created_at, kind, rule, directory)
VALUES (%lld, %s, %s, %lld, %lld, %s, %s) ON CONFLICT (name) DO NOTHING;

-- STMT_GROUP_UPDATE (rule, directory, changed_by, changed_at, synced_at, id)
UPDATE mdm_group SET rule = %s, directory = %s, changed_by = %s, changed_at = %lld, synced_at = %lld WHERE id = %lld;

-- STMT_GROUP_HOLD (id, directory)
SELECT id FROM mdm_group WHERE id = %lld AND directory = %s;

-- STMT_GROUP_HOLD_PGSQL (id, directory)
SELECT id FROM mdm_group WHERE id = %lld AND directory = %s FOR KEY SHARE;

-- STMT_GROUP_SYNCED (synced_at, id, directory)
UPDATE mdm_group SET synced_at = %lld WHERE id = %lld AND directory = %s;

-- STMT_GROUP_GET (name)
SELECT g.id, g.name, g.created_by, g.created_at, (SELECT COUNT(*) FROM mdm_member m WHERE m.collection = g.id),
    g.kind, g.rule, g.directory, g.changed_by, g.changed_at, g.synced_at,
    (SELECT COUNT(*) FROM mdm_change c
        WHERE c.finished_at = 0 AND c.kind = 'group' AND c.object = CAST(g.id AS TEXT))
FROM mdm_group g WHERE g.name = %s;

-- STMT_GROUP_LIST (cursor, limit)
SELECT g.id, g.name, g.created_by, g.created_at, (SELECT COUNT(*) FROM mdm_member m WHERE m.collection = g.id),
    g.kind, g.rule, g.directory, g.changed_by, g.changed_at, g.synced_at,
    (SELECT COUNT(*) FROM mdm_change c
        WHERE c.finished_at = 0 AND c.kind = 'group' AND c.object = CAST(g.id AS TEXT))
FROM mdm_group g WHERE g.name > %s ORDER BY g.name LIMIT %lld;

-- Without what has to be counted

-- PART group_uncounted
SELECT g.id, g.name, g.created_by, g.created_at, 0, g.kind, g.rule, g.directory, g.changed_by, g.changed_at,
    g.synced_at, 0
FROM mdm_group g

-- STMT_GROUP_BY_ID (id)
{group_uncounted} WHERE g.id = %lld;

-- STMT_GROUP_KEPT ()
{group_uncounted} WHERE g.kind <> 1 ORDER BY g.id;

-- STMT_GROUP_LOCK_PGSQL (name)
{group_uncounted} WHERE g.name = %s FOR UPDATE;

-- STMT_GROUP_STAYS_PGSQL (id)
{group_uncounted} WHERE g.id = %lld FOR KEY SHARE;

-- STMT_GROUP_PROFILES (target, limit)
SELECT DISTINCT p.name FROM mdm_assignment a JOIN mdm_profile p ON p.id = a.profile
WHERE a.kind = 1 AND a.target = %s AND p.archived_at = 0 ORDER BY p.name LIMIT %lld;

-- STMT_GROUP_DELETE (id)
DELETE FROM mdm_group WHERE id = %lld;

-- STMT_GROUP_WATCH_CLEAR (object)
DELETE FROM mdm_watched_fact WHERE object = %lld AND kind = 'group';

-- STMT_GROUP_WATCH (name, object)
INSERT INTO mdm_watched_fact (name, kind, object) VALUES (%s, 'group', %lld)
ON CONFLICT (name, kind, object) DO NOTHING;

-- STMT_GROUP_DIRECTORY_CLEAR (collection)
DELETE FROM mdm_directory_member WHERE collection = %lld;

-- ---- members

-- STMT_MEMBER_ADD (collection, reason, added_at, ids*64)
INSERT INTO mdm_member (collection, enrollment, reason, added_at)
SELECT %lld, id, %s, %lld FROM mdm_enrollment WHERE enrollment_id IN (%64s)
ON CONFLICT (collection, enrollment) DO NOTHING;

-- STMT_MEMBER_KNOWN (ids*64)
SELECT enrollment_id FROM mdm_enrollment WHERE enrollment_id IN (%64s);

-- STMT_MEMBER_REMOVE (collection, enrollment_id)
DELETE FROM mdm_member
WHERE collection = %lld AND enrollment = (SELECT e.id FROM mdm_enrollment e WHERE e.enrollment_id = %s);

-- STMT_MEMBER_CLEAR (collection)
DELETE FROM mdm_member WHERE collection = %lld;

-- STMT_MEMBER_LIST (collection, cursor, limit)
SELECT e.enrollment_id, m.reason, m.added_at, e.state
FROM mdm_member m JOIN mdm_enrollment e ON e.id = m.enrollment
WHERE m.collection = %lld
    AND m.enrollment > COALESCE((SELECT p.id FROM mdm_enrollment p WHERE p.enrollment_id = %s), 0)
ORDER BY m.enrollment LIMIT %lld;

-- STMT_MEMBER_KEPT (enrollments*64)
SELECT m.collection, m.enrollment, m.reason FROM mdm_member m JOIN mdm_group g ON g.id = m.collection
WHERE m.enrollment IN (%64lld) AND g.kind <> 1;

-- PART member_row
(%lld, %lld, %s)

-- Members, or other reasons of those there are; none of a group that is gone

-- STMT_MEMBER_PUT (added_at, rows*96)
INSERT INTO mdm_member (collection, enrollment, reason, added_at)
SELECT r.column1, r.column2, r.column3, %lld FROM (VALUES
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    {31*member_row}) r
    JOIN mdm_group g ON g.id = r.column1 WHERE r.column2 IS NOT NULL
ON CONFLICT (collection, enrollment) DO UPDATE SET reason = excluded.reason;

-- The same, so that a group which is being deleted meanwhile gets none

-- STMT_MEMBER_PUT_PGSQL (added_at, rows*96)
INSERT INTO mdm_member (collection, enrollment, reason, added_at)
SELECT r.column1, r.column2, r.column3, %lld FROM (VALUES
    (CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT)),
    {31*member_row}) r
    JOIN mdm_group g ON g.id = r.column1 FOR KEY SHARE OF g
ON CONFLICT (collection, enrollment) DO UPDATE SET reason = excluded.reason;

-- STMT_MEMBER_DROP (collection, enrollments*64)
DELETE FROM mdm_member WHERE collection = %lld AND enrollment IN (%64lld);

-- STMT_MEMBER_CLOSE (enrollment, enrollment)
DELETE FROM mdm_member
WHERE enrollment IN (SELECT e.id FROM mdm_enrollment e WHERE e.id = %lld OR (e.parent = %lld AND e.parent > 0))
    AND collection IN (SELECT g.id FROM mdm_group g WHERE g.kind <> 1);

-- ---- whom groups are made of: enrollments with their users; a user channel has the columns of its device

-- Members are looked up one by one, whatever the planner believes of their number

-- STMT_SUBJECT_PAGE (collection, collection, position, collection)
SELECT e.id, CASE WHEN e.parent > 0 THEN e.parent ELSE e.id END, e.enrollment_id, e.type, e.state,
    COALESCE(e.login, d.login), COALESCE(d.serial_number, e.serial_number), COALESCE(d.model, e.model),
    COALESCE(d.model_name, e.model_name), COALESCE(d.product_name, e.product_name),
    COALESCE(d.device_name, e.device_name), COALESCE(d.os_version, e.os_version),
    COALESCE(d.build_version, e.build_version), COALESCE(d.imei, e.imei), u.login, u.display_name, u.email,
    u.attributes, u.disabled,
    (SELECT COALESCE(m.reason, '') FROM mdm_member m WHERE m.collection = %lld AND m.enrollment = e.id),
    (SELECT x.login FROM mdm_directory_member x
        WHERE x.collection = %lld AND x.login = COALESCE(e.login, d.login))
FROM mdm_enrollment e
    LEFT JOIN mdm_enrollment d ON d.id = e.parent AND e.parent > 0
    LEFT JOIN mdm_user u ON u.login = COALESCE(e.login, d.login)
WHERE e.id > %lld AND (e.state = 2 OR e.state = 6
        OR (SELECT m.enrollment FROM mdm_member m WHERE m.collection = %lld AND m.enrollment = e.id) IS NOT NULL)
ORDER BY e.id LIMIT 512;

-- STMT_SUBJECT_MANY (enrollments*64)
SELECT e.id, CASE WHEN e.parent > 0 THEN e.parent ELSE e.id END, e.enrollment_id, e.type, e.state,
    COALESCE(e.login, d.login), COALESCE(d.serial_number, e.serial_number), COALESCE(d.model, e.model),
    COALESCE(d.model_name, e.model_name), COALESCE(d.product_name, e.product_name),
    COALESCE(d.device_name, e.device_name), COALESCE(d.os_version, e.os_version),
    COALESCE(d.build_version, e.build_version), COALESCE(d.imei, e.imei), u.login, u.display_name, u.email,
    u.attributes, u.disabled, NULL, NULL
FROM mdm_enrollment e
    LEFT JOIN mdm_enrollment d ON d.id = e.parent AND e.parent > 0
    LEFT JOIN mdm_user u ON u.login = COALESCE(e.login, d.login)
WHERE e.id IN (%64lld) ORDER BY e.id;

-- STMT_SUBJECT_FACTS (enrollments*64, names*64)
SELECT enrollment, name, value FROM mdm_fact WHERE enrollment IN (%64lld) AND name IN (%64s);

-- STMT_SUBJECT_DIRECTORY (logins*64)
SELECT collection, login FROM mdm_directory_member WHERE login IN (%64s);
