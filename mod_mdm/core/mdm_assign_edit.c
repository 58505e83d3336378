/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Previews of what is done to an assignment or a profile that is there: what of it would be other, and that it would
 * go. Read as the save reads it, so that both refuse the same. Called by the API.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_assign.h"
#include "mdm_json.h"
#include "mdm_refusal.h"
#include "mdm_store_profile.h"

static apr_status_t read_change(mdm_preview_request_t *out, mdm_store_t *st, const json_t *json)
{
    const json_t *id = json_object_get(json, "assignment");
    json_t *rest = mdm_json_own(json_deep_copy(json), st->ctx->pool);
    mdm_assignment_t *a;
    apr_status_t rv;

    if (!json_is_string(id))
        return mdm_fail(st->ctx, MDM_EINPUT, "assignment must be the id of one, as a text");
    json_object_del(rest, "assignment");
    out->what = MDM_PREVIEW_ASSIGNMENT;
    rv = mdm_store_assignment_get(&a, st, apr_atoi64(json_string_value(id)));
    if (rv != APR_SUCCESS)
        return mdm_refusal_missing(st->ctx, rv, "assignment", "GET v1/assignments lists those that there are");
    rv = mdm_assign_read_change(&a, st, a->id, rest);
    out->assignment = a;
    return rv;
}

static apr_status_t read_archive(mdm_preview_request_t *out, mdm_store_t *st, const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "archive"));
    mdm_profile_row_t *profile;
    apr_status_t rv;

    if (!name || json_object_size(json) != 1)
        return mdm_fail(st->ctx, MDM_EINPUT, "archive must be the name of a profile, and there is no other member "
                        "beside it: leave the rest out");
    out->what = MDM_PREVIEW_ARCHIVE;
    if ((rv = mdm_store_profile_get(&profile, st, name)) == APR_SUCCESS)
        out->profile = profile->id;
    return mdm_refusal_missing(st->ctx, rv, "archive", "GET v1/profiles lists those that there are");
}

apr_status_t mdm_assign_read_edit(mdm_preview_request_t *out, mdm_store_t *st, const json_t *json)
{
    memset(out, 0, sizeof(*out));
    return json_object_get(json, "archive") ? read_archive(out, st, json) : read_change(out, st, json);
}
