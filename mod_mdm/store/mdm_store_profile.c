/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles and their versions. Called by the library, the fan-out and the delivery, any thread. Bodies are sealed for
 * their profile and version.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_profile.h"
#include "mdm_store_row.h"

#define BODY "mdm_profile_version.body"

static mdm_profile_row_t *read_profile(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_profile_row_t *row = apr_pcalloc(st->ctx->pool, sizeof(*row));

    row->id = mdm_row_number(rows, r, 0);
    row->name = MDM_ROW(rows, r, 1);
    row->identifier = MDM_ROW(rows, r, 2);
    row->scope = MDM_ROW(rows, r, 3);
    row->version = (int)mdm_row_number(rows, r, 4);
    row->created_by = MDM_ROW(rows, r, 5);
    row->created_at = mdm_row_number(rows, r, 6);
    row->changed_at = mdm_row_number(rows, r, 7);
    row->archived_at = mdm_row_number(rows, r, 8);
    if (rows->columns > 9) {
        row->detail = MDM_ROW(rows, r, 9);
        row->assignments = (int)mdm_row_number(rows, r, 10);
    }
    return row;
}

static apr_status_t none(mdm_store_t *st, const char *name)
{
    return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no profile %s", name);
}

static apr_status_t get(mdm_profile_row_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *key)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, &key);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return none(st, key);
    *out = read_profile(st, rows, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_profile_get(mdm_profile_row_t **out, mdm_store_t *st, const char *name)
{
    return get(out, st, STMT_PROFILE_GET, name);
}

apr_status_t mdm_store_profile_by_id(mdm_profile_row_t **out, mdm_store_t *st, apr_int64_t id)
{
    return get(out, st, STMT_PROFILE_BY_ID, mdm_row_text(st, id));
}

apr_status_t mdm_store_profile_by_identifier(mdm_profile_row_t **out, mdm_store_t *st, const char *identifier)
{
    return get(out, st, STMT_PROFILE_BY_IDENTIFIER, identifier);
}

apr_status_t mdm_store_profile_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit)
{
    const char *args[] = { cursor ? cursor : "", mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_PROFILE_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_profile_row_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_profile_row_t *) = read_profile(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_profile_insert(mdm_store_t *st, const mdm_profile_row_t *profile)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[] = { mdm_row_text(st, profile->id), profile->name, profile->identifier, profile->scope,
                           mdm_row_text(st, profile->version), profile->created_by, now, now };

    return mdm_db_exec(NULL, st->db, STMT_PROFILE_INSERT, args);
}

apr_status_t mdm_store_profile_update(mdm_store_t *st, const mdm_profile_row_t *profile, const mdm_profile_row_t *as)
{
    const char *args[] = { profile->name, profile->scope, mdm_row_text(st, profile->version),
                           mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, profile->id),
                           mdm_row_text(st, as->version), mdm_row_text(st, as->archived_at) };
    apr_status_t rv = mdm_row_change(st, STMT_PROFILE_UPDATE, args);

    return rv == MDM_ENOTFOUND ? mdm_fail(st->ctx, MDM_ECONFLICT, "the profile %s was changed at the same time",
                                          profile->name) : rv;
}

apr_status_t mdm_store_profile_hold(mdm_store_t *st, apr_int64_t id, const char *name)
{
    const char *key = mdm_row_text(st, id);
    apr_status_t rv = mdm_row_change(st, STMT_PROFILE_HOLD, &key);

    return rv == MDM_ENOTFOUND ? none(st, name) : rv;
}

apr_status_t mdm_store_profile_archive(mdm_store_t *st, apr_int64_t id, const char *name)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *key = mdm_row_text(st, id);
    const char *args[] = { now, now, key };
    apr_status_t rv = mdm_row_change(st, STMT_PROFILE_ARCHIVE, args);

    if (rv == MDM_ENOTFOUND)
        return none(st, name);
    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_PROFILE_UNWATCH, &key) : rv;
}

static mdm_profile_version_t *read_version(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_profile_version_t *version = apr_pcalloc(st->ctx->pool, sizeof(*version));

    version->profile = mdm_row_number(rows, r, 0);
    version->version = (int)mdm_row_number(rows, r, 1);
    version->sha256 = MDM_ROW(rows, r, 2);
    version->detail = MDM_ROW(rows, r, 3);
    version->note = MDM_ROW(rows, r, 4);
    version->created_by = MDM_ROW(rows, r, 5);
    version->created_at = mdm_row_number(rows, r, 6);
    return version;
}

static const char *row_name(mdm_store_t *st, apr_int64_t profile, int version)
{
    return apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT ":%d", profile, version);
}

