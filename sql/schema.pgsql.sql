-- SPDX-License-Identifier: Apache-2.0
--
-- The tables of mod_mdm in PostgreSQL, schema version 5. Column names are those of the records in mod_mdm/store.
-- Times are microseconds since 1970 UTC, 0 = never; ids are made by the program; binary is base64 or PEM text;
-- columns marked "sealed" hold AES-256-GCM values (base/mdm_seal.h). Relations are kept by the program.
-- Keys are compared as bytes (COLLATE "C"). Pages of rows that change often keep room for the new version.

CREATE TABLE mdm_meta (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE mdm_enrollment (
    id BIGINT NOT NULL PRIMARY KEY,
    enrollment_id TEXT COLLATE "C" NOT NULL,
    type TEXT NOT NULL,
    parent BIGINT NOT NULL,                 -- id of the device of a user channel, else 0
    state INTEGER NOT NULL,                 -- mdm_state_e
    login TEXT,                             -- the member "user": that word is taken in SQL
    certificate TEXT,                       -- fingerprint of the current identity
    topic TEXT COLLATE "C",
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
    unlock_token TEXT,                      -- sealed
    awaiting_configuration INTEGER NOT NULL DEFAULT 0,
    silent_since BIGINT NOT NULL DEFAULT 0,  -- not heard of for MDMSilentAfter; 0: it speaks
    bootstrap_token TEXT,                   -- sealed
    auth_token TEXT,                        -- sha256 of the AuthToken that this user channel must show
    authenticated_at BIGINT NOT NULL DEFAULT 0  -- when a device that was here before began anew, 0: never
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX mdm_enrollment_by_enrollment_id ON mdm_enrollment (enrollment_id);
CREATE INDEX mdm_enrollment_by_parent ON mdm_enrollment (parent) WHERE parent > 0;
CREATE INDEX mdm_enrollment_by_type ON mdm_enrollment (type, state);
CREATE INDEX mdm_enrollment_by_serial ON mdm_enrollment (serial_number) WHERE serial_number IS NOT NULL;
CREATE INDEX mdm_enrollment_by_login ON mdm_enrollment (login) WHERE login IS NOT NULL;

CREATE TABLE mdm_certificate (
    fingerprint TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    serial TEXT COLLATE "C" NOT NULL,
    subject TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,             -- 0: not bound yet
    login TEXT,
    request_sha256 TEXT COLLATE "C",
    revoked_at BIGINT NOT NULL,
    revoked_reason TEXT,
    replaced_by TEXT,
    pem TEXT NOT NULL,
    issuer TEXT COLLATE "C",                            -- fingerprint of the CA certificate that issued it
    challenge TEXT COLLATE "C",                         -- sha256 of the challenge that paid for it
    session BIGINT NOT NULL DEFAULT 0       -- mdm_session of the person who enrolled, 0: none
);
CREATE UNIQUE INDEX mdm_certificate_by_serial ON mdm_certificate (serial);
CREATE UNIQUE INDEX mdm_certificate_by_request ON mdm_certificate (request_sha256) WHERE request_sha256 IS NOT NULL;
CREATE INDEX mdm_certificate_by_enrollment ON mdm_certificate (enrollment) WHERE enrollment > 0;
CREATE INDEX mdm_certificate_by_issue ON mdm_certificate (issued_at);
CREATE INDEX mdm_certificate_revoked ON mdm_certificate (issuer, revoked_at) WHERE revoked_at > 0;
CREATE INDEX mdm_certificate_current ON mdm_certificate (not_after, revoked_at, replaced_by) WHERE replaced_by IS NULL;

CREATE TABLE mdm_challenge (
    sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    login TEXT,
    common_name TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    invitation BIGINT NOT NULL DEFAULT 0,   -- mdm_invitation that led to it, 0: none
    session BIGINT NOT NULL DEFAULT 0,      -- mdm_session it belongs to, 0: none
    enrollment BIGINT NOT NULL DEFAULT 0    -- the enrollment whose identity it renews, 0: a new one
);
CREATE INDEX mdm_challenge_by_expiry ON mdm_challenge (expires_at);

-- SCEP requests that wait for an administrator, and those he has decided.
CREATE TABLE mdm_request (
    id BIGINT NOT NULL PRIMARY KEY,
    transaction_id TEXT COLLATE "C" NOT NULL,
    key_sha256 TEXT COLLATE "C" NOT NULL,               -- of the SubjectPublicKeyInfo that signed and asks
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
    id BIGINT NOT NULL PRIMARY KEY,
    sha256 TEXT COLLATE "C" NOT NULL,                   -- of the token in its URL
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
    id BIGINT NOT NULL PRIMARY KEY,
    sha256 TEXT COLLATE "C" NOT NULL,                   -- of the browser's cookie
    state INTEGER NOT NULL,                 -- mdm_session_state_e
    method INTEGER NOT NULL,                -- mdm_session_method_e
    login TEXT,
    invitation BIGINT NOT NULL,
    common_name TEXT COLLATE "C" NOT NULL,              -- of the identity that this session may get
    certificate TEXT,                       -- fingerprint of the identity that answered in phase 3
    enrollment BIGINT NOT NULL,
    source_ip TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    udid TEXT COLLATE "C",
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
    issuer TEXT COLLATE "C" NOT NULL PRIMARY KEY,       -- fingerprint of the CA certificate
    number BIGINT NOT NULL,
    stale INTEGER NOT NULL,                 -- 1: something was revoked since
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    der TEXT NOT NULL                       -- base64
);

-- Enrollments whose identity is being renewed.
CREATE TABLE mdm_renewal (
    enrollment BIGINT NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,                 -- next attempt
    attempts INTEGER NOT NULL,
    command BIGINT NOT NULL,                -- of the last attempt, 0: none yet
    not_after BIGINT NOT NULL,              -- of the identity to renew
    last_at BIGINT NOT NULL,
    last_error TEXT
);
CREATE INDEX mdm_renewal_by_due ON mdm_renewal (due_at);

CREATE TABLE mdm_push_topic (
    topic TEXT COLLATE "C" NOT NULL PRIMARY KEY,
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
    enrollment BIGINT NOT NULL PRIMARY KEY,
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
    last_wish BIGINT NOT NULL,
    repushes INTEGER NOT NULL DEFAULT 0     -- pushes in a row that the device has not followed
) WITH (fillfactor = 80);
CREATE INDEX mdm_push_by_due ON mdm_push (due_at) WHERE due_at > 0;

CREATE TABLE mdm_command (
    id BIGINT NOT NULL PRIMARY KEY,
    uuid TEXT COLLATE "C" NOT NULL,
    request_type TEXT COLLATE "C" NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    body TEXT NOT NULL,                     -- sealed
    delivery INTEGER NOT NULL DEFAULT 0,    -- mdm_delivery_e: how the body becomes what the device gets
    not_before BIGINT NOT NULL DEFAULT 0,
    not_after BIGINT NOT NULL DEFAULT 0,    -- 0: never
    priority INTEGER NOT NULL DEFAULT 0,
    approval INTEGER NOT NULL DEFAULT 0,    -- mdm_approval_e
    decided_by TEXT,
    decided_at BIGINT NOT NULL DEFAULT 0,
    supersede_key TEXT,                     -- a newer command with it replaces this one while it waits
    idempotency_key TEXT,                   -- of created_by
    request_sha256 TEXT,                    -- of the request that came with idempotency_key
    orderer TEXT,                           -- created_by, sealed: approvals go by it
    approver TEXT,                          -- who approved, sealed
    note TEXT                               -- why, in the words of who ordered it
);
CREATE UNIQUE INDEX mdm_command_by_uuid ON mdm_command (uuid);
CREATE UNIQUE INDEX mdm_command_by_key ON mdm_command (created_by, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX mdm_command_held ON mdm_command (id) WHERE approval = 1;

-- Open work only. The next command of an enrollment is the first entry of mdm_queue_next.
CREATE TABLE mdm_queue (
    command BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,
    priority INTEGER NOT NULL,
    notnow INTEGER NOT NULL,                -- 1: refused in this session
    tries INTEGER NOT NULL,
    queued_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    not_before BIGINT NOT NULL DEFAULT 0,   -- 0: now
    not_after BIGINT NOT NULL DEFAULT 0,    -- 0: never
    held INTEGER NOT NULL DEFAULT 0,        -- 1: waits for its approval
    PRIMARY KEY (command, enrollment)
) WITH (fillfactor = 80);
CREATE INDEX mdm_queue_next ON mdm_queue (enrollment, priority DESC, command);
CREATE INDEX mdm_queue_notnow ON mdm_queue (enrollment) WHERE notnow = 1;
CREATE INDEX mdm_queue_by_start ON mdm_queue (not_before) WHERE not_before > 0;
CREATE INDEX mdm_queue_by_end ON mdm_queue (not_after) WHERE not_after > 0;

-- History.
CREATE TABLE mdm_result (
    command BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,
    request_type TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL,
    finished_at BIGINT NOT NULL,
    error_chain TEXT,
    response TEXT,                          -- sealed
    PRIMARY KEY (command, enrollment)
);
CREATE INDEX mdm_result_latest ON mdm_result (enrollment, request_type, finished_at);

CREATE TABLE mdm_event (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT,
    source_ip TEXT,
    enrollment_id TEXT,
    object TEXT,
    detail TEXT
);

-- What devices have said of themselves, the newest value of each name.
CREATE TABLE mdm_fact (
    enrollment BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,                    -- JSON
    source TEXT NOT NULL,                   -- RequestType that it came with
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, name)
);

-- Changes of facts, the value that came.
CREATE TABLE mdm_fact_log (
    id BIGINT NOT NULL PRIMARY KEY,
    enrollment BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT,                             -- NULL: it went
    at BIGINT NOT NULL
);
CREATE INDEX mdm_fact_log_by_name ON mdm_fact_log (enrollment, name, id);

-- When each kind of answer was last taken in.
CREATE TABLE mdm_fact_source (
    enrollment BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, source)
);

-- The newest lists: profiles, certificates, applications, updates, ... of a device.
CREATE TABLE mdm_item (
    enrollment BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,                     -- "profile", "certificate", "application", ...
    identifier TEXT COLLATE "C" NOT NULL,
    name TEXT,
    version TEXT,
    detail TEXT NOT NULL,                   -- JSON
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, kind, identifier)
);

