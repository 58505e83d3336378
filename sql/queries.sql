-- SPDX-License-Identifier: Apache-2.0
--
-- Every statement of mod_mdm, portable over its databases. build/sql2h turns each mark "-- STMT_NAME (arguments)"
-- with the SQL below it into a number and a text of mod_mdm/store/mdm_sql.h. Placeholders are %s and %lld (APR DBD);
-- "ids*64" with %64s is a list of 64, padded with NULL. What several statements share is written once: the SQL below
-- "-- PART name" stands for {name} from there on, {16*name} for sixteen of it with commas between. A placeholder is
-- compared with a bare column only: SQLite binds all of them as text. The states of an enrollment are the numbers of
-- mdm_state_e: 1 pending, 2 enrolled, 5 unmanaged, 6 missing.

-- ---- meta

-- STMT_META_TABLES_SQLITE3 ()
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'mdm_meta';

-- STMT_META_TABLES_PGSQL ()
SELECT CASE WHEN to_regclass('mdm_meta') IS NULL THEN 0 ELSE 1 END;

-- STMT_META_GET (name)
SELECT value FROM mdm_meta WHERE name = %s;

-- STMT_META_INSERT (name, value)
INSERT INTO mdm_meta (name, value) VALUES (%s, %s);

-- STMT_META_PUT (name, value)
INSERT INTO mdm_meta (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- STMT_META_STEP (to, name, from)
UPDATE mdm_meta SET value = %s WHERE name = %s AND value = %s;

-- STMT_META_UPDATE (value, name)
UPDATE mdm_meta SET value = %s WHERE name = %s;

-- ---- certificates

-- PART certificate_columns
fingerprint, serial, subject, not_before, not_after, issued_at, enrollment, login, request_sha256,
    revoked_at, revoked_reason, replaced_by, pem, issuer, challenge, session

-- STMT_CERTIFICATE_INSERT (fingerprint, serial, subject, not_before, not_after, issued_at, enrollment, user,
--     request_sha256, revoked_at, revoked_reason, replaced_by, pem, issuer, challenge, session)
INSERT INTO mdm_certificate ({certificate_columns})
VALUES (%s, %s, %s, %lld, %lld, %lld, %lld, %s, %s, %lld, %s, %s, %s, %s, %s, %lld);

-- STMT_CERTIFICATE_BY_FINGERPRINT (fingerprint)
SELECT {certificate_columns} FROM mdm_certificate WHERE fingerprint = %s;

-- STMT_CERTIFICATE_BY_SERIAL (serial)
SELECT c.fingerprint, c.serial, c.subject, c.not_before, c.not_after, c.issued_at, c.enrollment, c.login,
    c.request_sha256, c.revoked_at, c.revoked_reason, c.replaced_by, c.pem, c.issuer, c.challenge, c.session,
    (SELECT e.enrollment_id FROM mdm_enrollment e WHERE e.id = c.enrollment)
FROM mdm_certificate c WHERE c.serial = %s;

-- STMT_CERTIFICATE_BY_REQUEST (request_sha256)
SELECT {certificate_columns} FROM mdm_certificate WHERE request_sha256 = %s;

-- PART certificate_listed
c.fingerprint, c.serial, c.subject, c.not_before, c.not_after, c.issued_at, c.enrollment, c.login,
    c.request_sha256, c.revoked_at, c.revoked_reason, c.replaced_by, NULL, c.issuer, c.challenge, c.session,
    (SELECT e.enrollment_id FROM mdm_enrollment e WHERE e.id = c.enrollment)
FROM mdm_certificate c
WHERE c.issued_at <= %lld AND (c.issued_at < %lld OR c.fingerprint < %s)

-- STMT_CERTIFICATE_LIST (before, before, fingerprint, limit)
SELECT {certificate_listed}
ORDER BY c.issued_at DESC, c.fingerprint DESC LIMIT %lld;

-- STMT_CERTIFICATE_SEARCH (before, before, fingerprint, serial, subject, user, limit)
SELECT {certificate_listed}
    AND (c.serial LIKE LOWER(%s) ESCAPE '!' OR LOWER(c.subject) LIKE LOWER(%s) ESCAPE '!' OR c.login = %s)
ORDER BY c.issued_at DESC, c.fingerprint DESC LIMIT %lld;

-- STMT_CERTIFICATE_RENEWALS (enrollment, since)
SELECT COUNT(*) FROM mdm_certificate
WHERE enrollment = %lld AND enrollment > 0 AND issued_at > %lld AND challenge IS NULL;

-- STMT_CERTIFICATE_RENEWALS_UNBOUND (since, subject)
SELECT COUNT(*) FROM mdm_certificate WHERE issued_at > %lld AND enrollment = 0 AND challenge IS NULL AND subject = %s;

-- STMT_CERTIFICATE_BIND (enrollment, fingerprint)
UPDATE mdm_certificate SET enrollment = %lld WHERE fingerprint = %s AND enrollment = 0;

-- STMT_CERTIFICATE_SUPERSEDE (replaced_by, revoked_at, enrollment, fingerprint)
UPDATE mdm_certificate SET replaced_by = %s,
    revoked_reason = CASE WHEN revoked_at = 0 THEN 'superseded' ELSE revoked_reason END,
    revoked_at = CASE WHEN revoked_at = 0 THEN %lld ELSE revoked_at END
WHERE enrollment = %lld AND enrollment > 0 AND replaced_by IS NULL AND fingerprint <> %s;

-- STMT_CERTIFICATE_REVOKE (revoked_at, revoked_reason, serial)
UPDATE mdm_certificate SET revoked_at = %lld, revoked_reason = %s WHERE serial = %s AND revoked_at = 0;

-- STMT_CERTIFICATE_REVOKE_ALL (revoked_at, revoked_reason, enrollment)
UPDATE mdm_certificate SET revoked_at = %lld, revoked_reason = %s
WHERE enrollment = %lld AND enrollment > 0 AND revoked_at = 0;

-- ---- revocation lists

-- STMT_CRL_GET (issuer)
SELECT issuer, number, stale, this_update, next_update, der FROM mdm_crl WHERE issuer = %s;

-- STMT_CRL_OPEN (issuer)
INSERT INTO mdm_crl (issuer, number, stale, this_update, next_update, der) VALUES (%s, 0, 1, 0, 0, '')
ON CONFLICT (issuer) DO NOTHING;

-- STMT_CRL_CLAIM (issuer, number)
UPDATE mdm_crl SET stale = 0 WHERE issuer = %s AND number = %lld;

-- STMT_CRL_PUT (number, this_update, next_update, der, issuer)
UPDATE mdm_crl SET number = %lld, this_update = %lld, next_update = %lld, der = %s WHERE issuer = %s;

-- STMT_CRL_STALE ()
UPDATE mdm_crl SET stale = 1;

-- STMT_CRL_ENTRIES (issuer, not_after)
SELECT serial, revoked_at, revoked_reason FROM mdm_certificate
WHERE issuer = %s AND revoked_at > 0 AND not_after > %lld ORDER BY revoked_at, serial;

-- STMT_CRL_ENTRIES_UNNAMED (not_after)
SELECT serial, revoked_at, revoked_reason FROM mdm_certificate
WHERE issuer IS NULL AND revoked_at > 0 AND not_after > %lld ORDER BY revoked_at, serial;

-- ---- challenges

-- STMT_CHALLENGE_INSERT (sha256, kind, user, common_name, created_at, expires_at, used_at, invitation, session,
--     enrollment)
INSERT INTO mdm_challenge (sha256, kind, login, common_name, created_at, expires_at, used_at, invitation, session,
    enrollment)
VALUES (%s, %s, %s, %s, %lld, %lld, %lld, %lld, %lld, %lld);

-- STMT_CHALLENGE_USE (used_at, sha256, kind, now, common_name)
UPDATE mdm_challenge SET used_at = %lld
WHERE sha256 = %s AND kind = %s AND used_at = 0 AND expires_at > %lld
    AND (common_name IS NULL OR common_name = %s);

-- STMT_CHALLENGE_PRUNE (before)
DELETE FROM mdm_challenge WHERE sha256 IN (
    SELECT sha256 FROM mdm_challenge WHERE expires_at < %lld ORDER BY expires_at LIMIT 256);

-- STMT_CHALLENGE_GET (sha256)
SELECT sha256, kind, login, common_name, created_at, expires_at, used_at, invitation, session, enrollment
FROM mdm_challenge WHERE sha256 = %s;

-- ---- invitations

-- PART invitation_columns
id, sha256, created_by, login, serial_number, uses_left, uses, created_at, expires_at, revoked_at

-- STMT_INVITATION_INSERT (id, sha256, created_by, user, serial_number, uses_left, uses, created_at, expires_at,
--     revoked_at)
INSERT INTO mdm_invitation ({invitation_columns})
VALUES (%lld, %s, %s, %s, %s, %lld, %lld, %lld, %lld, %lld);

-- STMT_INVITATION_GET (id)
SELECT {invitation_columns} FROM mdm_invitation WHERE id = %lld;

-- STMT_INVITATION_BY_SHA256 (sha256)
SELECT {invitation_columns} FROM mdm_invitation WHERE sha256 = %s;

-- STMT_INVITATION_LIST (cursor, limit)
SELECT {invitation_columns} FROM mdm_invitation WHERE id < %lld ORDER BY id DESC LIMIT %lld;

-- STMT_INVITATION_USE (id, now)
UPDATE mdm_invitation SET uses_left = uses_left - 1
WHERE id = %lld AND uses_left > 0 AND revoked_at = 0 AND expires_at > %lld;

-- STMT_INVITATION_REVOKE (revoked_at, id)
UPDATE mdm_invitation SET revoked_at = %lld WHERE id = %lld AND revoked_at = 0;

-- ---- enrollment sessions: the states are the numbers of mdm_session_state_e

-- STMT_SESSION_PRUNE (before)
DELETE FROM mdm_session WHERE id IN (
    SELECT id FROM mdm_session WHERE expires_at < %lld AND enrollment = 0 ORDER BY expires_at LIMIT 64);

-- PART session_columns
id, sha256, state, method, login, invitation, common_name, certificate, enrollment, source_ip,
    created_at, changed_at, expires_at, udid, serial_number, imei, meid, iccid, product, version, device_name

-- STMT_SESSION_INSERT (id, sha256, state, method, user, invitation, common_name, certificate, enrollment, source_ip,
--     created_at, changed_at, expires_at, udid, serial_number, imei, meid, iccid, product, version, device_name)
INSERT INTO mdm_session ({session_columns})
VALUES (%lld, %s, %lld, %lld, %s, %lld, %s, %s, %lld, %s, %lld, %lld, %lld, %s, %s, %s, %s, %s, %s, %s, %s);

-- STMT_SESSION_GET (id)
SELECT {session_columns} FROM mdm_session WHERE id = %lld;

-- STMT_SESSION_BY_SHA256 (sha256, now)
SELECT {session_columns} FROM mdm_session WHERE sha256 = %s AND expires_at > %lld;

-- STMT_SESSION_OF_ENROLLMENT (enrollment)
SELECT {session_columns}
FROM mdm_session WHERE enrollment = %lld AND enrollment > 0 AND udid IS NOT NULL ORDER BY id DESC LIMIT 1;

-- STMT_SESSION_ADVANCE (state, changed_at, id, from)
UPDATE mdm_session SET state = %lld, changed_at = %lld WHERE id = %lld AND state = %lld;

-- STMT_SESSION_RAISE (state, changed_at, id, state)
UPDATE mdm_session SET state = %lld, changed_at = %lld WHERE id = %lld AND state < %lld;

-- STMT_SESSION_DESCRIBE (udid, serial_number, imei, meid, iccid, product, version, device_name, changed_at, id)
UPDATE mdm_session SET udid = %s, serial_number = %s, imei = %s, meid = %s, iccid = %s, product = %s, version = %s,
    device_name = %s, changed_at = %lld
WHERE id = %lld;

-- STMT_SESSION_IDENTIFY (certificate, changed_at, id)
UPDATE mdm_session SET certificate = %s, changed_at = %lld,
    state = CASE WHEN state = 3 OR (state = 2 AND method = 1) THEN 4 ELSE state END
WHERE id = %lld AND state < 5;

-- STMT_SESSION_DONE (enrollment, changed_at, id)
UPDATE mdm_session SET state = 6, enrollment = %lld, changed_at = %lld WHERE id = %lld AND state < 6;

-- ---- SCEP requests that wait for an administrator: the states are the numbers of mdm_request_state_e, 1 pending,
-- 2 approved, 3 denied, 4 issued

-- STMT_REQUEST_INSERT (id, transaction_id, key_sha256, state, subject, request_sha256, csr, user, challenge, session,
--     enrollment, certificate, source_ip, created_at, decided_at, decided_by)
INSERT INTO mdm_request (id, transaction_id, key_sha256, state, subject, request_sha256, csr, login, challenge, session,
    enrollment, certificate, source_ip, created_at, decided_at, decided_by)
VALUES (%lld, %s, %s, %lld, %s, %s, %s, %s, %s, %lld, %lld, %s, %s, %lld, %lld, %s);

-- PART request_columns
id, transaction_id, key_sha256, state, subject, request_sha256, login, challenge, session, enrollment,
    certificate, source_ip, created_at, decided_at, decided_by

-- STMT_REQUEST_GET (id)
SELECT {request_columns}, csr FROM mdm_request WHERE id = %lld;

-- STMT_REQUEST_BY_TRANSACTION (transaction_id, key_sha256)
SELECT {request_columns}, csr FROM mdm_request WHERE transaction_id = %s AND key_sha256 = %s;

-- STMT_REQUEST_LIST (cursor, limit)
SELECT {request_columns} FROM mdm_request WHERE id > %lld ORDER BY id LIMIT %lld;

-- STMT_REQUEST_LIST_STATE (state, cursor, limit)
SELECT {request_columns} FROM mdm_request WHERE state = %lld AND id > %lld ORDER BY id LIMIT %lld;

-- STMT_REQUEST_DECIDE (state, decided_at, decided_by, id)
UPDATE mdm_request SET state = %lld, decided_at = %lld, decided_by = %s WHERE id = %lld AND state = 1;

-- STMT_REQUEST_ISSUED (certificate, id)
UPDATE mdm_request SET state = 4, certificate = %s WHERE id = %lld AND state = 2;

-- STMT_REQUEST_FORGET (id)
DELETE FROM mdm_request WHERE id = %lld AND state > 2;

-- ---- enrollments

-- PART enrollment_columns
id, enrollment_id, type, parent, state, login, certificate, topic, token_update_tally, created_at, enrolled_at,
    left_at, last_seen_at, last_ip, serial_number, model, model_name, device_name, product_name, os_version,
    build_version, imei, meid, user_short_name, user_long_name, awaiting_configuration, silent_since

-- STMT_ENROLLMENT_GET (enrollment_id)
SELECT {enrollment_columns} FROM mdm_enrollment WHERE enrollment_id = %s;

-- STMT_ENROLLMENT_LIST (cursor, limit)
SELECT {enrollment_columns} FROM mdm_enrollment WHERE enrollment_id > %s ORDER BY enrollment_id LIMIT %lld;

-- STMT_ENROLLMENT_NEWEST (limit)
SELECT {enrollment_columns} FROM mdm_enrollment ORDER BY id DESC LIMIT %lld;

-- PART enrollment_found_columns
e.id, e.enrollment_id, e.type, e.parent, e.state, e.login, e.certificate, e.topic, e.token_update_tally,
    e.created_at, e.enrolled_at, e.left_at, e.last_seen_at, e.last_ip, COALESCE(e.serial_number, d.serial_number), e.model,
    e.model_name, e.device_name, e.product_name, e.os_version, e.build_version, e.imei, e.meid, e.user_short_name,
    e.user_long_name, e.awaiting_configuration, e.silent_since, c.pem

-- PART enrollment_joined
LEFT JOIN mdm_enrollment d ON d.id = e.parent
    LEFT JOIN mdm_certificate c ON c.fingerprint = e.certificate AND CAST(%lld AS INTEGER) = 1
WHERE e.enrollment_id > %s
    AND (CAST(%lld AS INTEGER) < 0 OR (CASE e.state WHEN 2 THEN 1 ELSE 0 END) = CAST(%lld AS INTEGER))

-- PART enrollment_filter_sqlite3
AND (%s = '[]' OR COALESCE(e.serial_number, d.serial_number) IN (SELECT value FROM json_each(%s)))
    AND (%s = '[]' OR e.user_short_name IN (SELECT value FROM json_each(%s)))
    AND (%s = '[]' OR e.type IN (SELECT value FROM json_each(%s)))
ORDER BY e.enrollment_id LIMIT %lld OFFSET %lld

-- STMT_ENROLLMENT_QUERY_SQLITE3 (with_certificate, cursor, enabled, enabled, serials, serials,
--     user_short_names, user_short_names, types, types, limit, offset)
SELECT {enrollment_found_columns} FROM mdm_enrollment e
    {enrollment_joined}
    {enrollment_filter_sqlite3};

-- PART enrollment_filter_pgsql
AND (%s = '[]' OR COALESCE(e.serial_number, d.serial_number) IN (SELECT json_array_elements_text(CAST(%s AS json))))
    AND (%s = '[]' OR e.user_short_name IN (SELECT json_array_elements_text(CAST(%s AS json))))
    AND (%s = '[]' OR e.type IN (SELECT json_array_elements_text(CAST(%s AS json))))
ORDER BY e.enrollment_id LIMIT %lld OFFSET %lld

-- STMT_ENROLLMENT_QUERY_PGSQL (with_certificate, cursor, enabled, enabled, serials, serials,
--     user_short_names, user_short_names, types, types, limit, offset)
SELECT {enrollment_found_columns} FROM mdm_enrollment e
    {enrollment_joined}
    {enrollment_filter_pgsql};

-- STMT_ENROLLMENT_QUERY_IDS_SQLITE3 (ids, with_certificate, cursor, enabled, enabled, serials, serials,
--     user_short_names, user_short_names, types, types, limit, offset)
SELECT {enrollment_found_columns}
FROM (SELECT * FROM mdm_enrollment WHERE enrollment_id IN (SELECT value FROM json_each(%s))) e
    {enrollment_joined}
    {enrollment_filter_sqlite3};

-- STMT_ENROLLMENT_QUERY_IDS_PGSQL (ids, with_certificate, cursor, enabled, enabled, serials, serials,
--     user_short_names, user_short_names, types, types, limit, offset)
SELECT {enrollment_found_columns}
FROM (SELECT * FROM mdm_enrollment WHERE enrollment_id = ANY (ARRAY(SELECT json_array_elements_text(CAST(%s AS json))))) e
    {enrollment_joined}
    {enrollment_filter_pgsql};

-- STMT_ENROLLMENT_INSERT (id, enrollment_id, type, parent, state, user, certificate, topic, token_update_tally,
--     created_at, enrolled_at, left_at, last_seen_at, last_ip, serial_number, model, model_name, device_name,
--     product_name, os_version, build_version, imei, meid, user_short_name, user_long_name)
INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, login, certificate, topic, token_update_tally,
    created_at, enrolled_at, left_at, last_seen_at, last_ip, serial_number, model, model_name, device_name,
    product_name, os_version, build_version, imei, meid, user_short_name, user_long_name, token_at)
