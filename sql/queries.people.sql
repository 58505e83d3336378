-- SPDX-License-Identifier: Apache-2.0
--
-- Statements about persons, groups and the directory, written as in queries.sql.

-- ---- persons

-- STMT_USER_MANY (logins*64)
SELECT login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at
FROM mdm_user WHERE login IN (%64s);

-- STMT_USER_MANY_PGSQL (logins*64)
SELECT login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at
FROM mdm_user WHERE login IN (%64s) ORDER BY login FOR UPDATE;

-- STMT_USER_LIST (cursor, limit)
SELECT login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at
FROM mdm_user WHERE login > %s ORDER BY login LIMIT %lld;

-- STMT_USER_LIST_DISABLED (disabled, cursor, limit)
SELECT login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at
FROM mdm_user WHERE disabled = %lld AND login > %s ORDER BY login LIMIT %lld;

-- STMT_USER_PUT (login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at)
INSERT INTO mdm_user (login, display_name, email, attributes, source, disabled, created_at, changed_at, synced_at)
VALUES (%s, %s, %s, %s, %s, %lld, %lld, %lld, %lld)
ON CONFLICT (login) DO UPDATE SET display_name = excluded.display_name, email = excluded.email,
    attributes = excluded.attributes, source = excluded.source, disabled = excluded.disabled,
    changed_at = excluded.changed_at, synced_at = excluded.synced_at;

-- ---- what the directory said last

-- STMT_USER_SYNCED ()
SELECT login FROM mdm_user WHERE synced_at > 0 ORDER BY login;

-- STMT_USER_SEEN (synced_at)
UPDATE mdm_user SET synced_at = %lld WHERE synced_at > 0;

-- STMT_USER_LOST (logins*64)
UPDATE mdm_user SET synced_at = 0 WHERE login IN (%64s);

-- STMT_DIRECTORY_MEMBERS (collection)
SELECT login FROM mdm_directory_member WHERE collection = %lld ORDER BY login;

-- STMT_DIRECTORY_JOIN (collection, login, synced_at)
INSERT INTO mdm_directory_member (collection, login, synced_at) VALUES (%lld, %s, %lld)
ON CONFLICT (collection, login) DO NOTHING;

-- STMT_DIRECTORY_LEAVE (collection, logins*64)
DELETE FROM mdm_directory_member WHERE collection = %lld AND login IN (%64s);
