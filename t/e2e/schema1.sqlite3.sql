-- SPDX-License-Identifier: Apache-2.0
--
-- The tables of mod_mdm in SQLite, schema version 1. Column names are those of the records in mod_mdm/store.
-- Times are microseconds since 1970 UTC, 0 = never; ids are made by the program; binary is base64 or PEM text;
-- columns marked "sealed" hold AES-256-GCM values (base/mdm_seal.h). Relations are kept by the program.

CREATE TABLE mdm_meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE mdm_enrollment (
    id INTEGER NOT NULL PRIMARY KEY,
    enrollment_id TEXT NOT NULL,
    type TEXT NOT NULL,
    parent BIGINT NOT NULL,                 -- id of the device of a user channel, else 0
    state INTEGER NOT NULL,                 -- mdm_state_e
    login TEXT,                             -- the member "user": that word is taken in SQL
    certificate TEXT,                       -- fingerprint of the current identity
    topic TEXT,
    token_update_tally INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    left_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    token_at BIGINT NOT NULL,               -- the newest TokenUpdate
    last_ip TEXT,
    serial_number TEXT,
    model TEXT,
    model_name TEXT,
    device_name TEXT,
    product_name TEXT,
    os_version TEXT,
    build_version TEXT,
    imei TEXT,
    meid TEXT,
    user_short_name TEXT,
    user_long_name TEXT,
    push_token TEXT,                        -- sealed
    push_magic TEXT,                        -- sealed
    unlock_token TEXT                       -- sealed
);
CREATE UNIQUE INDEX mdm_enrollment_by_enrollment_id ON mdm_enrollment (enrollment_id);
CREATE INDEX mdm_enrollment_by_parent ON mdm_enrollment (parent) WHERE parent > 0;
CREATE INDEX mdm_enrollment_by_type ON mdm_enrollment (type, state);

CREATE TABLE mdm_certificate (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    serial TEXT NOT NULL,
    subject TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,             -- 0: not bound yet
    login TEXT,
    request_sha256 TEXT,
    revoked_at BIGINT NOT NULL,
    revoked_reason TEXT,
    replaced_by TEXT,
    pem TEXT NOT NULL
);
CREATE UNIQUE INDEX mdm_certificate_by_serial ON mdm_certificate (serial);
CREATE UNIQUE INDEX mdm_certificate_by_request ON mdm_certificate (request_sha256) WHERE request_sha256 IS NOT NULL;
CREATE INDEX mdm_certificate_by_enrollment ON mdm_certificate (enrollment) WHERE enrollment > 0;
CREATE INDEX mdm_certificate_by_issue ON mdm_certificate (issued_at);
CREATE INDEX mdm_certificate_current ON mdm_certificate (not_after, revoked_at, replaced_by) WHERE replaced_by IS NULL;

CREATE TABLE mdm_challenge (
    sha256 TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    login TEXT,
    common_name TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE mdm_push_topic (
    topic TEXT NOT NULL PRIMARY KEY,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    uploaded_at BIGINT NOT NULL,
    generation INTEGER NOT NULL,
    certificate_pem TEXT NOT NULL,
    key_pem TEXT NOT NULL                   -- sealed
);

-- One row per enrollment, made with it. A claim is a due_at in the future beside a lease_owner: when the
-- claimer dies, the row is simply due again.
CREATE TABLE mdm_push (
    enrollment INTEGER NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,                 -- 0: no wake-up wanted
    wanted_at BIGINT NOT NULL,              -- the due_at that was asked for
    wish BIGINT NOT NULL,                   -- which wake-up this is: names the apns-id
    attempts INTEGER NOT NULL,
    lease_owner TEXT,
    lease BIGINT NOT NULL,                  -- which claim took it
    lease_tally INTEGER NOT NULL,           -- token_update_tally of the token claimed
    dead_tally INTEGER NOT NULL,            -- token_update_tally of the token that APNs called dead
    last_at BIGINT NOT NULL,
    last_reason TEXT,
    last_wish BIGINT NOT NULL
);
CREATE INDEX mdm_push_by_due ON mdm_push (due_at) WHERE due_at > 0;

CREATE TABLE mdm_command (
    id INTEGER NOT NULL PRIMARY KEY,
    uuid TEXT NOT NULL,
    request_type TEXT NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    body TEXT NOT NULL                      -- sealed
);
CREATE UNIQUE INDEX mdm_command_by_uuid ON mdm_command (uuid);

-- Open work only. The next command of an enrollment is the first entry of mdm_queue_next.
CREATE TABLE mdm_queue (
    command BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,
    priority INTEGER NOT NULL,
    notnow INTEGER NOT NULL,                -- 1: refused in this session
    tries INTEGER NOT NULL,
    queued_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    PRIMARY KEY (command, enrollment)
) WITHOUT ROWID;
CREATE INDEX mdm_queue_next ON mdm_queue (enrollment, priority DESC, command);
CREATE INDEX mdm_queue_notnow ON mdm_queue (enrollment) WHERE notnow = 1;

-- History.
CREATE TABLE mdm_result (
    command BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,
    request_type TEXT NOT NULL,
    status TEXT NOT NULL,
    finished_at BIGINT NOT NULL,
    error_chain TEXT,
    response TEXT,                          -- sealed
    PRIMARY KEY (command, enrollment)
);
CREATE INDEX mdm_result_latest ON mdm_result (enrollment, request_type, finished_at);

CREATE TABLE mdm_event (
    id INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT,
    source_ip TEXT,
    enrollment_id TEXT,
    object TEXT,
    detail TEXT
);