VALUES (%lld, %s, %s, %lld, %lld, %s, %s, %s, %lld, %lld, %lld, %lld, %lld, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, 0);

-- STMT_ENROLLMENT_AUTHENTICATE (type, parent, user, certificate, topic, serial_number, model, model_name, device_name,
--     product_name, os_version, build_version, imei, meid, user_short_name, user_long_name, authenticated_at, id)
UPDATE mdm_enrollment SET state = 1, token_update_tally = 0, push_token = NULL, push_magic = NULL, unlock_token = NULL,
    bootstrap_token = NULL, auth_token = NULL, awaiting_configuration = 0, left_at = 0, type = %s, parent = %lld,
    login = %s, certificate = %s, topic = %s, serial_number = %s, model = %s, model_name = %s, device_name = %s,
    product_name = %s, os_version = %s, build_version = %s, imei = %s, meid = %s, user_short_name = %s,
    user_long_name = %s, authenticated_at = COALESCE(%lld, authenticated_at)
WHERE id = %lld;

-- STMT_ENROLLMENT_UNMANAGED (user, certificate, enrolled_at, last_seen_at, last_ip, serial_number, device_name,
--     product_name, build_version, imei, meid, id)
UPDATE mdm_enrollment SET state = 5, token_update_tally = 0, push_token = NULL, push_magic = NULL, unlock_token = NULL,
    bootstrap_token = NULL, awaiting_configuration = 0, left_at = 0, login = %s, certificate = %s, enrolled_at = %lld, last_seen_at = %lld, last_ip = %s, serial_number = %s,
    device_name = %s, product_name = %s, build_version = %s, imei = %s, meid = %s
