/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of what is said of persons: files of comma-separated values, or, beginning with a brace, the JSON of one
 * person. A file that is taken must be the same when it is written with all its fields in quotes and read again.
 * Built with libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include "mdm_json.h"
#include "mdm_person_csv.h"
#include "target.h"

static const char *quoted(const char *text, apr_pool_t *p)
{
    char *out = apr_palloc(p, 2 * strlen(text) + 3), *at = out;

    *at++ = '"';
    for (; *text; text++) {
        if (*text == '"')
            *at++ = '"';
        *at++ = *text;
    }
    *at++ = '"';
    *at = '\0';
    return out;
}

static const char *disabled_word(const mdm_person_change_t *one)
{
    return one->disabled < 0 ? "" : one->disabled ? "yes" : "no";
}

/* @param head of one that has all columns; NULL: the names of the columns themselves */
static const char *line_of(const mdm_person_change_t *head, const mdm_person_change_t *one, apr_pool_t *p)
{
    const char *line = one ? quoted(one->login, p) : "login", *name;
    json_t *value;

    line = apr_pstrcat(p, line, ",", one ? disabled_word(one) : "disabled", NULL);
    if (head->display_name)
        line = apr_pstrcat(p, line, ",", one ? quoted(one->display_name, p) : "display_name", NULL);
    if (head->email)
        line = apr_pstrcat(p, line, ",", one ? quoted(one->email, p) : "email", NULL);
    json_object_foreach(head->attributes, name, value) {
        const char *text = one ? json_string_value(json_object_get(one->attributes, name)) : name;

        check(text != NULL);
        line = apr_pstrcat(p, line, ",", quoted(text, p), NULL);
    }
    return apr_pstrcat(p, line, "\r\n", NULL);
}

static int same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static int same_person(const mdm_person_change_t *a, const mdm_person_change_t *b)
{
    return same_text(a->login, b->login) && same_text(a->display_name, b->display_name)
        && same_text(a->email, b->email) && a->disabled == b->disabled
        && (a->attributes == b->attributes || json_equal(a->attributes, b->attributes));
}

static void check_person(mdm_ctx_t *ctx, const mdm_person_change_t *one)
{
    const char *name;
    json_t *value;

    check(mdm_person_check_login(ctx, one->login) == APR_SUCCESS);
    check(one->disabled >= -1 && one->disabled <= 1);
    json_object_foreach(one->attributes, name, value)
        check(mdm_person_check_name(ctx, name) == APR_SUCCESS);
}

static void read_file(mdm_ctx_t *ctx, mdm_bytes_t file)
{
    apr_array_header_t *persons, *again;
    const mdm_person_change_t *all;
    const char *text;
    apr_status_t rv = mdm_person_csv_read(&persons, ctx, file);
    int i;

    if (rv != APR_SUCCESS) {
        check_refusal(ctx, rv);
        return;
    }
    check(!ctx->detail && persons->nelts <= MDM_PERSON_CSV_ROWS_MAX);
    all = (const mdm_person_change_t *)persons->elts;
    if (!persons->nelts || (all->attributes && json_object_size(all->attributes) > MDM_PERSON_CSV_COLUMNS_MAX - 4))
        return;
    text = line_of(&all[0], NULL, ctx->pool);
    for (i = 0; i < persons->nelts; i++) {
        check_person(ctx, &all[i]);
        text = apr_pstrcat(ctx->pool, text, line_of(&all[0], &all[i], ctx->pool), NULL);
    }
    check(mdm_person_csv_read(&again, ctx, mdm_bytes_of(text)) == APR_SUCCESS && again->nelts == persons->nelts);
    for (i = 0; i < persons->nelts; i++)
        check(same_person(&all[i], &APR_ARRAY_IDX(again, i, mdm_person_change_t)));
}

static void read_json(mdm_ctx_t *ctx, mdm_bytes_t text)
{
    mdm_person_change_t change = mdm_person_change("login");
    json_t *json;
    apr_status_t rv = mdm_json_read(&json, ctx, text);

    if (rv == APR_SUCCESS)
        rv = mdm_person_read(&change, ctx, json, (int)(text.len % 2));
    if (rv != APR_SUCCESS)
        check_refusal(ctx, rv);
    else
        check_person(ctx, &change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t bytes = { data, size };
    mdm_ctx_t *ctx = target_ctx();

    if (size && *data == '{')
        read_json(ctx, bytes);
    else
        read_file(ctx, bytes);
    apr_pool_destroy(ctx->pool);
    return 0;
}
