-- SPDX-License-Identifier: Apache-2.0
--
-- Schema version 3 to 4 in SQLite: persons, kinds of groups, profiles, secrets, assignments and what should hold. What it
-- leads to is word for word what schema.sqlite3.sql makes.

DROP INDEX mdm_result_by_age;
ALTER TABLE mdm_command ADD COLUMN orderer TEXT;
ALTER TABLE mdm_command ADD COLUMN approver TEXT;
ALTER TABLE mdm_command ADD COLUMN note TEXT;
ALTER TABLE mdm_enrollment ADD COLUMN authenticated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_group ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;
ALTER TABLE mdm_group ADD COLUMN rule TEXT;
ALTER TABLE mdm_group ADD COLUMN directory TEXT;
ALTER TABLE mdm_group ADD COLUMN changed_by TEXT;
ALTER TABLE mdm_group ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mdm_group ADD COLUMN synced_at BIGINT NOT NULL DEFAULT 0;

-- Persons, by the login that Apache or the directory knows them by.
CREATE TABLE mdm_user (
    login TEXT NOT NULL PRIMARY KEY,
    display_name TEXT,
    email TEXT,
    attributes TEXT NOT NULL,               -- JSON object: role, title, department, ...; texts or arrays of texts
    source TEXT NOT NULL,                   -- who said so last: sign-in, api, csv, directory
    disabled INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    synced_at BIGINT NOT NULL               -- last found in the directory, 0: never
) WITHOUT ROWID;

-- Who is in which group of the directory, as it was last synchronised.
CREATE TABLE mdm_directory_member (
    collection BIGINT NOT NULL,
    login TEXT NOT NULL,
    synced_at BIGINT NOT NULL,
    PRIMARY KEY (collection, login)
) WITHOUT ROWID;
CREATE INDEX mdm_directory_member_by_login ON mdm_directory_member (login);

-- Names of facts that rules and profiles look at; other facts concern nobody when they change.
CREATE TABLE mdm_watched_fact (
    name TEXT NOT NULL,
    kind TEXT NOT NULL,                     -- "group", "profile"
    object BIGINT NOT NULL,                 -- mdm_group.id, mdm_profile.id
    PRIMARY KEY (name, kind, object)
) WITHOUT ROWID;

-- Enrollments whose groups and profiles are to be looked at again.
CREATE TABLE mdm_recheck (
    enrollment INTEGER NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL                   -- of the newest mark: who has looked takes away only what he saw
);
CREATE INDEX mdm_recheck_by_since ON mdm_recheck (since);

-- Changes of what should hold, each worked off in the order of enrollments, by one process of all.
CREATE TABLE mdm_change (
    id INTEGER NOT NULL PRIMARY KEY,
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
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    value TEXT NOT NULL,                    -- sealed
    created_by TEXT,
    created_at BIGINT NOT NULL,
    retired_at BIGINT NOT NULL,             -- 0: the present one
    unreadable_at BIGINT NOT NULL,          -- it was found not to open, and that was told; 0: never
    PRIMARY KEY (name, generation)
) WITHOUT ROWID;
CREATE UNIQUE INDEX mdm_secret_present ON mdm_secret (name) WHERE retired_at = 0;
CREATE INDEX mdm_secret_unreadable ON mdm_secret (name) WHERE unreadable_at > 0;

CREATE TABLE mdm_profile (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    identifier TEXT NOT NULL,               -- PayloadIdentifier: never changes, so that an install replaces
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
) WITHOUT ROWID;
CREATE INDEX mdm_profile_version_unreadable ON mdm_profile_version (profile) WHERE unreadable_at > 0;

-- Which version of a profile names which secret.
CREATE TABLE mdm_profile_secret (
    secret TEXT NOT NULL,
    profile BIGINT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (secret, profile, version)
) WITHOUT ROWID;

-- Which profile is for whom.
CREATE TABLE mdm_assignment (
    id INTEGER NOT NULL PRIMARY KEY,
    profile BIGINT NOT NULL,
    version INTEGER NOT NULL,               -- pinned; 0: the current one
    kind INTEGER NOT NULL,                  -- mdm_assignment_kind_e: of the target
    target TEXT NOT NULL,                   -- mdm_group.id, mdm_user.login or mdm_enrollment.id, as text
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
    want_uuid TEXT,                         -- PayloadUUID that names exactly the content that should be there
    sent_uuid TEXT,                         -- that was handed out last
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
) WITHOUT ROWID;
CREATE INDEX mdm_desired_by_profile ON mdm_desired (profile, enrollment);
CREATE INDEX mdm_desired_by_retry ON mdm_desired (next_try_at) WHERE next_try_at > 0;
CREATE INDEX mdm_desired_by_trouble ON mdm_desired (state, changed_at) WHERE state >= 5 AND state <= 7;
CREATE INDEX mdm_fact_enrollment_profile ON mdm_fact (value) WHERE name = 'ProfileList.EnrollmentProfile';
CREATE INDEX mdm_fact_passcode ON mdm_fact (enrollment)
    WHERE name = 'SecurityInfo.PasscodeCompliantWithProfiles' AND value = 'false';
