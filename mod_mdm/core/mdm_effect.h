/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What should hold for enrollments, and why. An exclusion beats every assignment, also that of a user who is disabled,
 * to whom nothing else is assigned; of several assignments of a profile that with the highest priority decides the
 * version (then the one that names the enrollment, then the user, then a group, then the older); of two profiles with a
 * payload of which there can be but one, that with the higher priority wins and the other is blocked. Profiles of scope
 * System are for devices, of scope User for user channels, which are in the groups of their device too. Any thread;
 * writes nothing.
 */
#ifndef MDM_EFFECT_H
#define MDM_EFFECT_H

#include "mdm_catalog.h"
#include "mdm_store_desired.h"

/* One profile for one enrollment. */
typedef struct mdm_effect_t {
    mdm_catalog_profile_t *profile;
    const mdm_catalog_entry_t *entry;     /* that decided */
    int version;                  /* 0: nothing now, its turn has not come */
    int kept;                     /* its turn has not come: what is there stays just as it is */
    const char *reason;           /* "member of the group sales"; of a blocked one: by what */
    const mdm_catalog_entry_t *blocker;   /* the entry that stands in its way, or NULL */
} mdm_effect_t;

/* An enrollment of a batch. */
typedef struct mdm_effect_of_t {
    const mdm_enrollment_t *enrollment;   /* enrolled */
    const mdm_enrollment_t *device;       /* of a user channel its device, if there is a row; else itself */
    apr_hash_t *rows;             /* profile id -> mdm_desired_t *: what should hold by now */
    apr_array_header_t *effects;  /* mdm_effect_t, each profile once */
    apr_hash_t *excluded;         /* profile id -> const char *: by what, for the others that are excluded */
} mdm_effect_of_t;

typedef struct mdm_effect_batch_t {
    apr_array_header_t *all;      /* mdm_effect_of_t, in the order of enrollments */
    apr_array_header_t *absent;   /* apr_int64_t: not enrolled, or unknown */
} mdm_effect_batch_t;

/**
 * What should hold for at most MDM_QUEUE_CHUNK enrollments. Five statements or so.
 * @param profiles of these alone, as from mdm_catalog_cluster; NULL: of all
 * @param lock     the rows read are nobody else's until the transaction ends
 */
apr_status_t mdm_effect_batch(mdm_effect_batch_t **out, mdm_store_t *st, mdm_catalog_t *catalog,
                              const apr_int64_t *enrollments, int count, const apr_array_header_t *profiles, int lock);

#endif