-- Secrets that devices hand over for safe keeping.
CREATE TABLE mdm_escrow (
    enrollment BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,                     -- "ActivationLockBypassCode", ...
    value TEXT NOT NULL,                    -- sealed
    stored_at BIGINT NOT NULL,
    PRIMARY KEY (enrollment, kind)
);

-- Groups of enrollments; the columns named collection hold mdm_group.id, since "group" is taken in SQL.
CREATE TABLE mdm_group (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    kind INTEGER NOT NULL DEFAULT 1,        -- mdm_group_kind_e
    rule TEXT,                              -- JSON, of a rule group
    directory TEXT,                         -- distinguished name, of a directory group
    changed_by TEXT,
    changed_at BIGINT NOT NULL DEFAULT 0,
    synced_at BIGINT NOT NULL DEFAULT 0     -- of a directory group
);
CREATE UNIQUE INDEX mdm_group_by_name ON mdm_group (name);

CREATE TABLE mdm_member (
    collection BIGINT NOT NULL,
    enrollment BIGINT NOT NULL,
    reason TEXT,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (collection, enrollment)
);
CREATE INDEX mdm_member_by_enrollment ON mdm_member (enrollment);

-- Events on their way to webhooks, in the order of id per sink and channel.
CREATE TABLE mdm_webhook_outbox (
    id BIGINT NOT NULL PRIMARY KEY,
    sink TEXT COLLATE "C" NOT NULL,                     -- names the URL: mdm_webhook_sink_t.id
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
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    position TEXT                           -- where the next run goes on
);