static apr_status_t find_version(mdm_rows_t **rows, mdm_store_t *st, mdm_stmt_e stmt, apr_int64_t profile, int version)
{
    const char *args[] = { mdm_row_text(st, profile), mdm_row_text(st, version) };
    apr_status_t rv = mdm_db_select(rows, st->db, stmt, args);

    if (rv == APR_SUCCESS && !(*rows)->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no version %d", version);
    return rv;
}

apr_status_t mdm_store_profile_version_facts(mdm_profile_version_t **out, mdm_store_t *st, apr_int64_t profile,
                                             int version)
{
    mdm_rows_t *rows;
    apr_status_t rv = find_version(&rows, st, STMT_PROFILE_VERSION_FACTS, profile, version);

    if (rv == APR_SUCCESS)
        *out = read_version(st, rows, 0);
    return rv;
}

apr_status_t mdm_store_profile_version_get(mdm_profile_version_t **out, mdm_store_t *st, apr_int64_t profile,
                                           int version)
{
    mdm_profile_version_t *made;
    mdm_rows_t *rows;
    apr_status_t rv = find_version(&rows, st, STMT_PROFILE_VERSION_GET, profile, version);

    if (rv != APR_SUCCESS)
        return rv;
    made = read_version(st, rows, 0);
    rv = mdm_row_unseal(&made->body, st, MDM_ROW(rows, 0, 7), BODY, row_name(st, profile, version));
    if (rv == APR_SUCCESS)
        *out = made;
    return rv;
}

apr_status_t mdm_store_profile_version_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile,
                                            int before, int limit)
{
    const char *args[] = { mdm_row_text(st, profile), mdm_row_text(st, before ? before : APR_INT32_MAX),
                           mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_PROFILE_VERSION_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_profile_version_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_profile_version_t *) = read_version(st, rows, r);
    return APR_SUCCESS;
}

static apr_status_t number_of(int *number, mdm_store_t *st, mdm_stmt_e stmt, apr_int64_t profile)
{
    const char *id = mdm_row_text(st, profile);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, &id);

    *number = rv == APR_SUCCESS && rows->count ? (int)mdm_row_number(rows, 0, 0) : 0;
    return rv;
}

apr_status_t mdm_store_profile_version_last(int *version, mdm_store_t *st, apr_int64_t profile)
{
    return number_of(version, st, STMT_PROFILE_VERSION_LAST, profile);
}

apr_status_t mdm_store_profile_enrollments(int *count, mdm_store_t *st, apr_int64_t profile)
{
    return number_of(count, st, STMT_PROFILE_ENROLLMENTS, profile);
}

apr_status_t mdm_store_profile_version_insert(mdm_store_t *st, const mdm_profile_version_t *version)
{
    const char *args[] = { mdm_row_text(st, version->profile), mdm_row_text(st, version->version), NULL,
                           version->sha256, version->detail, version->note, version->created_by,
                           mdm_row_text(st, mdm_ctx_now(st->ctx)) };
    apr_status_t rv = mdm_row_seal(&args[2], st, version->body, BODY,
                                   row_name(st, version->profile, version->version));

    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_PROFILE_VERSION_INSERT, args) : rv;
}

apr_status_t mdm_store_profile_secrets(mdm_store_t *st, apr_int64_t profile, int version, const char *const *names,
                                       int count)
{
    const char *args[] = { NULL, mdm_row_text(st, profile), mdm_row_text(st, version) };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        args[0] = names[i];
        rv = mdm_db_exec(NULL, st->db, STMT_PROFILE_SECRET_INSERT, args);
    }
    return rv;
}

apr_status_t mdm_store_profile_watch(mdm_store_t *st, apr_int64_t profile, const char *const *facts, int count)
{
    const char *args[] = { NULL, mdm_row_text(st, profile) };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        args[0] = facts[i];
        rv = mdm_db_exec(NULL, st->db, STMT_PROFILE_WATCH, args);
    }
    return rv;
}

apr_status_t mdm_store_profile_unassign(int *ended, mdm_store_t *st, apr_int64_t profile)
{
    const char *id = mdm_row_text(st, profile);

    return mdm_db_exec(ended, st->db, STMT_PROFILE_UNASSIGN, &id);
}

apr_status_t mdm_store_profile_attribute(int *known, mdm_store_t *st, const char *name)
{
    const char *pattern;
    mdm_rows_t *rows;
    apr_status_t rv;
    char *escaped = apr_palloc(st->ctx->pool, 2 * strlen(name) + 1), *at = escaped;

    for (; *name; name++) {
        if (*name == '_' || *name == '%' || *name == '!')
            *at++ = '!';
        *at++ = *name;
    }
    *at = '\0';
    pattern = apr_pstrcat(st->ctx->pool, "%\"", escaped, "\"%", NULL);
    rv = mdm_db_select(&rows, st->db, STMT_PROFILE_ATTRIBUTE, &pattern);
    *known = rv == APR_SUCCESS && rows->count;
    return rv;
}
