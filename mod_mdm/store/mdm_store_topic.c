/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push certificates by topic. Uploaded through the API, read by the sender; the key is sealed in the table.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_push.h"
#include "mdm_store_row.h"

#define KEY "mdm_push_topic.key_pem"

static mdm_push_topic_t *from_row(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_push_topic_t *t = apr_pcalloc(st->ctx->pool, sizeof(*t));

    t->topic = MDM_ROW(rows, r, 0);
    t->not_before = mdm_row_number(rows, r, 1);
    t->not_after = mdm_row_number(rows, r, 2);
    t->uploaded_at = mdm_row_number(rows, r, 3);
    t->generation = (int)mdm_row_number(rows, r, 4);
    t->certificate_pem = MDM_ROW(rows, r, 5);
    return t;
}

apr_status_t mdm_store_push_topic_put(mdm_store_t *st, const mdm_push_topic_t *t)
{
    const char *before = mdm_row_text(st, t->not_before), *after = mdm_row_text(st, t->not_after);
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *key;
    apr_status_t rv = mdm_row_seal(&key, st, t->key_pem, KEY, t->topic);

    if (rv == APR_SUCCESS) {
        const char *args[] = { before, after, now, t->certificate_pem, key, t->topic };

        rv = mdm_row_change(st, STMT_PUSH_TOPIC_UPDATE, args);
    }
    if (rv == MDM_ENOTFOUND) {
        const char *args[] = { t->topic, before, after, now, t->certificate_pem, key };

        rv = mdm_db_exec(NULL, st->db, STMT_PUSH_TOPIC_INSERT, args);
    }
    if (rv == APR_SUCCESS) {
        const char *args[] = { now, now, t->topic };

        rv = mdm_db_exec(NULL, st->db, STMT_PUSH_RESUME, args);
    }
    return rv;
}

apr_status_t mdm_store_push_topic_get(mdm_push_topic_t **out, mdm_store_t *st, const char *topic)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_PUSH_TOPIC_GET, &topic);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no push certificate for the topic %s: upload it", topic);
    *out = from_row(st, rows, 0);
    return mdm_row_unseal(&(*out)->key_pem, st, MDM_ROW(rows, 0, 6), KEY, (*out)->topic);
}

apr_status_t mdm_store_push_topic_list(apr_array_header_t **out, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_PUSH_TOPIC_LIST, NULL);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_push_topic_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_push_topic_t *) = from_row(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_topic_devices(apr_array_header_t **out, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_TOPICS, NULL);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count + 1, sizeof(mdm_topic_devices_t));
    for (r = 0; r < rows->count; r++) {
        mdm_topic_devices_t *t = apr_array_push(*out);

        t->topic = MDM_ROW(rows, r, 0);
        t->devices = mdm_row_number(rows, r, 1);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_topic_stage(int *reached, mdm_store_t *st, const char *topic, const char *stage)
{
    const char *name = apr_pstrcat(st->ctx->pool, "push_expiry:", topic, NULL), *args[] = { name }, *before;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_META_GET, args);

    *reached = 0;
    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count) {
        const char *insert[] = { name, stage };

        rv = mdm_db_exec(reached, st->db, STMT_META_INSERT, insert);
    } else if (strcmp(before = MDM_ROW(rows, 0, 0), stage)) {
        const char *step[] = { stage, name, before };

        rv = mdm_db_exec(reached, st->db, STMT_META_STEP, step);
    }
    return rv;
}