WHERE id = %lld;

-- STMT_ENROLLMENT_RESET_USERS (user, device)
UPDATE mdm_enrollment SET state = 1, token_update_tally = 0, push_token = NULL, push_magic = NULL, unlock_token = NULL,
    auth_token = NULL, awaiting_configuration = 0, login = %s
WHERE parent = %lld AND parent > 0;

-- STMT_ENROLLMENT_TOKEN_UPDATE (enrolled_at, token_at, topic, push_token, push_magic, unlock_token, certificate,
--     awaiting_configuration, id)
UPDATE mdm_enrollment SET enrolled_at = CASE WHEN state = 2 THEN enrolled_at ELSE %lld END, state = 2, token_at = %lld,
    token_update_tally = token_update_tally + 1, topic = %s, push_token = %s, push_magic = %s,
    unlock_token = COALESCE(%s, unlock_token), certificate = COALESCE(%s, certificate),
    awaiting_configuration = %lld
WHERE id = %lld;

-- STMT_ENROLLMENT_IMPORTED (token_update_tally, last_seen_at, id)
UPDATE mdm_enrollment SET token_update_tally = %lld, last_seen_at = %lld WHERE id = %lld;

-- STMT_ENROLLMENT_CLOSE (state, left_at, id, device)
UPDATE mdm_enrollment SET state = %lld, left_at = %lld, push_token = NULL, push_magic = NULL, unlock_token = NULL,
    bootstrap_token = NULL, auth_token = NULL, awaiting_configuration = 0
WHERE id = %lld OR (parent = %lld AND parent > 0 AND (state <= 2 OR state = 6));

-- STMT_ENROLLMENT_MISS (state, left_at, id, device)
UPDATE mdm_enrollment SET state = %lld, left_at = %lld, push_token = NULL, push_magic = NULL
WHERE id = %lld OR (parent = %lld AND parent > 0 AND state <= 2);

-- STMT_ENROLLMENT_SEEN (last_seen_at, last_ip, id, last_seen_at)
UPDATE mdm_enrollment SET last_seen_at = %lld, last_ip = %s WHERE id = %lld AND last_seen_at < %lld;

-- STMT_BOOTSTRAP_TOKEN_SET (bootstrap_token, id)
UPDATE mdm_enrollment SET bootstrap_token = %s WHERE id = %lld;

-- STMT_BOOTSTRAP_TOKEN_GET (id)
SELECT bootstrap_token FROM mdm_enrollment WHERE id = %lld;

-- STMT_AUTH_TOKEN_SET (auth_token, id)
UPDATE mdm_enrollment SET auth_token = %s WHERE id = %lld;

-- STMT_AWAITING_CONFIGURATION_SET (awaiting_configuration, id)
UPDATE mdm_enrollment SET awaiting_configuration = %lld WHERE id = %lld;

-- ---- the device's request

-- "CASE ... <> 0" keeps PostgreSQL from believing that hardly anything in a queue passes: it would read and sort all
-- of it, in place of the first entry that the index gives

-- PART sender_columns
c.serial, c.enrollment, c.not_after, c.revoked_at, c.replaced_by, c.login, c.session,
    e.id, e.parent, e.state, e.last_seen_at, e.certificate

-- PART has_notnow
CASE WHEN EXISTS (SELECT 1 FROM mdm_queue w WHERE w.enrollment = e.id AND w.notnow = 1) THEN 1 ELSE 0 END

-- STMT_CONNECT (enrollment_id, answered_uuid, most_notnow, now, now, fingerprint)
SELECT {sender_columns}, {has_notnow},
    aq.command, a.id, a.request_type, a.delivery, n.id, n.uuid, n.body, n.delivery, e.auth_token,
    n.request_type, CASE WHEN n.created_at < e.authenticated_at THEN 1 ELSE 0 END
FROM mdm_certificate c
LEFT JOIN mdm_enrollment e ON e.enrollment_id = %s
LEFT JOIN mdm_command a ON a.uuid = %s
LEFT JOIN mdm_queue aq ON aq.command = a.id AND aq.enrollment = e.id
LEFT JOIN mdm_command n ON n.id = (
    SELECT q.command FROM mdm_queue q
    WHERE q.enrollment = e.id AND CASE WHEN q.notnow <= %lld AND q.command <> COALESCE(a.id, 0) AND q.held = 0
        AND q.not_before <= %lld AND (q.not_after = 0 OR q.not_after > %lld) THEN 1 ELSE 0 END <> 0
    ORDER BY q.priority DESC, q.command LIMIT 1)
WHERE c.fingerprint = %s;

-- STMT_CONNECT_IDLE (enrollment_id, most_notnow, now, now, fingerprint)
SELECT {sender_columns}, {has_notnow},
    n.id, n.uuid, n.body, n.delivery, e.auth_token,
    n.request_type, CASE WHEN n.created_at < e.authenticated_at THEN 1 ELSE 0 END
FROM mdm_certificate c
LEFT JOIN mdm_enrollment e ON e.enrollment_id = %s
LEFT JOIN mdm_command n ON n.id = (
    SELECT q.command FROM mdm_queue q
    WHERE q.enrollment = e.id AND CASE WHEN q.notnow <= %lld AND q.held = 0
        AND q.not_before <= %lld AND (q.not_after = 0 OR q.not_after > %lld) THEN 1 ELSE 0 END <> 0
    ORDER BY q.priority DESC, q.command LIMIT 1)
WHERE c.fingerprint = %s;

-- STMT_CHECKIN (now, now, enrollment_id, fingerprint)
SELECT {sender_columns}, e.auth_token,
    CASE WHEN EXISTS (SELECT 1 FROM mdm_queue q
        WHERE q.enrollment = e.id AND CASE WHEN q.held = 0 AND q.not_before <= %lld
            AND (q.not_after = 0 OR q.not_after > %lld) THEN 1 ELSE 0 END <> 0) THEN 1 ELSE 0 END
FROM mdm_certificate c
LEFT JOIN mdm_enrollment e ON e.enrollment_id = %s
WHERE c.fingerprint = %s;

-- STMT_IDENTITY (fingerprint)
SELECT c.not_after, c.revoked_at, c.replaced_by, e.enrollment_id, e.state
FROM mdm_certificate c LEFT JOIN mdm_enrollment e ON e.id = c.enrollment
WHERE c.fingerprint = %s;

-- STMT_IDENTITY_ASSOCIATE (certificate, id)
UPDATE mdm_enrollment SET certificate = %s WHERE id = %lld AND certificate IS NULL;

-- ---- commands

-- STMT_COMMAND_INSERT (id, uuid, request_type, created_by, created_at, body, delivery, not_before, not_after, priority,
--     approval, supersede_key, idempotency_key, request_sha256, orderer, note)
INSERT INTO mdm_command (id, uuid, request_type, created_by, created_at, body, delivery, not_before, not_after, priority,
    approval, supersede_key, idempotency_key, request_sha256, orderer, note)
