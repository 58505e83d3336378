/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading for the fan-out, many enrollments at a time. Called by its worker and by previews; writes nothing.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_store_batch.h"
#include "mdm_store_row.h"

#define ID_TEXT 24                /* an id as text, with its end */

static void put_ids(const char **args, mdm_store_t *st, const apr_int64_t *ids, int count)
{
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[i] = i < count ? mdm_row_text(st, ids[i]) : NULL;
}

apr_status_t mdm_store_batch_enrollments(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *ids, int count)
{
    const char *args[MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv;
    int r;

    put_ids(args, st, ids, count);
    if ((rv = mdm_db_select(&rows, st->db, STMT_BATCH_ENROLLMENTS, args)) != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_enrollment_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_enrollment_t *e = apr_pcalloc(st->ctx->pool, sizeof(*e));

        e->id = mdm_row_number(rows, r, 0);
        e->enrollment_id = MDM_ROW(rows, r, 1);
        e->type = MDM_ROW(rows, r, 2);
        e->parent = mdm_row_number(rows, r, 3);
        e->state = (mdm_state_e)mdm_row_number(rows, r, 4);
        e->user = MDM_ROW(rows, r, 5);
        e->serial_number = MDM_ROW(rows, r, 6);
        e->model = MDM_ROW(rows, r, 7);
        e->model_name = MDM_ROW(rows, r, 8);
        e->device_name = MDM_ROW(rows, r, 9);
        e->product_name = MDM_ROW(rows, r, 10);
        e->os_version = MDM_ROW(rows, r, 11);
        e->build_version = MDM_ROW(rows, r, 12);
        e->imei = MDM_ROW(rows, r, 13);
        e->meid = MDM_ROW(rows, r, 14);
        e->user_short_name = MDM_ROW(rows, r, 15);
        e->user_long_name = MDM_ROW(rows, r, 16);
        APR_ARRAY_PUSH(*out, mdm_enrollment_t *) = e;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_batch_memberships(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *ids, int count)
{
    const char *args[MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv = APR_SUCCESS;
    int done, r;

    *out = apr_array_make(st->ctx->pool, 64, sizeof(mdm_membership_t));
    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        put_ids(args, st, ids + done, count - done);
        rv = mdm_db_select(&rows, st->db, STMT_BATCH_MEMBERSHIPS, args);
        for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
            mdm_membership_t *m = apr_array_push(*out);

            m->enrollment = mdm_row_number(rows, r, 0);
            m->group = mdm_row_number(rows, r, 1);
        }
    }
    return rv;
}

apr_status_t mdm_store_batch_facts(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *ids, int count,
                                   const char *const *names, int name_count)
{
    const char *args[2 * MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv = APR_SUCCESS;
    int done, r;

    *out = apr_array_make(st->ctx->pool, 64, sizeof(mdm_batch_fact_t));
    put_ids(args, st, ids, count);
    for (done = 0; rv == APR_SUCCESS && done < name_count; done += MDM_ROW_CHUNK) {
        mdm_row_chunk(args + MDM_ROW_CHUNK, names + done, name_count - done);
        rv = mdm_db_select(&rows, st->db, STMT_BATCH_FACTS, args);
        for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
            mdm_batch_fact_t *fact = apr_array_push(*out);

            fact->enrollment = mdm_row_number(rows, r, 0);
            fact->name = MDM_ROW(rows, r, 1);
            fact->value = MDM_ROW(rows, r, 2);
        }
    }
    return rv;
}

apr_status_t mdm_store_batch_users(apr_array_header_t **out, mdm_store_t *st, const char *const *logins, int count)
{
    const char *args[MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv;
    int r;

    mdm_row_chunk(args, logins, count);
    if ((rv = mdm_db_select(&rows, st->db, STMT_BATCH_USERS, args)) != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_batch_user_t));
    for (r = 0; r < rows->count; r++) {
        mdm_batch_user_t *user = apr_array_push(*out);

        user->login = MDM_ROW(rows, r, 0);
        user->display_name = MDM_ROW(rows, r, 1);
        user->email = MDM_ROW(rows, r, 2);
        user->attributes = MDM_ROW(rows, r, 3);
        user->disabled = (int)mdm_row_number(rows, r, 4);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_batch_profiles(apr_array_header_t **out, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_BATCH_PROFILES, NULL);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_batch_profile_t));
    for (r = 0; r < rows->count; r++) {
        mdm_batch_profile_t *p = apr_array_push(*out);

        p->id = mdm_row_number(rows, r, 0);
        p->name = MDM_ROW(rows, r, 1);
        p->identifier = MDM_ROW(rows, r, 2);
        p->scope = MDM_ROW(rows, r, 3);
        p->version = (int)mdm_row_number(rows, r, 4);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_batch_versions(apr_array_header_t **out, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_BATCH_VERSIONS, NULL);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_batch_version_t));
    for (r = 0; r < rows->count; r++) {
        mdm_batch_version_t *v = apr_array_push(*out);

        v->profile = mdm_row_number(rows, r, 0);
        v->version = (int)mdm_row_number(rows, r, 1);
        v->detail = MDM_ROW(rows, r, 2);
    }
    return APR_SUCCESS;
}

