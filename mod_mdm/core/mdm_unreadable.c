/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does not open is noted in the row itself: the update that changes it is the one that tells. Any thread. Neither
 * values nor what is sealed are told.
 */
#include <apr_strings.h>

#include "mdm_store.h"
#include "mdm_store_change.h"
#include "mdm_store_profile.h"
#include "mdm_store_secret.h"
#include "mdm_unreadable.h"

#define ALERTS_MAX 10
#define AGAIN_MAX 1000

static apr_status_t note_one(mdm_store_t *st, mdm_unreadable_t *one)
{
    const char *object = one->secret;
    mdm_profile_row_t *profile;
    apr_status_t rv = mdm_store_unreadable_note(&one->first, st, one);

    if (rv != APR_SUCCESS || !one->first)
        return rv;
    if (!object) {
        if ((rv = mdm_store_profile_by_id(&profile, st, one->profile)) != APR_SUCCESS)
            return rv;
        object = profile->name;
    }
    return mdm_store_event(st, one->secret ? "secret.unreadable" : "profile.unreadable", NULL, NULL, NULL, object,
                           apr_psprintf(st->ctx->pool, "%s %d", one->secret ? "generation" : "version", one->number));
}

apr_status_t mdm_unreadable_note(mdm_store_t *st, mdm_render_t *render)
{
    apr_array_header_t *closed = mdm_render_closed(render);
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < closed->nelts; i++) {
        mdm_unreadable_t *one = &APR_ARRAY_IDX(closed, i, mdm_unreadable_t);

        if (!one->noted)
            rv = note_one(st, one);
    }
    return rv;
}

void mdm_unreadable_tell(mdm_ctx_t *ctx, mdm_render_t *render)
{
    apr_array_header_t *closed = mdm_render_closed(render);
    int i;

    for (i = 0; i < closed->nelts; i++) {
        mdm_unreadable_t *one = &APR_ARRAY_IDX(closed, i, mdm_unreadable_t);

        if (!one->noted && one->first)
            mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(1075) "a %s does not open, and profiles that need it "
                    "are blocked: %s; or %s anew", one->secret ? "secret" : "profile", one->why,
                    one->secret ? "give the secret a value" : "save the profile");
        one->noted = 1;
    }
}

/* ---- when the key has come back */

static apr_status_t try_one(int *opens, mdm_store_t *st, const mdm_unreadable_t *one)
{
    mdm_profile_version_t *version;
    mdm_bytes_t value;
    int generation = 0;
    apr_status_t rv = one->secret ? mdm_store_secret_value(&value, &generation, st, one->secret)
                                  : mdm_store_profile_version_get(&version, st, one->profile, one->number);

    *opens = rv == APR_SUCCESS;
    if (rv != MDM_ECRYPTO && rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(st->ctx);
    return APR_SUCCESS;
}

typedef struct {
    mdm_store_t *st;
    const mdm_unreadable_t *one;
} again_t;

static apr_status_t begin_again(void *baton, mdm_db_t *db)
{
    again_t *a = baton;
    mdm_store_t *st = a->st;
    apr_status_t rv = mdm_store_unreadable_forget(st, a->one);

    (void)db;
    if (rv == MDM_ENOTFOUND)
        return APR_SUCCESS;
    if (rv != APR_SUCCESS)
        return rv;
    return mdm_store_change_add(st, a->one->secret ? MDM_CHANGE_SECRET : MDM_CHANGE_PROFILE, a->one->secret
                                ? a->one->secret : apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT, a->one->profile),
                                NULL);
}

apr_status_t mdm_unreadable_again(mdm_store_t *st)
{
    apr_array_header_t *list;
    apr_status_t rv = mdm_store_unreadable_list(&list, st, AGAIN_MAX);
    int i, opens;

    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        again_t a = { st, &APR_ARRAY_IDX(list, i, mdm_unreadable_t) };

        rv = try_one(&opens, st, a.one);
        if (rv == APR_SUCCESS && opens)
            rv = mdm_db_transact(st->db, begin_again, &a);
    }
    return rv;
}

/* ---- the status page */

void mdm_unreadable_alerts(json_t *alerts, mdm_store_t *st)
{
    apr_pool_t *p = st->ctx->pool;
    apr_array_header_t *list;
    int i;

    if (mdm_store_unreadable_list(&list, st, ALERTS_MAX) != APR_SUCCESS)
        return;
    for (i = 0; i < list->nelts; i++) {
        const mdm_unreadable_t *one = &APR_ARRAY_IDX(list, i, mdm_unreadable_t);
        const char *text = one->secret
            ? apr_psprintf(p, "The secret %s does not open with the sealing key: profiles that need it are blocked. "
                           "Give it a value anew, or restore the key and restart", one->secret)
            : apr_psprintf(p, "Version %d of the profile %s does not open with the sealing key: it is blocked. Save it "
                           "anew, or restore the key and restart", one->number, one->name);

        json_array_append_new(alerts, json_string(text));
    }
}
