/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is assigned, read at once: profiles, their assignments by target, and what payloads of their versions there
 * can be but one of. The preview changes it as a save would, and asks the same questions. Belongs to one thread.
 */
#ifndef MDM_CATALOG_H
#define MDM_CATALOG_H

#include <apr_hash.h>

#include "mdm_rollout.h"
#include "mdm_store.h"
#include "mdm_store_assignment.h"
#include "mdm_store_batch.h"

/* A profile that is assigned. */
typedef struct mdm_catalog_profile_t {
    apr_int64_t id;
    const char *name, *identifier;
    int user_scope;               /* for user channels; else for devices */
    int version;                  /* the current one */
    int cluster;                  /* profiles that can stand in each other's way have the same */
} mdm_catalog_profile_t;

/* An assignment of it. */
typedef struct mdm_catalog_entry_t {
    mdm_assignment_t *assignment;
    mdm_catalog_profile_t *profile;
    mdm_rollout_t *rollout;       /* NULL: at once */
} mdm_catalog_entry_t;

/* A payload of which a device can have but one. */
typedef struct mdm_catalog_single_t {
    const char *slot;             /* PayloadType, or that of another which takes the same place */
    const char *systems;          /* letters as in mdm_key.h: on which it is so */
} mdm_catalog_single_t;

#define MDM_CATALOG_JOINS "joins"
#define MDM_CATALOG_LEAVES "leaves"

typedef struct mdm_catalog_t {
    mdm_ctx_t *ctx;
    apr_array_header_t *entries;  /* mdm_catalog_entry_t *, in the order of assignments */
    apr_hash_t *profiles;         /* id -> mdm_catalog_profile_t * */
    /* by mdm_assignment_kind_e: target -> apr_array_header_t of mdm_catalog_entry_t * */
    apr_hash_t *by_target[MDM_ASSIGNMENT_ENROLLMENT + 1];
    apr_hash_t *single;           /* profile and version -> apr_array_header_t of mdm_catalog_single_t */
    apr_int64_t moved;            /* a group whose members would be others; 0: none */
    apr_hash_t *moves;            /* enrollment id -> "joins" or "leaves": that group; or NULL */
} mdm_catalog_t;

/** Read it; everything lives in ctx->pool of the store. Three statements. @return MDM_EINPUT: a row that is nonsense */
apr_status_t mdm_catalog_load(mdm_catalog_t **out, mdm_store_t *st);

/** Add an assignment, or put another in the place of the one with its id; its profile is read when it is new. */
apr_status_t mdm_catalog_put(mdm_catalog_t *catalog, mdm_store_t *st, const mdm_assignment_t *assignment);

/** Take an assignment out. */
void mdm_catalog_drop(mdm_catalog_t *catalog, apr_int64_t assignment);

/** All assignments of a profile end. */
void mdm_catalog_drop_profile(mdm_catalog_t *catalog, apr_int64_t profile);

/**
 * A version that is not saved yet: what mdm_catalog_single will say of it.
 * @param detail as mdm_profile_version_t.detail
 */
void mdm_catalog_put_version(mdm_catalog_t *catalog, apr_int64_t profile, int version, const char *detail);

/**
 * Learn all versions of some profiles, assigned or not: what devices hold of one that is not assigned any more, or of
 * an earlier version, has stood in the way of others. One or two statements for each.
 */
apr_status_t mdm_catalog_widen(mdm_catalog_t *catalog, mdm_store_t *st, const apr_int64_t *profiles, int count);

/** Another version is current; rollouts begin again as mdm_rollout_restart does. */
apr_status_t mdm_catalog_set_version(mdm_catalog_t *catalog, mdm_store_t *st, apr_int64_t profile, int version);

/** Rollouts of a profile begin again, as a new secret makes them. */
void mdm_catalog_begin_anew(mdm_catalog_t *catalog, apr_int64_t profile);

/** NULL: not assigned. */
mdm_catalog_profile_t *mdm_catalog_profile(const mdm_catalog_t *catalog, apr_int64_t id);

/** The entries of a target; NULL: none. @param target as mdm_assignment_t.target */
const apr_array_header_t *mdm_catalog_of(const mdm_catalog_t *catalog, mdm_assignment_kind_e kind, const char *target);

/** What of a version a device can have but one of: array of mdm_catalog_single_t. One statement, if it is new. */
apr_status_t mdm_catalog_single(const apr_array_header_t **single, mdm_catalog_t *catalog, mdm_store_t *st,
                                apr_int64_t profile, int version);

/**
 * These profiles and all that can stand in their way, each once: array of apr_int64_t in order, in the pool of the
 * catalog. Profiles that it does not know are kept.
 */
apr_array_header_t *mdm_catalog_cluster(const mdm_catalog_t *catalog, const apr_int64_t *profiles, int count);

#endif