-- Persons, by the login that Apache or the directory knows them by.
CREATE TABLE mdm_user (
    login TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    display_name TEXT,
    email TEXT,
    attributes TEXT NOT NULL,               -- JSON object: role, title, department, ...; texts or arrays of texts
    source TEXT NOT NULL,                   -- who said so last: sign-in, api, csv, mdmctl, directory
    disabled INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    synced_at BIGINT NOT NULL,              -- last found in the directory, 0: never
    disabled_by TEXT                        -- the source that disabled the person; NULL: is not disabled
);
CREATE INDEX mdm_user_by_folded ON mdm_user (LOWER(TRIM(login)));

-- Who is in which group of the directory, as it was last synchronised.
CREATE TABLE mdm_directory_member (
    collection BIGINT NOT NULL,
    login TEXT COLLATE "C" NOT NULL,
    synced_at BIGINT NOT NULL,
    PRIMARY KEY (collection, login)
);
CREATE INDEX mdm_directory_member_by_login ON mdm_directory_member (login);

-- Names of facts that rules and profiles look at; other facts concern nobody when they change.
CREATE TABLE mdm_watched_fact (
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,         -- "group", "profile"
    object BIGINT NOT NULL,                 -- mdm_group.id, mdm_profile.id
    PRIMARY KEY (name, kind, object)
);

