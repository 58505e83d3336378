/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile held against the devices that are to have it: what they will not take or will ignore, as sentences with the
 * number of enrollments that each is about. Called by previews and by saves of assignments and profiles, in request
 * threads; one judge belongs to one thread. Writes nothing, and keeps nobody from saving: other devices may take it.
 */
#ifndef MDM_JUDGE_H
#define MDM_JUDGE_H

#include <jansson.h>

#include "mdm_effect.h"
#include "mdm_payload_check.h"
#include "mdm_store_profile.h"

#define MDM_JUDGE_LOOKS 1024      /* enrollments that a save looks at for warnings alone */

/* A sentence about some of the enrollments. */
typedef struct mdm_judge_note_t {
    mdm_finding_e severity;       /* 0: none */
    const char *text;
    apr_int64_t count;
} mdm_judge_note_t;

typedef struct mdm_judge_t mdm_judge_t;

/** Count a sentence. Of too many different ones a refusal takes the place of a warning, and others are left out. */
void mdm_judge_note(apr_array_header_t *notes, mdm_finding_e severity, const char *text, apr_pool_t *p);

/** Refusals first: [{"severity": "refuse" or "warn", if any, "text", "enrollments"}]; the caller frees it. */
json_t *mdm_judge_notes_json(const apr_array_header_t *notes);

/**
 * @param ctx   its pool keeps what is found
 * @param tree  of the profile
 * @param notes array of mdm_judge_note_t that what is found is counted in
 */
mdm_judge_t *mdm_judge_create(mdm_ctx_t *ctx, const mdm_plist_t *tree, apr_array_header_t *notes);

/**
 * Judge some of a batch. One statement. A device of which nobody knows whether it is supervised gets one note when that
 * would make a difference.
 * @param st  to read with; what it allocates is not kept
 * @param ofs const mdm_effect_of_t *, MDM_QUEUE_CHUNK at most
 * @return MDM_EDB
 */
apr_status_t mdm_judge_some(mdm_judge_t *j, mdm_store_t *st, const apr_array_header_t *ofs);

/**
 * Judge the devices that follow the current version of a profile: the first MDM_JUDGE_LOOKS that it is assigned to.
 * @param body of the version that is, or is to become, the current one
 * @return MDM_EDB, MDM_EPLIST
 */
apr_status_t mdm_judge_profile(apr_array_header_t **notes, mdm_store_t *st, const mdm_profile_row_t *profile,
                               mdm_bytes_t body);

#endif
