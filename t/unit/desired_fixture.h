/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the unit programs about what should hold: enrollments, groups, profiles, secrets and assignments by a line each,
 * and a simulated device that fetches and answers what is queued for it.
 */
#ifndef DESIRED_FIXTURE_H
#define DESIRED_FIXTURE_H

#include "database.h"
#include "mdm_store_assignment.h"
#include "mdm_store_desired.h"
#include "mdm_store_profile.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")

/* The store of the test. */
extern mdm_store_t *st;

/** A database with the groups sales (1), everyone (2) and vip (3), nobody in them. */
void desired_start(int loop);

/** An enrolled device, "UDID-NNN" of its id; or with a parent a user channel of it. */
void desired_enrol(apr_int64_t id, apr_int64_t parent, const char *login);
void desired_enrol_many(int from, int to);
void desired_user(const char *login, const char *email, const char *attributes);
void desired_join(apr_int64_t group, int from, int to);

/**
 * A version of a profile: version 1 makes it. Its current version is that from now on.
 * @param text   in its one payload, with references
 * @param single a PayloadType of which a device can have but one, or NULL
 */
void desired_profile(apr_int64_t id, const char *name, int version, const char *text, const char *single);
void desired_secret(const char *name, const char *value);

/** Assign; `change` fields as the tests like. @return the id */
apr_int64_t desired_assign(apr_int64_t profile, mdm_assignment_kind_e kind, const char *target, int exclude,
                           int priority, const char *rollout);
void desired_unassign(apr_int64_t assignment);

/** Note a change and work all off. @return enrollments for which the change has changed something */
int desired_change(const char *kind, const char *object);
/** Work all off. */
void desired_run(void);

/** A device fetches all it has and says yes, no ("Error") to each: rows become acked or failed, removed. */
void desired_answer(int from, int to, const char *status);

/** One figure out of the database. */
int desired_count(const char *sql);
/** Numbers of "install", "remove" queued, and of wake-ups wanted, as "3 1 4". */
const char *desired_tally(void);

#endif
