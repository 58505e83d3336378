-- SPDX-License-Identifier: Apache-2.0
--
-- Schema version 1 to 2 in SQLite: the tables and columns of the complete identity CA, of invitations and of
-- enrollment in phases. What it leads to is word for word what schema.sqlite3.sql makes.

ALTER TABLE mdm_certificate ADD COLUMN issuer TEXT;
ALTER TABLE mdm_certificate ADD COLUMN challenge TEXT;
ALTER TABLE mdm_certificate ADD COLUMN session BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_challenge ADD COLUMN invitation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_challenge ADD COLUMN session BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_challenge ADD COLUMN enrollment BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_command ADD COLUMN delivery INTEGER NOT NULL DEFAULT 0;
CREATE INDEX mdm_certificate_revoked ON mdm_certificate (issuer, revoked_at) WHERE revoked_at > 0;
CREATE INDEX mdm_challenge_by_expiry ON mdm_challenge (expires_at);

-- SCEP requests that wait for an administrator, and those he has decided.
CREATE TABLE mdm_request (
    id INTEGER NOT NULL PRIMARY KEY,
    transaction_id TEXT NOT NULL,
    key_sha256 TEXT NOT NULL,               -- of the SubjectPublicKeyInfo that signed and asks
    state INTEGER NOT NULL,                 -- mdm_request_state_e
    subject TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    csr TEXT NOT NULL,                      -- PEM, sealed: its challenge is in it
    login TEXT,
    challenge TEXT,
    session BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,
    certificate TEXT,                       -- fingerprint, once issued
    source_ip TEXT,
    created_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,
    decided_by TEXT
);
CREATE UNIQUE INDEX mdm_request_by_transaction ON mdm_request (transaction_id, key_sha256);
CREATE INDEX mdm_request_by_state ON mdm_request (state, id);

CREATE TABLE mdm_invitation (
    id INTEGER NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL,                   -- of the token in its URL
    created_by TEXT,
    login TEXT,                             -- for this person only; NULL: for whoever signs in
    serial_number TEXT,                     -- for this device only; NULL: for any
    uses_left INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX mdm_invitation_by_sha256 ON mdm_invitation (sha256);

-- One person's way from the sign-in to an enrolled device. What the device said of itself (Profile Service) stays here.
CREATE TABLE mdm_session (
    id INTEGER NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL,                   -- of the browser's cookie
    state INTEGER NOT NULL,                 -- mdm_session_state_e
    method INTEGER NOT NULL,                -- mdm_session_method_e
    login TEXT,
    invitation BIGINT NOT NULL,
    common_name TEXT NOT NULL,              -- of the identity that this session may get
    certificate TEXT,                       -- fingerprint of the identity that answered in phase 3
    enrollment BIGINT NOT NULL,
    source_ip TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    udid TEXT,
    serial_number TEXT,
    imei TEXT,
    meid TEXT,
    iccid TEXT,
    product TEXT,
    version TEXT,
    device_name TEXT
);
CREATE UNIQUE INDEX mdm_session_by_sha256 ON mdm_session (sha256);
CREATE INDEX mdm_session_by_enrollment ON mdm_session (enrollment, id) WHERE enrollment > 0;
CREATE INDEX mdm_session_by_expiry ON mdm_session (expires_at) WHERE enrollment = 0;

-- The newest CRL of each CA certificate.
CREATE TABLE mdm_crl (
    issuer TEXT NOT NULL PRIMARY KEY,       -- fingerprint of the CA certificate
    number BIGINT NOT NULL,
    stale INTEGER NOT NULL,                 -- 1: something was revoked since
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    der TEXT NOT NULL                       -- base64
) WITHOUT ROWID;

-- Enrollments whose identity is being renewed.
CREATE TABLE mdm_renewal (
    enrollment INTEGER NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,                 -- next attempt
    attempts INTEGER NOT NULL,
    command BIGINT NOT NULL,                -- of the last attempt, 0: none yet
    not_after BIGINT NOT NULL,              -- of the identity to renew
    last_at BIGINT NOT NULL,
    last_error TEXT
);
CREATE INDEX mdm_renewal_by_due ON mdm_renewal (due_at);