VALUES (%lld, %s, %s, %s, %lld, %s, %lld, %lld, %lld, %lld, %lld, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- PART command_columns
id, uuid, request_type, created_by, created_at, body, delivery, not_before, not_after, priority, approval,
    decided_by, decided_at, supersede_key, idempotency_key, request_sha256, orderer, note

-- STMT_COMMAND_GET (uuid)
SELECT {command_columns} FROM mdm_command WHERE uuid = %s;

-- STMT_COMMAND_BY_KEY (created_by, idempotency_key)
SELECT {command_columns} FROM mdm_command WHERE created_by = %s AND idempotency_key = %s;

-- STMT_COMMAND_PEOPLE (id)
SELECT orderer, approver, created_by, note FROM mdm_command WHERE id = %lld;

-- STMT_COMMAND_COUNTS (now, command, command)
SELECT CASE WHEN held = 1 THEN 'held' WHEN not_before > %lld THEN 'scheduled' WHEN notnow = 1 THEN 'notnow'
    WHEN sent_at > 0 THEN 'sent' ELSE 'queued' END, COUNT(*)
FROM mdm_queue WHERE command = %lld GROUP BY 1
UNION ALL
SELECT status, COUNT(*) FROM mdm_result WHERE command = %lld GROUP BY status;

-- STMT_COMMAND_KINDS (command)
SELECT e.type, d.product_name, d.os_version, f.value, MIN(e.enrollment_id), COUNT(*)
FROM mdm_queue q JOIN mdm_enrollment e ON e.id = q.enrollment
JOIN mdm_enrollment d ON d.id = CASE WHEN e.parent > 0 THEN e.parent ELSE e.id END
LEFT JOIN mdm_fact f ON f.enrollment = d.id AND f.name = 'IsSupervised'
WHERE q.command = %lld
GROUP BY e.type, d.product_name, d.os_version, f.value ORDER BY 6 DESC, 5;

-- STMT_COMMAND_DECIDE (approval, decided_by, decided_at, approver, id)
UPDATE mdm_command SET approval = %lld, decided_by = %s, decided_at = %lld, approver = %s
WHERE id = %lld AND approval = 1;

-- STMT_COMMAND_HOLD (created_by, request_type, id)
UPDATE mdm_command SET approval = 1, created_by = %s, request_type = %s, decided_by = NULL, decided_at = 0,
    approver = NULL
WHERE id = %lld;

-- STMT_COMMAND_HELD (cursor, limit)
SELECT uuid, request_type, created_by, created_at, not_before, not_after, priority, id,
    (SELECT COUNT(*) FROM mdm_queue q WHERE q.command = mdm_command.id AND q.held = 1), note
FROM mdm_command
WHERE approval = 1 AND id > %lld
    AND EXISTS (SELECT 1 FROM mdm_queue w WHERE w.command = mdm_command.id AND w.held = 1)
ORDER BY id LIMIT %lld;

-- STMT_COMMAND_ENROLLMENTS (command, command)
SELECT e.enrollment_id FROM mdm_queue q JOIN mdm_enrollment e ON e.id = q.enrollment WHERE q.command = %lld
UNION ALL
SELECT e.enrollment_id FROM mdm_result r JOIN mdm_enrollment e ON e.id = r.enrollment WHERE r.command = %lld
ORDER BY 1;

-- STMT_TARGETS_SERIAL (serial_numbers*64)
SELECT serial_number, enrollment_id FROM mdm_enrollment
WHERE serial_number IN (%64s) AND serial_number IS NOT NULL AND parent = 0 AND state = 2;

-- STMT_TARGETS_USER (users*64)
SELECT login, enrollment_id FROM mdm_enrollment
WHERE login IN (%64s) AND login IS NOT NULL AND parent = 0 AND state = 2;

-- STMT_TARGETS_GROUP (names*64)
SELECT g.name, e.enrollment_id
FROM mdm_group g JOIN mdm_member m ON m.collection = g.id JOIN mdm_enrollment e ON e.id = m.enrollment
WHERE g.name IN (%64s) AND e.state = 2;

-- STMT_COMMAND_STATES (uuid, cursor, none, limit, uuid, cursor, none, limit, limit)
SELECT * FROM (
    SELECT q.enrollment AS enrollment, e.enrollment_id AS enrollment_id,
        (SELECT c.request_type FROM mdm_command c WHERE c.id = q.command) AS request_type,
        q.notnow AS notnow, q.tries AS tries, q.queued_at AS queued_at, q.sent_at AS sent_at,
        NULL AS status, 0 AS finished_at, NULL AS error_chain, NULL AS response, q.command AS command,
        q.held AS held, q.not_before AS not_before
    FROM mdm_queue q JOIN mdm_enrollment e ON e.id = q.enrollment
    WHERE q.command = (SELECT id FROM mdm_command WHERE uuid = %s)
        AND q.enrollment > COALESCE((SELECT id FROM mdm_enrollment WHERE enrollment_id = %s), %lld)
    ORDER BY q.enrollment LIMIT %lld) open_rows
UNION ALL
SELECT * FROM (
    SELECT r.enrollment AS enrollment, e.enrollment_id AS enrollment_id, r.request_type AS request_type,
        0 AS notnow, 0 AS tries,
        (SELECT c.created_at FROM mdm_command c WHERE c.id = r.command) AS queued_at, 0 AS sent_at,
        r.status AS status, r.finished_at AS finished_at, r.error_chain AS error_chain, r.response AS response,
        r.command AS command, 0 AS held, 0 AS not_before
    FROM mdm_result r JOIN mdm_enrollment e ON e.id = r.enrollment
    WHERE r.command = (SELECT id FROM mdm_command WHERE uuid = %s)
        AND r.enrollment > COALESCE((SELECT id FROM mdm_enrollment WHERE enrollment_id = %s), %lld)
    ORDER BY r.enrollment LIMIT %lld) finished_rows
ORDER BY 1 LIMIT %lld;

-- ---- queue

-- STMT_QUEUE_ADD (command, priority, queued_at, not_before, not_after, held, ids*64, limit)
INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at, not_before, not_after, held)
SELECT %lld, id, %lld, 0, 0, %lld, 0, %lld, %lld, %lld FROM mdm_enrollment
WHERE enrollment_id IN (%64s) AND state = 2
    AND NOT EXISTS (SELECT 1 FROM mdm_queue q WHERE q.enrollment = mdm_enrollment.id LIMIT 1 OFFSET %lld);

-- STMT_QUEUE_REACHED (command, ids*64)
SELECT e.enrollment_id, CASE WHEN q.command IS NULL THEN 0 ELSE 1 END
FROM mdm_enrollment e LEFT JOIN mdm_queue q ON q.command = %lld AND q.enrollment = e.id
WHERE e.enrollment_id IN (%64s) AND e.state = 2;

-- STMT_QUEUE_SUPERSEDE_RESULTS (error_chain, finished_at, command, supersede_key)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT q.command, q.enrollment, c.request_type, 'Superseded', %s, NULL, %lld
FROM mdm_queue n JOIN mdm_queue q ON q.enrollment = n.enrollment JOIN mdm_command c ON c.id = q.command
WHERE n.command = %lld AND q.command <> n.command AND q.sent_at = 0 AND c.supersede_key = %s;

-- STMT_QUEUE_SUPERSEDE (command)
DELETE FROM mdm_queue
WHERE enrollment IN (SELECT n.enrollment FROM mdm_queue n WHERE n.command = %lld)
    AND EXISTS (SELECT 1 FROM mdm_result r
        WHERE r.command = mdm_queue.command AND r.enrollment = mdm_queue.enrollment);

-- STMT_QUEUE_LIST (enrollment_id, limit)
SELECT c.uuid, c.request_type, q.notnow, q.tries, q.queued_at, q.sent_at, q.held, q.not_before, q.not_after, q.priority
FROM mdm_enrollment e JOIN mdm_queue q ON q.enrollment = e.id JOIN mdm_command c ON c.id = q.command
WHERE e.enrollment_id = %s ORDER BY q.priority DESC, q.command LIMIT %lld;

-- STMT_QUEUE_FINISH (command, enrollment)
DELETE FROM mdm_queue WHERE command = %lld AND enrollment = %lld;

-- STMT_QUEUE_FINISH_PGSQL (command, enrollment, status, error_chain, response, finished_at)
WITH finished AS (DELETE FROM mdm_queue WHERE command = %lld AND enrollment = %lld RETURNING command, enrollment)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT f.command, f.enrollment, c.request_type, %s, %s, %s, %lld
FROM finished f JOIN mdm_command c ON c.id = f.command;

-- STMT_RESULT_INSERT (enrollment, status, error_chain, response, finished_at, command)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT id, %lld, request_type, %s, %s, %s, %lld FROM mdm_command WHERE id = %lld;

-- A command that a device has put off is not with the device any more: it is handed out again, or ended before that

-- STMT_QUEUE_NOTNOW (command, enrollment)
UPDATE mdm_queue SET notnow = 1, tries = tries + 1, sent_at = 0 WHERE command = %lld AND enrollment = %lld;

-- STMT_QUEUE_NEW_SESSION (enrollment)
UPDATE mdm_queue SET notnow = 0 WHERE enrollment = %lld AND notnow = 1;

-- Written after the hand-out: of one that was answered NotNow meanwhile it is old

-- STMT_QUEUE_SENT (sent_at, command, enrollment)
UPDATE mdm_queue SET sent_at = %lld WHERE command = %lld AND enrollment = %lld AND notnow = 0;

-- STMT_QUEUE_CANCEL_RESULTS (error_chain_of_an_erase_sent, error_chain, finished_at, enrollment, enrollment)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT q.command, q.enrollment, c.request_type, 'Cancelled',
    CASE WHEN q.sent_at > 0 AND c.request_type = 'EraseDevice' THEN %s ELSE %s END, NULL, %lld