static apr_status_t list_ids(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(apr_int64_t));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, apr_int64_t) = mdm_row_number(rows, r, 0);
    return APR_SUCCESS;
}

/* Pages of ids, enrolled or not, until `limit` of them are enrolled; `from` is in `args`: the last one read. */
static apr_status_t list_enrolled(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args,
                                  char *from, int limit)
{
    mdm_rows_t *rows;
    apr_status_t rv;
    int r;

    *out = apr_array_make(st->ctx->pool, limit, sizeof(apr_int64_t));
    do {
        if ((rv = mdm_db_select(&rows, st->db, stmt, args)) != APR_SUCCESS)
            return rv;
        for (r = 0; r < rows->count && (*out)->nelts < limit; r++) {
            if (mdm_row_number(rows, r, 1))
                APR_ARRAY_PUSH(*out, apr_int64_t) = mdm_row_number(rows, r, 0);
        }
        if (rows->count)
            apr_cpystrn(from, MDM_ROW(rows, rows->count - 1, 0), ID_TEXT);
    } while (rows->count == limit && (*out)->nelts < limit);
    return APR_SUCCESS;
}

apr_status_t mdm_store_batch_channels(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *devices, int count)
{
    const char *args[MDM_ROW_CHUNK];

    put_ids(args, st, devices, count);
    return list_ids(out, st, STMT_BATCH_CHANNELS, args);
}

apr_status_t mdm_store_batch_of_profile(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile, int user_scope,
                                        apr_int64_t after, int limit)
{
    const char *id = mdm_row_text(st, profile), *most = mdm_row_text(st, limit);
    char from[ID_TEXT];
    const char *devices[] = { id, from, most, from, id, most, from, id, from, id, most };
    const char *channels[] = { id, from, most, id, from, from, id, from, id, from, id, most };

    apr_snprintf(from, sizeof(from), "%" APR_INT64_T_FMT, after);
    return user_scope ? list_enrolled(out, st, STMT_BATCH_OF_USER_PROFILE, channels, from, limit)
           : list_enrolled(out, st, STMT_BATCH_OF_PROFILE, devices, from, limit);
}

/* Each once, in order, and none behind the end of a list that is cut off. */
static void merge(apr_array_header_t *ids, apr_int64_t end, int limit)
{
    int i, n = 0;

    qsort(ids->elts, (size_t)ids->nelts, sizeof(apr_int64_t), mdm_id_compare);
    for (i = 0; i < ids->nelts && n < limit; i++) {
        apr_int64_t id = APR_ARRAY_IDX(ids, i, apr_int64_t);

        if (id <= end && (!n || APR_ARRAY_IDX(ids, n - 1, apr_int64_t) != id))
            APR_ARRAY_IDX(ids, n++, apr_int64_t) = id;
    }
    ids->nelts = n;
}

apr_status_t mdm_store_batch_of_holders(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *profiles,
                                        int count, apr_int64_t after, int limit)
{
    const char *args[] = { NULL, mdm_row_text(st, after), mdm_row_text(st, limit) };
    apr_array_header_t *ids = apr_array_make(st->ctx->pool, limit, sizeof(apr_int64_t)), *some;
    apr_int64_t end = APR_INT64_MAX;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        args[0] = mdm_row_text(st, profiles[i]);
        if ((rv = list_ids(&some, st, STMT_BATCH_OF_HOLDERS, args)) != APR_SUCCESS)
            return rv;
        apr_array_cat(ids, some);
        if (some->nelts == limit) {
            apr_int64_t last = APR_ARRAY_IDX(some, limit - 1, apr_int64_t);

            end = last < end ? last : end;
        }
    }
    merge(ids, end, limit);
    *out = ids;
    return rv;
}

apr_status_t mdm_store_batch_of_target(apr_array_header_t **out, mdm_store_t *st, mdm_assignment_kind_e kind,
                                       const char *target, apr_int64_t after, int limit)
{
    const char *most = mdm_row_text(st, limit);
    char from[ID_TEXT];
    const char *by_group[] = { target, from, most, target, from, most };
    const char *by_id[] = { target, from, target, from, most }, *by_login[] = { target, from, most };

    apr_snprintf(from, sizeof(from), "%" APR_INT64_T_FMT, after);
    if (kind == MDM_ASSIGNMENT_GROUP)
        return list_enrolled(out, st, STMT_BATCH_OF_GROUP, by_group, from, limit);
    return kind == MDM_ASSIGNMENT_USER ? list_ids(out, st, STMT_BATCH_OF_USER, by_login)
           : list_ids(out, st, STMT_BATCH_OF_ENROLLMENT, by_id);
}

apr_status_t mdm_store_batch_work(apr_int64_t *change, apr_int64_t *recheck, apr_time_t *rollout_at, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_BATCH_WORK, NULL);

    if (rv == APR_SUCCESS) {
        *change = mdm_row_number(rows, 0, 0);
        *recheck = mdm_row_number(rows, 0, 1);
        *rollout_at = mdm_row_number(rows, 0, 2);
    }
    return rv;
}
