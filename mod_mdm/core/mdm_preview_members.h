/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices install and lose when a group has other members, before it has. Whoever joins or leaves is told one
 * after the other, in the order of enrollments; what is kept grows with those who move. Any request thread; writes
 * nothing.
 */
#ifndef MDM_PREVIEW_MEMBERS_H
#define MDM_PREVIEW_MEMBERS_H

#include "mdm_preview.h"

typedef struct mdm_preview_members_t mdm_preview_members_t;

/** @param group 0: one that is still to be made, to which nothing is assigned */
apr_status_t mdm_preview_members_begin(mdm_preview_members_t **out, mdm_store_t *st, apr_int64_t group);

/**
 * One that would join or leave; a mdm_group_moved_fn.
 * @param members mdm_preview_members_t *
 */
apr_status_t mdm_preview_members_move(void *members, apr_int64_t enrollment, int joins);

/** Look at all who move, and at the user channels of devices that do: the sums. */
apr_status_t mdm_preview_members_end(mdm_preview_t **out, mdm_preview_members_t *members);

#endif