-- Enrollments whose groups and profiles are to be looked at again.
CREATE TABLE mdm_recheck (
    enrollment BIGINT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL                   -- of the newest mark: who has looked takes away only what he saw
);
CREATE INDEX mdm_recheck_by_since ON mdm_recheck (since);

-- Changes of what should hold, each worked off in the order of enrollments, by one process of all.
CREATE TABLE mdm_change (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,                     -- "group", "profile", "secret"
    object TEXT NOT NULL,
    actor TEXT,
    created_at BIGINT NOT NULL,
    position BIGINT NOT NULL,               -- the last enrollment that is done
    looked INTEGER NOT NULL,                -- enrollments looked at so far
    changed INTEGER NOT NULL,               -- of them so many for which something changed
    finished_at BIGINT NOT NULL             -- 0: under way
);
CREATE INDEX mdm_change_open ON mdm_change (id) WHERE finished_at = 0;

-- Values that profiles name instead of holding them; a new generation is a new row.
CREATE TABLE mdm_secret (
    name TEXT COLLATE "C" NOT NULL,
    generation INTEGER NOT NULL,
    value TEXT NOT NULL,                    -- sealed
    created_by TEXT,
    created_at BIGINT NOT NULL,
    retired_at BIGINT NOT NULL,             -- 0: the present one
    unreadable_at BIGINT NOT NULL,          -- it was found not to open, and that was told; 0: never
    PRIMARY KEY (name, generation)
);
CREATE UNIQUE INDEX mdm_secret_present ON mdm_secret (name) WHERE retired_at = 0;
CREATE INDEX mdm_secret_unreadable ON mdm_secret (name) WHERE unreadable_at > 0;

CREATE TABLE mdm_profile (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    identifier TEXT COLLATE "C" NOT NULL,   -- PayloadIdentifier: never changes, so that an install replaces
    scope TEXT NOT NULL,                    -- PayloadScope: System, User
    version INTEGER NOT NULL,               -- the current one
    created_by TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    archived_at BIGINT NOT NULL             -- 0: in the library
);
CREATE UNIQUE INDEX mdm_profile_by_name ON mdm_profile (name) WHERE archived_at = 0;
CREATE UNIQUE INDEX mdm_profile_by_identifier ON mdm_profile (identifier);