FROM mdm_queue q JOIN mdm_command c ON c.id = q.command
WHERE q.enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- STMT_QUEUE_CANCEL (enrollment, enrollment)
DELETE FROM mdm_queue
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0))
    AND EXISTS (SELECT 1 FROM mdm_result r
        WHERE r.command = mdm_queue.command AND r.enrollment = mdm_queue.enrollment);

-- What a person can end: what no device has, and what is held, because it goes to none any more, whoever had it before

-- PART endable
(q.sent_at = 0 OR q.held = 1)

-- STMT_QUEUE_CANCEL_COMMAND_RESULTS (error_chain, finished_at, command)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT q.command, q.enrollment, c.request_type, 'Cancelled', %s, NULL, %lld
FROM mdm_queue q JOIN mdm_command c ON c.id = q.command
WHERE q.command = %lld AND {endable};

-- STMT_QUEUE_CANCEL_ONE_RESULT (error_chain, finished_at, command, enrollment_id)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT q.command, q.enrollment, c.request_type, 'Cancelled', %s, NULL, %lld
FROM mdm_queue q JOIN mdm_command c ON c.id = q.command
WHERE q.command = %lld AND {endable}
    AND q.enrollment = (SELECT e.id FROM mdm_enrollment e WHERE e.enrollment_id = %s);

-- STMT_QUEUE_CANCEL_COMMAND (command)
DELETE FROM mdm_queue
WHERE command = %lld AND EXISTS (SELECT 1 FROM mdm_result r
    WHERE r.command = mdm_queue.command AND r.enrollment = mdm_queue.enrollment);

-- STMT_QUEUE_UNSENT_BY (created_by)
SELECT c.id, c.uuid, e.enrollment_id
FROM mdm_command c JOIN mdm_queue q ON q.command = c.id JOIN mdm_enrollment e ON e.id = q.enrollment
WHERE c.created_by = %s AND q.sent_at = 0 ORDER BY c.id, e.enrollment_id;

-- STMT_QUEUE_CLEAR_RESULTS (error_chain, finished_at, enrollment_id)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT q.command, q.enrollment, c.request_type, 'Cancelled', %s, NULL, %lld
FROM mdm_queue q JOIN mdm_command c ON c.id = q.command
WHERE q.enrollment = (SELECT e.id FROM mdm_enrollment e WHERE e.enrollment_id = %s) AND {endable};

-- STMT_QUEUE_CLEAR (enrollment_id)
DELETE FROM mdm_queue
WHERE enrollment = (SELECT e.id FROM mdm_enrollment e WHERE e.enrollment_id = %s)
    AND EXISTS (SELECT 1 FROM mdm_result r
        WHERE r.command = mdm_queue.command AND r.enrollment = mdm_queue.enrollment);

-- STMT_QUEUE_SENT_OF_COMMAND (command, limit)
SELECT e.enrollment_id FROM mdm_queue q JOIN mdm_enrollment e ON e.id = q.enrollment
WHERE q.command = %lld AND q.sent_at > 0 ORDER BY 1 LIMIT %lld;

-- STMT_QUEUE_SENT_OF_ENROLLMENT (enrollment_id, limit)
SELECT c.uuid FROM mdm_enrollment e JOIN mdm_queue q ON q.enrollment = e.id JOIN mdm_command c ON c.id = q.command
WHERE e.enrollment_id = %s AND q.sent_at > 0 ORDER BY q.command LIMIT %lld;

-- STMT_QUEUE_HOLD (command)
UPDATE mdm_queue SET held = 1 WHERE command = %lld;

-- STMT_QUEUE_RELEASE (command)
UPDATE mdm_queue SET held = 0 WHERE command = %lld AND held = 1;

-- STMT_QUEUE_EDGES ()
SELECT 0, MIN(not_before) FROM mdm_queue WHERE not_before > 0
UNION ALL
SELECT 1, MIN(not_after) FROM mdm_queue WHERE not_after > 0;

-- STMT_QUEUE_STARTING (now, limit)
SELECT due_rows.command, due_rows.enrollment, e.enrollment_id, due_rows.held
FROM (SELECT command, enrollment, held FROM mdm_queue WHERE not_before > 0 AND not_before <= %lld
    ORDER BY not_before LIMIT %lld) due_rows
JOIN mdm_enrollment e ON e.id = due_rows.enrollment
ORDER BY due_rows.enrollment;

-- PART start_row
(CAST(%lld AS BIGINT), CAST(%lld AS BIGINT))

-- Those that were found and no others: these are woken

-- STMT_QUEUE_START (now, rows*128)
UPDATE mdm_queue SET not_before = 0
WHERE not_before > 0 AND not_before <= %lld AND (command, enrollment) IN (VALUES {64*start_row});

-- STMT_QUEUE_EXPIRE_RESULTS (error_chain, finished_at, now, limit)
INSERT INTO mdm_result (command, enrollment, request_type, status, error_chain, response, finished_at)
SELECT due_rows.command, due_rows.enrollment, c.request_type, 'Expired', %s, NULL, %lld
FROM (SELECT command, enrollment FROM mdm_queue WHERE not_after > 0 AND not_after <= %lld
    ORDER BY not_after, command, enrollment LIMIT %lld) due_rows
JOIN mdm_command c ON c.id = due_rows.command;

-- STMT_QUEUE_EXPIRE (now, limit)
DELETE FROM mdm_queue
WHERE (command, enrollment) IN (
        SELECT command, enrollment FROM mdm_queue WHERE not_after > 0 AND not_after <= %lld
        ORDER BY not_after, command, enrollment LIMIT %lld)
    AND EXISTS (SELECT 1 FROM mdm_result r
        WHERE r.command = mdm_queue.command AND r.enrollment = mdm_queue.enrollment);

-- STMT_RESULT_LATE (status, error_chain, response, finished_at, command, enrollment)
UPDATE mdm_result SET status = %s, error_chain = %s, response = %s, finished_at = %lld
WHERE command = %lld AND enrollment = %lld AND status IN ('Cancelled', 'Superseded', 'Expired')
    AND finished_at >= (SELECT e.enrolled_at FROM mdm_enrollment e WHERE e.id = mdm_result.enrollment);

-- STMT_RESULT_PRUNE (command, before, limit)
DELETE FROM mdm_result WHERE (command, enrollment) IN (
    SELECT command, enrollment FROM mdm_result WHERE command < %lld AND finished_at < %lld
    ORDER BY command, enrollment LIMIT %lld);

-- STMT_COMMAND_WINDOW (cursor, limit)
SELECT MAX(id), MAX(created_at), COUNT(*)
FROM (SELECT id, created_at FROM mdm_command WHERE id > %lld ORDER BY id LIMIT %lld) window_rows;

-- STMT_COMMAND_PRUNE (cursor, last, before)
DELETE FROM mdm_command WHERE id > %lld AND id <= %lld AND created_at < %lld
    AND NOT EXISTS (SELECT 1 FROM mdm_queue q WHERE q.command = mdm_command.id)
    AND NOT EXISTS (SELECT 1 FROM mdm_result r WHERE r.command = mdm_command.id);

-- STMT_RESULT_LATEST (enrollment_id, request_type)
SELECT r.enrollment, r.command, c.uuid, r.request_type, r.status, c.created_at, r.finished_at, r.error_chain,
    r.response
FROM mdm_enrollment e JOIN mdm_result r ON r.enrollment = e.id JOIN mdm_command c ON c.id = r.command
WHERE e.enrollment_id = %s AND r.request_type = %s ORDER BY r.finished_at DESC LIMIT 1;

-- STMT_RESULT_GET (uuid, enrollment_id)
SELECT r.enrollment, r.command, c.uuid, r.request_type, r.status, c.created_at, r.finished_at, r.error_chain,
    r.response
FROM mdm_command c JOIN mdm_result r ON r.command = c.id JOIN mdm_enrollment e ON e.id = r.enrollment
WHERE c.uuid = %s AND e.enrollment_id = %s;

-- ---- facts: what comes in several rows is padded by the last one again

-- STMT_FACT_KNOWN (command, enrollment, source)
SELECT NULL, body FROM mdm_command WHERE id = %lld
UNION ALL
SELECT name, value FROM mdm_fact WHERE enrollment = %lld AND source = %s;

-- STMT_FACT_DELETE (enrollment, names*64)
DELETE FROM mdm_fact WHERE enrollment = %lld AND name IN (%64s);

-- PART fact_row
(%lld, %s, %s, %s, %lld)

-- STMT_FACT_INSERT (rows*75)
INSERT INTO mdm_fact (enrollment, name, value, source, changed_at)
VALUES
    {15*fact_row}
ON CONFLICT (enrollment, name) DO NOTHING;

-- PART fact_log_row
(%lld, %lld, %s, %s, %lld)

-- STMT_FACT_LOG (rows*75)
INSERT INTO mdm_fact_log (id, enrollment, name, value, at)
VALUES
    {15*fact_log_row}
ON CONFLICT (id) DO NOTHING;

-- STMT_FACT_SEEN (enrollment, source, seen_at)
INSERT INTO mdm_fact_source (enrollment, source, seen_at) VALUES (%lld, %s, %lld)
ON CONFLICT (enrollment, source) DO UPDATE SET seen_at = excluded.seen_at;

-- STMT_FACT_LIST (enrollment, cursor, limit)
SELECT name, value, source, changed_at FROM mdm_fact WHERE enrollment = %lld AND name > %s ORDER BY name LIMIT %lld;

