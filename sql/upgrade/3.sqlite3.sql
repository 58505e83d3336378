-- SPDX-License-Identifier: Apache-2.0
--
-- Schema version 2 to 3 in SQLite: all messages and channels, commands with times, approvals and keys, facts, groups,
-- webhooks and jobs. What it leads to is word for word what schema.sqlite3.sql makes.

ALTER TABLE mdm_enrollment ADD COLUMN awaiting_configuration INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mdm_enrollment ADD COLUMN silent_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_enrollment ADD COLUMN bootstrap_token TEXT;
ALTER TABLE mdm_enrollment ADD COLUMN auth_token TEXT;
ALTER TABLE mdm_push ADD COLUMN repushes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mdm_command ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_command ADD COLUMN not_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_command ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mdm_command ADD COLUMN approval INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mdm_command ADD COLUMN decided_by TEXT;
ALTER TABLE mdm_command ADD COLUMN decided_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_command ADD COLUMN supersede_key TEXT;
ALTER TABLE mdm_command ADD COLUMN idempotency_key TEXT;
ALTER TABLE mdm_command ADD COLUMN request_sha256 TEXT;
ALTER TABLE mdm_queue ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_queue ADD COLUMN not_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_queue ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
CREATE INDEX mdm_enrollment_by_serial ON mdm_enrollment (serial_number) WHERE serial_number IS NOT NULL;
CREATE INDEX mdm_enrollment_by_login ON mdm_enrollment (login) WHERE login IS NOT NULL;
CREATE UNIQUE INDEX mdm_command_by_key ON mdm_command (created_by, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX mdm_command_held ON mdm_command (id) WHERE approval = 1;
CREATE INDEX mdm_queue_by_start ON mdm_queue (not_before) WHERE not_before > 0;
CREATE INDEX mdm_queue_by_end ON mdm_queue (not_after) WHERE not_after > 0;
CREATE INDEX mdm_result_by_age ON mdm_result (finished_at);

-- What devices have said of themselves, the newest value of each name.
CREATE TABLE mdm_fact (
    enrollment BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,                    -- JSON
    source TEXT NOT NULL,                   -- RequestType that it came with
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, name)
) WITHOUT ROWID;

-- Changes of facts, the value that came.
CREATE TABLE mdm_fact_log (
    id INTEGER NOT NULL PRIMARY KEY,
    enrollment BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT,                             -- NULL: it went
    at BIGINT NOT NULL
);
CREATE INDEX mdm_fact_log_by_name ON mdm_fact_log (enrollment, name, id);

-- When each kind of answer was last taken in.
CREATE TABLE mdm_fact_source (
    enrollment BIGINT NOT NULL,
    source TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, source)
) WITHOUT ROWID;

-- The newest lists: profiles, certificates, applications, updates, ... of a device.
CREATE TABLE mdm_item (
    enrollment BIGINT NOT NULL,
    kind TEXT NOT NULL,                     -- "profile", "certificate", "application", ...
    identifier TEXT NOT NULL,
    name TEXT,
    version TEXT,
    detail TEXT NOT NULL,                   -- JSON
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, kind, identifier)
) WITHOUT ROWID;

-- Secrets that devices hand over for safe keeping.
CREATE TABLE mdm_escrow (
    enrollment BIGINT NOT NULL,
    kind TEXT NOT NULL,                     -- "ActivationLockBypassCode", ...
    value TEXT NOT NULL,                    -- sealed
    stored_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, kind)
) WITHOUT ROWID;

-- Static groups; the columns named collection hold mdm_group.id, since "group" is taken in SQL.
CREATE TABLE mdm_group (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX mdm_group_by_name ON mdm_group (name);

CREATE TABLE mdm_member (
    collection BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,
    reason TEXT,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (collection, enrollment)
) WITHOUT ROWID;
CREATE INDEX mdm_member_by_enrollment ON mdm_member (enrollment);

-- Events on their way to webhooks, in the order of id per sink and channel.
CREATE TABLE mdm_webhook_outbox (
    id INTEGER NOT NULL PRIMARY KEY,
    sink TEXT NOT NULL,                     -- names the URL: mdm_webhook_sink_t.id
    channel BIGINT NOT NULL,                -- hash of the enrollment id: keeps its events in order
    topic TEXT NOT NULL,
    body TEXT NOT NULL,                     -- sealed
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    lease_owner TEXT,
    lease BIGINT NOT NULL,
    last_error TEXT
);
CREATE INDEX mdm_webhook_outbox_by_due ON mdm_webhook_outbox (sink, due_at, id);
CREATE INDEX mdm_webhook_outbox_order ON mdm_webhook_outbox (sink, channel, id);

-- Work that one process of all does now and then.
CREATE TABLE mdm_job (
    name TEXT NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    position TEXT                           -- where the next run goes on
) WITHOUT ROWID;