-- What they hold never changes.
CREATE TABLE mdm_profile_version (
    profile BIGINT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,                     -- plist with references for variables and secrets, sealed
    sha256 TEXT NOT NULL,                   -- HMAC of the plain body under the sealing key
    detail TEXT NOT NULL,                   -- JSON: payload types, single-instance ones, warnings, variables
    note TEXT,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    unreadable_at BIGINT NOT NULL,          -- its body was found not to open, and that was told; 0: never
    PRIMARY KEY (profile, version)
);
CREATE INDEX mdm_profile_version_unreadable ON mdm_profile_version (profile) WHERE unreadable_at > 0;

-- Which version of a profile names which secret.
CREATE TABLE mdm_profile_secret (
    secret TEXT COLLATE "C" NOT NULL,
    profile BIGINT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (secret, profile, version)
);

-- Which profile is for whom.
CREATE TABLE mdm_assignment (
    id BIGINT NOT NULL PRIMARY KEY,
    profile BIGINT NOT NULL,
    version INTEGER NOT NULL,               -- pinned; 0: the current one
    kind INTEGER NOT NULL,                  -- mdm_assignment_kind_e: of the target
    target TEXT COLLATE "C" NOT NULL,       -- mdm_group.id, mdm_user.login or mdm_enrollment.id, as text
    exclude INTEGER NOT NULL,               -- 1: not for this target, whatever else says
    priority INTEGER NOT NULL,
    condition_id BIGINT NOT NULL,           -- under which it holds; 0: always
    rollout TEXT,                           -- JSON: steps, hold, stop_at; NULL: at once
    rollout_state INTEGER NOT NULL,         -- mdm_rollout_state_e
    rollout_step INTEGER NOT NULL,          -- index of the step that is reached
    rollout_version INTEGER NOT NULL,       -- of the profile, that is rolled out
    rollout_from INTEGER NOT NULL,          -- version for those whose turn has not come; 0: nothing
    rollout_at BIGINT NOT NULL,             -- when the next step is due
    rollout_reason TEXT,                    -- why it stopped
    created_by TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX mdm_assignment_by_profile ON mdm_assignment (profile);
CREATE INDEX mdm_assignment_by_target ON mdm_assignment (kind, target);
CREATE INDEX mdm_assignment_by_rollout ON mdm_assignment (rollout_at) WHERE rollout_at > 0;

-- What should hold for an enrollment, and how far it is. What the device itself says is in mdm_item, kind "profile".
CREATE TABLE mdm_desired (
    enrollment BIGINT NOT NULL,
    profile BIGINT NOT NULL,
    version INTEGER NOT NULL,               -- of the profile; 0: none, it is to go
    want_uuid TEXT COLLATE "C",             -- PayloadUUID that names exactly the content that should be there
    sent_uuid TEXT COLLATE "C",             -- that was handed out last
    state INTEGER NOT NULL,                 -- mdm_desired_state_e
    assignment BIGINT NOT NULL,             -- that decided
    reason TEXT NOT NULL,                   -- why
    command BIGINT NOT NULL,                -- the install or removal under way, 0: none
    drift INTEGER NOT NULL,                 -- mdm_drift_e, of the last ProfileList
    tries INTEGER NOT NULL,                 -- remedies so far
    next_try_at BIGINT NOT NULL,            -- 0: none is due
    first_failed_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    verified_at BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (enrollment, profile)
) WITH (fillfactor = 80);
CREATE INDEX mdm_desired_by_profile ON mdm_desired (profile, enrollment);
CREATE INDEX mdm_desired_by_retry ON mdm_desired (next_try_at) WHERE next_try_at > 0;
CREATE INDEX mdm_desired_by_trouble ON mdm_desired (state, changed_at) WHERE state >= 5 AND state <= 7;
CREATE INDEX mdm_fact_enrollment_profile ON mdm_fact (value) WHERE name = 'ProfileList.EnrollmentProfile';
CREATE INDEX mdm_fact_passcode ON mdm_fact (enrollment)
    WHERE name = 'SecurityInfo.PasscodeCompliantWithProfiles' AND value = 'false';