-- STMT_FACT_GET (enrollment, name)
SELECT value, source, changed_at FROM mdm_fact WHERE enrollment = %lld AND name = %s;

-- STMT_FACT_SOURCES (enrollment)
SELECT source, seen_at FROM mdm_fact_source WHERE enrollment = %lld ORDER BY source;

-- STMT_FACT_HISTORY (enrollment, name, before, limit)
SELECT id, value, at FROM mdm_fact_log WHERE enrollment = %lld AND name = %s AND id < %lld ORDER BY id DESC LIMIT %lld;

-- STMT_FACT_PRUNE (from, limit, before)
DELETE FROM mdm_fact_log
WHERE id IN (SELECT id FROM mdm_fact_log WHERE id > %lld ORDER BY id LIMIT %lld) AND at < %lld;

-- STMT_FACT_FORGET_SOURCE (enrollment, source)
DELETE FROM mdm_fact WHERE enrollment = %lld AND source = %s;

-- STMT_FACT_FORGET (enrollment, enrollment)
DELETE FROM mdm_fact
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- STMT_FACT_FORGET_SEEN (enrollment, enrollment)
DELETE FROM mdm_fact_source
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- STMT_FACT_COLUMNS (device_name, product_name, model, model_name, os_version, build_version, imei, serial_number, id)
UPDATE mdm_enrollment SET device_name = COALESCE(%s, device_name), product_name = COALESCE(%s, product_name),
    model = COALESCE(%s, model), model_name = COALESCE(%s, model_name), os_version = COALESCE(%s, os_version),
    build_version = COALESCE(%s, build_version), imei = COALESCE(%s, imei),
    serial_number = COALESCE(serial_number, %s)
WHERE id = %lld;

-- STMT_ITEM_KNOWN (command, enrollment, kind)
SELECT NULL, body, NULL, NULL FROM mdm_command WHERE id = %lld
UNION ALL
SELECT identifier, name, version, detail FROM mdm_item WHERE enrollment = %lld AND kind = %s;

-- STMT_ITEM_DELETE (enrollment, kind, identifiers*64)
DELETE FROM mdm_item WHERE enrollment = %lld AND kind = %s AND identifier IN (%64s);

-- PART item_row
(%lld, %s, %s, %s, %s, %s, %lld)

-- STMT_ITEM_INSERT (rows*70)
INSERT INTO mdm_item (enrollment, kind, identifier, name, version, detail, changed_at)
VALUES
    {10*item_row}
ON CONFLICT (enrollment, kind, identifier) DO NOTHING;

-- STMT_ITEM_LIST (enrollment, kind, cursor, limit)
SELECT identifier, name, version, detail, changed_at FROM mdm_item
WHERE enrollment = %lld AND kind = %s AND identifier > %s ORDER BY identifier LIMIT %lld;

-- STMT_ITEM_FORGET (enrollment, enrollment)
DELETE FROM mdm_item
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- STMT_ESCROW_GET (enrollment, kind)
SELECT value, stored_at FROM mdm_escrow WHERE enrollment = %lld AND kind = %s;

-- STMT_ESCROW_PUT (enrollment, kind, value, stored_at)
INSERT INTO mdm_escrow (enrollment, kind, value, stored_at) VALUES (%lld, %s, %s, %lld)
ON CONFLICT (enrollment, kind) DO UPDATE SET value = excluded.value, stored_at = excluded.stored_at;

-- STMT_ESCROW_LIST (enrollment)
SELECT kind, stored_at FROM mdm_escrow WHERE enrollment = %lld ORDER BY kind;

-- STMT_UNLOCK_TOKEN (enrollment)
SELECT unlock_token FROM mdm_enrollment WHERE id = %lld;

-- ---- renewals of identities

-- STMT_RENEWAL_CANDIDATES (from, until, limit)
SELECT e.id, e.enrollment_id, c.issued_at, c.not_after
FROM mdm_certificate c JOIN mdm_enrollment e ON e.id = c.enrollment AND e.certificate = c.fingerprint
WHERE c.replaced_by IS NULL AND c.revoked_at = 0 AND c.not_after >= %lld AND c.not_after < %lld
    AND e.state = 2 AND e.parent = 0
    AND NOT EXISTS (SELECT 1 FROM mdm_renewal r WHERE r.enrollment = e.id)
ORDER BY c.not_after LIMIT %lld;

-- STMT_RENEWAL_INSERT (due_at, not_after, enrollment)
INSERT INTO mdm_renewal (enrollment, due_at, attempts, command, not_after, last_at, last_error)
SELECT id, %lld, 0, 0, %lld, 0, NULL FROM mdm_enrollment
WHERE id = %lld AND NOT EXISTS (SELECT 1 FROM mdm_renewal r WHERE r.enrollment = mdm_enrollment.id);

-- STMT_RENEWAL_DUE (now, limit)
SELECT due_rows.enrollment, e.enrollment_id, due_rows.due_at, due_rows.attempts, due_rows.command, c.issued_at,
    c.not_after, due_rows.last_at, due_rows.last_error,
    CASE WHEN EXISTS (
        SELECT 1 FROM mdm_queue q WHERE q.command = due_rows.command AND q.enrollment = due_rows.enrollment)
        THEN 1 ELSE 0 END, e.state
FROM (SELECT * FROM mdm_renewal WHERE due_at > 0 AND due_at <= %lld ORDER BY due_at, enrollment LIMIT %lld) due_rows
LEFT JOIN mdm_enrollment e ON e.id = due_rows.enrollment
LEFT JOIN mdm_certificate c ON c.fingerprint = e.certificate;

-- STMT_RENEWAL_ATTEMPT (command, last_at, due_at, enrollment, due_at)
UPDATE mdm_renewal SET attempts = attempts + 1, command = %lld, last_at = %lld, due_at = %lld
WHERE enrollment = %lld AND due_at = %lld;

-- STMT_RENEWAL_END (enrollment, due_at)
UPDATE mdm_renewal SET due_at = 0 WHERE enrollment = %lld AND due_at = %lld;

-- STMT_RENEWAL_FAILED (last_error, enrollment)
UPDATE mdm_renewal SET last_error = %s WHERE enrollment = %lld;

-- STMT_RENEWAL_FORGET (enrollment)
DELETE FROM mdm_renewal WHERE enrollment = %lld;

-- STMT_RENEWAL_GET (enrollment)
SELECT r.enrollment, e.enrollment_id, r.due_at, r.attempts, r.command, c.issued_at, c.not_after, r.last_at,
    r.last_error,
    CASE WHEN EXISTS (SELECT 1 FROM mdm_queue q WHERE q.command = r.command AND q.enrollment = r.enrollment)
        THEN 1 ELSE 0 END, e.state
FROM mdm_renewal r JOIN mdm_enrollment e ON e.id = r.enrollment
LEFT JOIN mdm_certificate c ON c.fingerprint = e.certificate
WHERE r.enrollment = %lld;

-- STMT_RENEWAL_ENDING (until, limit)
SELECT e.enrollment_id, e.login, e.device_name, e.serial_number, c.serial, c.issued_at, c.not_after, r.attempts,
    r.due_at, r.last_at, r.last_error
FROM mdm_certificate c JOIN mdm_enrollment e ON e.id = c.enrollment AND e.certificate = c.fingerprint
LEFT JOIN mdm_renewal r ON r.enrollment = e.id
WHERE c.replaced_by IS NULL AND c.revoked_at = 0 AND c.not_after < %lld AND e.state = 2 AND e.parent = 0
ORDER BY c.not_after LIMIT %lld;

-- STMT_RENEWAL_COUNTS (now, now, until)
SELECT COUNT(CASE WHEN c.not_after <= %lld THEN 1 END), COUNT(CASE WHEN c.not_after > %lld THEN 1 END),
    COUNT(CASE WHEN r.attempts >= 3 AND r.last_error IS NOT NULL THEN 1 END)
FROM mdm_certificate c JOIN mdm_enrollment e ON e.id = c.enrollment AND e.certificate = c.fingerprint
LEFT JOIN mdm_renewal r ON r.enrollment = e.id
WHERE c.replaced_by IS NULL AND c.revoked_at = 0 AND c.not_after < %lld AND e.state = 2 AND e.parent = 0;

-- ---- push certificates

-- STMT_PUSH_TOPIC_UPDATE (not_before, not_after, uploaded_at, certificate_pem, key_pem, topic)
UPDATE mdm_push_topic SET not_before = %lld, not_after = %lld, uploaded_at = %lld, certificate_pem = %s, key_pem = %s,
    generation = generation + 1
WHERE topic = %s;

-- STMT_PUSH_TOPIC_INSERT (topic, not_before, not_after, uploaded_at, certificate_pem, key_pem)
INSERT INTO mdm_push_topic (topic, not_before, not_after, uploaded_at, generation, certificate_pem, key_pem)
VALUES (%s, %lld, %lld, %lld, 1, %s, %s);

-- STMT_PUSH_TOPIC_GET (topic)
SELECT topic, not_before, not_after, uploaded_at, generation, certificate_pem, key_pem
FROM mdm_push_topic WHERE topic = %s;

-- STMT_PUSH_TOPIC_LIST ()
SELECT topic, not_before, not_after, uploaded_at, generation, certificate_pem
FROM mdm_push_topic ORDER BY uploaded_at DESC, topic;

