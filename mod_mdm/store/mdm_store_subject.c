/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollments with their users and facts, read many at a time. Called in any thread; decides nothing about groups.
 */
#include <apr_strings.h>

#include "mdm_store_row.h"
#include "mdm_store_subject.h"

static void read_subject(mdm_subject_t *s, const mdm_rows_t *rows, int r)
{
    s->enrollment = mdm_row_number(rows, r, 0);
    s->device = mdm_row_number(rows, r, 1);
    s->enrollment_id = MDM_ROW(rows, r, 2);
    s->type = MDM_ROW(rows, r, 3);
    s->state = (mdm_state_e)mdm_row_number(rows, r, 4);
    s->login = MDM_ROW(rows, r, 5);
    s->serial_number = MDM_ROW(rows, r, 6);
    s->model = MDM_ROW(rows, r, 7);
    s->model_name = MDM_ROW(rows, r, 8);
    s->product_name = MDM_ROW(rows, r, 9);
    s->device_name = MDM_ROW(rows, r, 10);
    s->os_version = MDM_ROW(rows, r, 11);
    s->build_version = MDM_ROW(rows, r, 12);
    s->imei = MDM_ROW(rows, r, 13);
    s->known = MDM_ROW(rows, r, 14) != NULL;
    s->display_name = MDM_ROW(rows, r, 15);
    s->email = MDM_ROW(rows, r, 16);
    s->attributes = MDM_ROW(rows, r, 17);
    s->disabled = mdm_row_number(rows, r, 18) != 0;
    s->member = MDM_ROW(rows, r, 19) != NULL;
    s->reason = MDM_ROW(rows, r, 19);
    s->listed = MDM_ROW(rows, r, 20) != NULL;
}

static apr_status_t list_subjects(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_subject_t));
    for (r = 0; r < rows->count; r++)
        read_subject(apr_array_push(*out), rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_subject_page(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group, apr_int64_t after)
{
    const char *id = mdm_row_text(st, group), *args[] = { id, id, mdm_row_text(st, after), id };

    return list_subjects(out, st, STMT_SUBJECT_PAGE, args);
}

apr_status_t mdm_store_subject_many(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments,
                                    int count)
{
    const char *args[MDM_ROW_CHUNK];
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[i] = i < count ? mdm_row_text(st, enrollments[i]) : NULL;
    return list_subjects(out, st, STMT_SUBJECT_MANY, args);
}

static void keep_facts(apr_hash_t *facts, mdm_store_t *st, const mdm_rows_t *rows)
{
    int r;

    for (r = 0; r < rows->count; r++) {
        apr_int64_t device = mdm_row_number(rows, r, 0);
        apr_hash_t *of = apr_hash_get(facts, &device, sizeof(device));

        if (!of) {
            of = apr_hash_make(st->ctx->pool);
            apr_hash_set(facts, apr_pmemdup(st->ctx->pool, &device, sizeof(device)), sizeof(device), of);
        }
        apr_hash_set(of, MDM_ROW(rows, r, 1), APR_HASH_KEY_STRING, MDM_ROW(rows, r, 2));
    }
}

apr_status_t mdm_store_subject_facts(apr_hash_t **out, mdm_store_t *st, const apr_array_header_t *subjects,
                                     const char *const *names, int count)
{
    const char *args[2 * MDM_ROW_CHUNK];
    apr_status_t rv = APR_SUCCESS;
    int from, done, i;

    *out = apr_hash_make(st->ctx->pool);
    for (from = 0; count && from < subjects->nelts; from += MDM_ROW_CHUNK) {
        for (i = 0; i < MDM_ROW_CHUNK; i++)
            args[i] = from + i < subjects->nelts
                ? mdm_row_text(st, APR_ARRAY_IDX(subjects, from + i, mdm_subject_t).device) : NULL;
        for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
            mdm_rows_t *rows;

            mdm_row_chunk(args + MDM_ROW_CHUNK, names + done, count - done);
            rv = mdm_db_select(&rows, st->db, STMT_SUBJECT_FACTS, args);
            if (rv == APR_SUCCESS)
                keep_facts(*out, st, rows);
        }
    }
    return rv;
}

apr_status_t mdm_store_subject_listed(apr_array_header_t **out, mdm_store_t *st, const apr_array_header_t *subjects)
{
    const char *args[MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv;
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[i] = i < subjects->nelts ? APR_ARRAY_IDX(subjects, i, mdm_subject_t).login : NULL;
    if ((rv = mdm_db_select(&rows, st->db, STMT_SUBJECT_DIRECTORY, args)) != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_listed_t));
    for (i = 0; i < rows->count; i++) {
        mdm_listed_t *listed = apr_array_push(*out);

        listed->group = mdm_row_number(rows, i, 0);
        listed->login = MDM_ROW(rows, i, 1);
    }
    return APR_SUCCESS;
}
