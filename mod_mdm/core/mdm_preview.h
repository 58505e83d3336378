/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a save would do, before it is done: the fan-out's own steps over the catalog as it would be, without a write.
 * What is told is what then happens, as long as nothing else changes. Any request thread; memory does not grow with the
 * number of enrollments.
 */
#ifndef MDM_PREVIEW_H
#define MDM_PREVIEW_H

#include <jansson.h>

#include "mdm_judge.h"
#include "mdm_plan.h"

#define MDM_PREVIEW_NAMED 1000    /* enrollments named for each action, at most */

typedef enum {
    MDM_PREVIEW_ASSIGNMENT = 1,   /* a new one, or one in the place of that with its id */
    MDM_PREVIEW_DELETE,           /* of an assignment */
    MDM_PREVIEW_VERSION,          /* another version of a profile becomes the current one */
    MDM_PREVIEW_SECRET,           /* another value of a secret */
    MDM_PREVIEW_ARCHIVE,          /* of a profile, whose assignments end */
    MDM_PREVIEW_CONTENT,          /* a version that is not saved yet becomes the current one */
    MDM_PREVIEW_MEMBERS           /* a group has other members: see mdm_preview_members.h */
} mdm_preview_e;

typedef struct mdm_preview_request_t {
    mdm_preview_e what;
    const mdm_assignment_t *assignment;   /* also of a delete */
    apr_int64_t profile;          /* of a version, an archive or a content */
    int version;
    const char *secret;
    apr_int64_t looks;            /* at so many enrollments at most; 0: at all */
    mdm_bytes_t body;             /* of a content; the next two are about it */
    const char *detail;           /* as mdm_profile_version_t.detail */
    int user_scope;
    apr_int64_t group;            /* of members */
} mdm_preview_request_t;

typedef struct mdm_preview_t {
    apr_int64_t looked;
    apr_int64_t counts[MDM_PLAN_WAIT + 1];        /* by mdm_plan_e */
    apr_array_header_t *named[MDM_PLAN_WAIT + 1]; /* const char *: enrollment ids, MDM_PREVIEW_NAMED of each */
    apr_array_header_t *blocked;  /* mdm_judge_note_t: why some cannot get it */
    apr_array_header_t *warnings; /* mdm_judge_note_t: what devices among them will not do with it */
    const char *tie;              /* two profiles of the same priority want one place: who, where; NULL: none do */
    apr_int64_t ties;
} mdm_preview_t;

/** @return MDM_ENOTFOUND, MDM_EDB */
apr_status_t mdm_preview_run(mdm_preview_t **out, mdm_store_t *st, const mdm_preview_request_t *request);

/* The same where the caller knows who is concerned. */
typedef struct mdm_preview_walk_t mdm_preview_walk_t;

/**
 * Begin one.
 * @param catalog out: as the request would have it; of members the caller says in it who moves
 */
apr_status_t mdm_preview_begin(mdm_preview_walk_t **out, mdm_catalog_t **catalog, mdm_store_t *st,
                               const mdm_preview_request_t *request);

/** Look at MDM_QUEUE_CHUNK enrollments at most, in the order of ids. */
apr_status_t mdm_preview_look(mdm_preview_walk_t *walk, const apr_int64_t *enrollments, int count);

/** What was found so far. */
mdm_preview_t *mdm_preview_found(mdm_preview_walk_t *walk);

/** As the API shows it; the caller frees it. */
json_t *mdm_preview_json(const mdm_preview_t *preview);

#endif