-- STMT_PUSH_RESUME (due_at, now, topic)
UPDATE mdm_push SET due_at = %lld, attempts = 0
WHERE due_at > 0 AND due_at > %lld AND lease_owner IS NULL AND attempts > 0
    AND (SELECT e.topic FROM mdm_enrollment e WHERE e.id = mdm_push.enrollment) = %s;

-- ---- pushes

-- STMT_PUSH_INSERT (enrollment)
INSERT INTO mdm_push (enrollment, due_at, wanted_at, wish, attempts, lease_owner, lease, lease_tally, dead_tally,
    last_at, last_reason, last_wish)
VALUES (%lld, 0, 0, 0, 0, NULL, 0, 0, 0, 0, NULL, 0);

-- STMT_PUSH_FORGET (enrollment, device)
UPDATE mdm_push SET due_at = 0, attempts = 0, lease_owner = NULL, dead_tally = 0, repushes = 0
WHERE enrollment IN (SELECT id FROM mdm_enrollment WHERE id = %lld OR (parent = %lld AND parent > 0));

-- PART push_want
UPDATE mdm_push SET
    wish = CASE WHEN due_at > 0 AND lease_owner IS NULL AND (wanted_at > 0 OR attempts > 0) THEN wish ELSE wish + 1 END,
    wanted_at = CASE WHEN due_at > 0 AND lease_owner IS NULL AND wanted_at > 0 AND wanted_at < %lld THEN wanted_at
        ELSE %lld END,
    due_at = CASE WHEN due_at > 0 AND lease_owner IS NULL AND (attempts > 0 OR due_at < %lld) THEN due_at ELSE %lld END,
    attempts = CASE WHEN due_at > 0 AND lease_owner IS NULL THEN attempts ELSE 0 END, lease_owner = NULL

-- STMT_PUSH_WANT (due_at, due_at, due_at, due_at, ids*64)
{push_want}
WHERE enrollment IN (
    SELECT e.id FROM mdm_enrollment e JOIN mdm_push p ON p.enrollment = e.id JOIN mdm_push_topic t ON t.topic = e.topic
    WHERE e.enrollment_id IN (%64s) AND e.state = 2 AND p.dead_tally <> e.token_update_tally);

-- STMT_PUSH_TARGETS (ids*64)
SELECT e.enrollment_id, e.id, e.state, e.topic, CASE WHEN t.topic IS NULL THEN 0 ELSE 1 END,
    CASE WHEN p.dead_tally = e.token_update_tally THEN 1 ELSE 0 END, p.wish, p.last_reason
FROM mdm_enrollment e JOIN mdm_push p ON p.enrollment = e.id LEFT JOIN mdm_push_topic t ON t.topic = e.topic
WHERE e.enrollment_id IN (%64s);

-- STMT_PUSH_WANT_ONE (due_at, due_at, due_at, due_at, enrollment)
{push_want}
WHERE enrollment = %lld AND dead_tally <> (
    SELECT e.token_update_tally FROM mdm_enrollment e WHERE e.id = mdm_push.enrollment AND e.state = 2);

-- PART push_claim
UPDATE mdm_push SET due_at = %lld, lease_owner = %s, lease = %lld, lease_tally = COALESCE(
        (SELECT e.token_update_tally FROM mdm_enrollment e WHERE e.id = mdm_push.enrollment), 0),
    wish = CASE WHEN wanted_at = 0 AND lease_owner IS NULL AND attempts = 0 AND wish = last_wish THEN wish + 1 ELSE wish END

-- A row with wanted_at = 0 is a repetition that nobody asked for: the device has work and has not come for it.
-- "<> 0" in place of "> 0" below keeps the outer UPDATE off mdm_push_by_due, which would walk all that is due

-- STMT_PUSH_CLAIM (lease_until, owner, lease, now, limit, now)
{push_claim}
WHERE enrollment IN (
        SELECT enrollment FROM mdm_push WHERE due_at > 0 AND due_at <= %lld ORDER BY due_at LIMIT %lld)
    AND due_at <> 0 AND due_at <= %lld;

-- STMT_PUSH_CLAIM_NEWEST (lease_until, owner, lease, now, limit, now)
{push_claim}
WHERE enrollment IN (
        SELECT enrollment FROM mdm_push WHERE due_at > 0 AND due_at <= %lld ORDER BY due_at DESC LIMIT %lld)
    AND due_at <> 0 AND due_at <= %lld;

-- STMT_PUSH_CLAIMED (now, now, lease_until, owner, lease)
SELECT p.enrollment, e.enrollment_id, e.topic, e.push_token, e.push_magic, p.wish, p.attempts, p.wanted_at, e.token_at,
    CASE WHEN e.last_seen_at > p.last_at THEN 0 ELSE p.repushes END,
    CASE WHEN p.wanted_at > 0 OR EXISTS (SELECT 1 FROM mdm_queue q
        WHERE q.enrollment = p.enrollment AND q.held = 0 AND q.not_before <= %lld
            AND (q.not_after = 0 OR q.not_after > %lld)) THEN 1 ELSE 0 END
FROM mdm_push p JOIN mdm_enrollment e ON e.id = p.enrollment
WHERE p.due_at = %lld AND p.due_at > 0 AND p.lease_owner = %s AND p.lease = %lld AND e.state = 2
ORDER BY CASE WHEN p.wanted_at = 0 THEN 1 ELSE 0 END, p.wanted_at, p.enrollment;

-- Not MIN(): PostgreSQL may look at all that is due for it.

-- STMT_PUSH_NEXT_DUE ()
SELECT due_at FROM mdm_push WHERE due_at > 0 ORDER BY due_at LIMIT 1;

-- STMT_PUSH_DONE (now, now, again_at, repushes, last_at, owner, enrollments*64)
UPDATE mdm_push SET due_at = CASE WHEN EXISTS (SELECT 1 FROM mdm_queue q
        WHERE q.enrollment = mdm_push.enrollment AND q.held = 0 AND q.not_before <= %lld
            AND (q.not_after = 0 OR q.not_after > %lld)) THEN %lld ELSE due_at * 0 END,
    repushes = %lld, wanted_at = 0, attempts = 0, lease_owner = NULL, last_at = %lld, last_reason = 'Success',
    last_wish = wish
WHERE lease_owner = %s AND enrollment IN (%64lld);

-- STMT_PUSH_DROP (owner, enrollments*64)
UPDATE mdm_push SET due_at = 0, attempts = 0, lease_owner = NULL, repushes = 0, last_wish = wish
WHERE lease_owner = %s AND enrollment IN (%64lld);

-- STMT_PUSH_FAILED (due_at, last_at, last_reason, enrollment, owner)
UPDATE mdm_push SET due_at = %lld, attempts = attempts + 1, lease_owner = NULL, last_at = %lld, last_reason = %s,
    last_wish = wish
WHERE enrollment = %lld AND lease_owner = %s;

-- STMT_PUSH_DEAD (last_at, last_reason, enrollment, owner)
UPDATE mdm_push SET due_at = 0, attempts = 0, lease_owner = NULL, dead_tally = lease_tally, last_at = %lld,
    last_reason = %s, last_wish = wish
WHERE enrollment = %lld AND lease_owner = %s;

-- STMT_PUSH_RELEASE (owner)
UPDATE mdm_push SET due_at = CASE WHEN wanted_at > 0 THEN wanted_at ELSE 1 END, lease_owner = NULL
WHERE lease_owner = %s AND due_at > 0;

-- ---- silence

-- STMT_SILENCE_RANGE (cursor, limit)
SELECT MAX(x.id) FROM (SELECT id FROM mdm_enrollment WHERE id > %lld ORDER BY id LIMIT %lld) x;

-- STMT_SILENCE_FIND (cursor, end, before, before, before, before, limit)
SELECT e.id, e.enrollment_id, e.last_seen_at, e.token_at, e.silent_since,
    CASE WHEN p.dead_tally = e.token_update_tally THEN 1 ELSE 0 END
FROM mdm_enrollment e JOIN mdm_push p ON p.enrollment = e.id
WHERE e.id > %lld AND e.id <= %lld AND e.parent = 0 AND e.state = 2
    AND ((e.silent_since = 0 AND e.last_seen_at < %lld AND e.token_at < %lld)
        OR (e.silent_since > 0 AND (e.last_seen_at >= %lld OR e.token_at >= %lld
            OR p.dead_tally = e.token_update_tally)))
ORDER BY e.id LIMIT %lld;

-- STMT_SILENCE_BEGIN (silent_since, id, before, before)
UPDATE mdm_enrollment SET silent_since = %lld WHERE id = %lld AND state = 2 AND last_seen_at < %lld AND token_at < %lld;

-- STMT_SILENCE_END (id)
UPDATE mdm_enrollment SET silent_since = 0 WHERE id = %lld AND silent_since > 0;

-- STMT_REACH (enrollment)
SELECT p.last_at, p.last_reason, CASE WHEN p.dead_tally = e.token_update_tally THEN 1 ELSE 0 END, p.due_at,
    CASE WHEN e.last_seen_at > p.last_at THEN 0 ELSE p.repushes END
FROM mdm_push p JOIN mdm_enrollment e ON e.id = p.enrollment WHERE p.enrollment = %lld;

-- ---- jobs

-- STMT_JOB_OPEN (name)
INSERT INTO mdm_job (name, due_at, lease_owner, lease_until, position) VALUES (%s, 0, NULL, 0, NULL)
ON CONFLICT (name) DO NOTHING;

