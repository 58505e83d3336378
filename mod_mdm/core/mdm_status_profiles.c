/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far profiles are, for the status page: on how many devices each is in which version, how many wait, how many
 * failed. One statement, which counts the rows of the profiles that are shown, up to a bound for each; any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_status.h"
#include "mdm_store_desired.h"

#define SHOWN 20
#define COUNTED_MAX 20000

static const char *column_of(mdm_desired_state_e state)
{
    switch (state) {
    case MDM_DESIRED_ACKED:
    case MDM_DESIRED_VERIFIED:
        return "installed";
    case MDM_DESIRED_PENDING:
    case MDM_DESIRED_SENT:
        return "waiting";
    default:
        return mdm_desired_name(state);
    }
}

static void count(json_t *json, const char *name, apr_int64_t more)
{
    json_object_set_new(json, name, json_integer(json_integer_value(json_object_get(json, name)) + more));
}

static json_t *new_profile(const mdm_desired_figure_t *f)
{
    if (f->uncounted)
        return json_pack("{s:s, s:i, s:i}", "profile", f->name, "version", f->current, "more_than", COUNTED_MAX);
    return json_pack("{s:s, s:i, s:{}, s:i, s:i, s:i, s:i, s:i}", "profile", f->name, "version", f->current,
                     "installed", "waiting", 0, "failed", 0, "drifted", 0, "blocked", 0, "removing", 0);
}

void mdm_status_profiles(json_t *report, mdm_store_t *st)
{
    apr_array_header_t *figures;
    apr_status_t rv = mdm_store_desired_figures(&figures, st, SHOWN, COUNTED_MAX);
    json_t *list = json_array(), *json = NULL;
    int i;

    if (rv != APR_SUCCESS)
        mdm_status_failed(json_object_get(report, "alerts"), st->ctx, "How far profiles are cannot be looked up", rv);
    for (i = 0; rv == APR_SUCCESS && i < figures->nelts; i++) {
        const mdm_desired_figure_t *f = &APR_ARRAY_IDX(figures, i, mdm_desired_figure_t);
        const char *column = column_of(f->state);

        if (!f->uncounted && !f->state)
            continue;
        if (!json || strcmp(f->name, json_string_value(json_object_get(json, "profile"))))
            json_array_append_new(list, json = new_profile(f));
        if (f->uncounted)
            continue;
        if (!strcmp(column, "installed"))
            count(json_object_get(json, column), apr_itoa(st->ctx->pool, f->version), f->count);
        else
            count(json, column, f->count);
    }
    json_object_set_new(report, "profile_versions", list);
}