-- STMT_JOB_GET (name)
SELECT due_at, lease_owner, lease_until, position FROM mdm_job WHERE name = %s;

-- STMT_JOB_CLAIM (owner, lease_until, name, now, now, owner)
UPDATE mdm_job SET lease_owner = %s, lease_until = %lld
WHERE name = %s AND due_at <= %lld AND (lease_owner IS NULL OR lease_until <= %lld OR lease_owner = %s);

-- Who does a job renews his lease in each transaction: whoever wants to take it over waits until that is done

-- STMT_JOB_RENEW (lease_until, name, owner)
UPDATE mdm_job SET lease_until = %lld WHERE name = %s AND lease_owner = %s;

-- STMT_JOB_AWAIT_PGSQL (name)
SELECT 1 FROM mdm_job WHERE name = %s FOR SHARE;

-- STMT_JOB_ADVANCE (due_at, position, name, owner)
UPDATE mdm_job SET due_at = %lld, position = %s, lease_owner = NULL, lease_until = 0
WHERE name = %s AND lease_owner = %s;

-- ---- events for webhooks: a row goes only when no earlier one of its sink and channel is left

-- STMT_WEBHOOK_INSERT (id, sink, channel, topic, body, created_at, due_at)
INSERT INTO mdm_webhook_outbox (id, sink, channel, topic, body, created_at, due_at, attempts, lease_owner, lease,
    last_error)
VALUES (%lld, %s, %lld, %s, %s, %lld, %lld, 0, NULL, 0, NULL);

-- STMT_WEBHOOK_TALLY (enrollment)
SELECT token_update_tally FROM mdm_enrollment WHERE id = %lld;

-- STMT_WEBHOOK_CLAIM (lease_until, owner, lease, sink, now, limit, now)
UPDATE mdm_webhook_outbox SET due_at = %lld, lease_owner = %s, lease = %lld
WHERE id IN (
        SELECT o.id FROM mdm_webhook_outbox o
        WHERE o.sink = %s AND o.due_at <= %lld AND NOT EXISTS (
            SELECT 1 FROM mdm_webhook_outbox e WHERE e.sink = o.sink AND e.channel = o.channel AND e.id < o.id)
        ORDER BY o.due_at, o.id LIMIT %lld)
    AND due_at <= %lld;

-- STMT_WEBHOOK_CLAIMED (sink, lease_until, owner, lease)
SELECT id, channel, topic, body, created_at, attempts FROM mdm_webhook_outbox
WHERE sink = %s AND due_at = %lld AND lease_owner = %s AND lease = %lld
ORDER BY id;

-- Not MIN(): with statistics of a small table PostgreSQL reads all that waits for it.

-- STMT_WEBHOOK_NEXT_DUE (sink)
SELECT due_at FROM mdm_webhook_outbox WHERE sink = %s ORDER BY due_at LIMIT 1;

-- STMT_WEBHOOK_DONE (owner, ids*64)
DELETE FROM mdm_webhook_outbox WHERE lease_owner = %s AND id IN (%64lld);

-- STMT_WEBHOOK_FAILED (due_at, last_error, id, owner)
UPDATE mdm_webhook_outbox SET due_at = %lld, attempts = attempts + 1, lease_owner = NULL, last_error = %s
WHERE id = %lld AND lease_owner = %s;

-- STMT_WEBHOOK_FOLLOW (due_at, sink, channel, id, due_at)
UPDATE mdm_webhook_outbox SET due_at = %lld
WHERE sink = %s AND channel = %lld AND id > %lld AND due_at < %lld;

-- STMT_WEBHOOK_RELEASE (sink, owner)
UPDATE mdm_webhook_outbox SET due_at = created_at, lease_owner = NULL WHERE sink = %s AND lease_owner = %s;

-- STMT_WEBHOOK_EXPIRE (sink, created_at)
DELETE FROM mdm_webhook_outbox WHERE sink = %s AND created_at <= %lld AND lease_owner IS NULL;

-- STMT_WEBHOOK_CROWD (sink, most)
SELECT created_at FROM mdm_webhook_outbox WHERE sink = %s ORDER BY created_at DESC LIMIT 1 OFFSET %lld;

-- STMT_WEBHOOK_NEXT_SINK (sink)
SELECT MIN(sink) FROM mdm_webhook_outbox WHERE sink > %s;

-- STMT_WEBHOOK_FORGET (sink, due_at)
DELETE FROM mdm_webhook_outbox WHERE sink = %s AND due_at <= %lld;

-- STMT_WEBHOOK_STATUS (sink)
SELECT COUNT(*), MIN(created_at) FROM mdm_webhook_outbox WHERE sink = %s;

-- STMT_WEBHOOK_LAST_ERROR (sink)
SELECT last_error FROM mdm_webhook_outbox WHERE sink = %s AND last_error IS NOT NULL ORDER BY due_at DESC LIMIT 1;

-- ---- events and figures

-- STMT_EVENT_INSERT (id, at, kind, actor, source_ip, enrollment_id, object, detail)
INSERT INTO mdm_event (id, at, kind, actor, source_ip, enrollment_id, object, detail)
VALUES (%lld, %lld, %s, %s, %s, %s, %s, %s);

-- STMT_FIGURES_ENROLLMENTS ()
SELECT state, type, COUNT(*) FROM mdm_enrollment GROUP BY type, state ORDER BY type, state;

-- STMT_FIGURES_QUEUE (hour, hour, day, day, week, week)
SELECT COUNT(CASE WHEN queued_at > %lld THEN 1 END),
    COUNT(CASE WHEN queued_at <= %lld AND queued_at > %lld THEN 1 END),
    COUNT(CASE WHEN queued_at <= %lld AND queued_at > %lld THEN 1 END),
    COUNT(CASE WHEN queued_at <= %lld THEN 1 END)
FROM mdm_queue;

-- STMT_FIGURES_PUSHES ()
SELECT last_reason, COUNT(*) FROM mdm_push WHERE last_reason IS NOT NULL GROUP BY last_reason ORDER BY last_reason;

-- STMT_FIGURES_TOPICS ()
SELECT topic, COUNT(*) FROM mdm_enrollment
WHERE state = 2 AND parent = 0 AND topic IS NOT NULL GROUP BY topic ORDER BY topic;

-- STMT_FIGURES_DUE (now)
SELECT COUNT(*) FROM mdm_push WHERE due_at > 0 AND due_at <= %lld;

-- STMT_FIGURES_CERTIFICATES (now, now, soon, soon, later, later)
SELECT COUNT(CASE WHEN revoked_at = 0 AND not_after <= %lld THEN 1 END),
    COUNT(CASE WHEN revoked_at = 0 AND not_after > %lld AND not_after <= %lld THEN 1 END),
    COUNT(CASE WHEN revoked_at = 0 AND not_after > %lld AND not_after <= %lld THEN 1 END),
    COUNT(CASE WHEN revoked_at = 0 AND not_after > %lld THEN 1 END),
    COUNT(CASE WHEN revoked_at > 0 THEN 1 END)
FROM mdm_certificate WHERE replaced_by IS NULL;

-- STMT_FIGURES_ISSUERS (now)
SELECT issuer, COUNT(*) FROM mdm_certificate
WHERE replaced_by IS NULL AND revoked_at = 0 AND not_after > %lld GROUP BY issuer ORDER BY issuer;

-- ---- NanoMDM's PostgreSQL tables, for the import alone

-- STMT_NANOMDM_ENROLLMENTS (cursor, limit)
SELECT e.id, e.device_id, e.type, e.topic, e.push_magic, e.token_hex, CASE WHEN e.enabled THEN 1 ELSE 0 END,
    e.token_update_tally,
    CAST(EXTRACT(EPOCH FROM e.last_seen_at AT TIME ZONE current_setting('TimeZone')) * 1000000 AS BIGINT),
    CAST(EXTRACT(EPOCH FROM e.created_at AT TIME ZONE current_setting('TimeZone')) * 1000000 AS BIGINT),
    d.identity_cert, d.serial_number, d.unlock_token, d.authenticate, d.bootstrap_token_b64, u.user_short_name,
    u.user_long_name, CASE WHEN d.authenticate_at > d.token_update_at THEN 1 ELSE 0 END
FROM enrollments e JOIN devices d ON d.id = e.device_id LEFT JOIN users u ON u.id = e.user_id
WHERE e.id COLLATE "C" > %s ORDER BY e.id COLLATE "C" LIMIT %lld;

-- STMT_NANOMDM_TOPICS ()
SELECT topic, cert_pem, key_pem FROM push_certs ORDER BY topic;

-- STMT_NANOMDM_OPEN ()
SELECT c.command_uuid FROM commands c
WHERE EXISTS (
    SELECT 1 FROM enrollment_queue q LEFT JOIN command_results r ON r.id = q.id AND r.command_uuid = q.command_uuid
    WHERE q.command_uuid = c.command_uuid AND q.active AND (r.status IS NULL OR r.status = 'NotNow'))
ORDER BY c.created_at, c.command_uuid;

-- STMT_NANOMDM_COMMAND (uuid)
SELECT command FROM commands WHERE command_uuid = %s;

-- STMT_NANOMDM_WAITING (uuid)
SELECT q.id FROM enrollment_queue q LEFT JOIN command_results r ON r.id = q.id AND r.command_uuid = q.command_uuid
WHERE q.command_uuid = %s AND q.active AND (r.status IS NULL OR r.status = 'NotNow') ORDER BY q.id COLLATE "C";
