/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading persons from comma-separated values: records, then columns, then persons. Called by the API and mdmctl, in
 * any thread. Nothing is written before the last line has been understood.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_nearest.h"
#include "mdm_person_csv.h"
#include "mdm_refusal.h"

typedef struct {
    mdm_ctx_t *ctx;
    const char *at, *end;
    int next_line;                   /* of the record behind `at` */
    int line;                        /* of the present record */
    apr_array_header_t *fields;      /* of the present record: const char * */
    apr_array_header_t *columns;     /* const char *: names */
    int login;                       /* which of them */
    apr_hash_t *lines;               /* login -> int *: where it was */
} reader_t;

static apr_status_t bad(reader_t *r, const char *what)
{
    return mdm_fail(r->ctx, MDM_EINPUT, "line %d: %s", r->line, what);
}

/* ---- records */

/* Behind a field: a comma, the end of the line, or the end of the file. @param last out: it was the last field */
static apr_status_t end_field(int *last, reader_t *r)
{
    *last = 1;
    if (r->at == r->end)
        return APR_SUCCESS;
    if (*r->at == ',') {
        r->at++;
        *last = 0;
        return APR_SUCCESS;
    }
    if (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
        r->at++;
    if (*r->at != '\n')
        return bad(r, *r->at == '\r' ? "a carriage return without a line feed: end lines with a line feed, or with both"
                                       : "text behind a closing quote: within quotes write a quote twice");
    r->at++;
    r->next_line++;
    return APR_SUCCESS;
}

static apr_status_t quoted(const char **field, reader_t *r)
{
    const char *start = ++r->at;
    char *out, *text;

    while (r->at < r->end && (*r->at != '"' || (r->at + 1 < r->end && r->at[1] == '"'))) {
        r->next_line += *r->at == '\n';
        r->at += *r->at == '"' ? 2 : 1;
    }
    if (r->at == r->end)
        return bad(r, "a quote is not closed: end the field with one, and write a quote within it twice");
    out = text = apr_palloc(r->ctx->pool, (apr_size_t)(r->at - start) + 1);
    for (; start < r->at; start++) {
        *out++ = *start;
        start += *start == '"';
    }
    *out = '\0';
    r->at++;
    *field = text;
    return APR_SUCCESS;
}

static apr_status_t plain(const char **field, reader_t *r)
{
    const char *start = r->at;

    while (r->at < r->end && !strchr(",\r\n\"", *r->at))
        r->at++;
    if (r->at < r->end && *r->at == '"')
        return bad(r, "a quote within a field that does not begin with one: put the whole field in quotes, and write "
                   "this one twice");
    *field = apr_pstrmemdup(r->ctx->pool, start, (apr_size_t)(r->at - start));
    return APR_SUCCESS;
}

/* The next record that is not an empty line. @return APR_EOF at the end */
static apr_status_t next_record(reader_t *r)
{
    const char *field = NULL;
    apr_status_t rv;
    int last = 0;

    while (r->at < r->end && (*r->at == '\n' || (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n'))) {
        r->at += *r->at == '\r' ? 2 : 1;
        r->next_line++;
    }
    if (r->at == r->end)
        return APR_EOF;
    r->line = r->next_line;
    apr_array_clear(r->fields);
    while (!last) {
        rv = r->at < r->end && *r->at == '"' ? quoted(&field, r) : plain(&field, r);
        if (rv != APR_SUCCESS || (rv = end_field(&last, r)) != APR_SUCCESS)
            return rv;
        if (r->fields->nelts == MDM_PERSON_CSV_COLUMNS_MAX)
            return bad(r, apr_psprintf(r->ctx->pool, "more than %d fields: leave columns out",
                                       MDM_PERSON_CSV_COLUMNS_MAX));
        APR_ARRAY_PUSH(r->fields, const char *) = field;
    }
    return APR_SUCCESS;
}

/* ---- columns */

/* The record's own members are known however they are written. */
static const char *column_name(reader_t *r, const char *name)
{
    static const char *const known[] = { "login", "display_name", "email", "disabled" };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcasecmp(known[i], name))
            return known[i];
    }
    return strcasecmp(name, "mail") ? apr_pstrdup(r->ctx->pool, name) : "email";
}

static apr_status_t check_column(reader_t *r, const char *name, int i)
{
    mdm_ctx_t *ctx = r->ctx;
    int j;

    for (j = 0; j < i; j++) {
        if (!strcmp(APR_ARRAY_IDX(r->columns, j, const char *), name))
            return bad(r, apr_psprintf(ctx->pool, "the column %s is there twice: keep one", mdm_nearest_shown(name,
                                       ctx->pool)));
    }
    if (!strcmp(name, "login") || !strcmp(name, "display_name") || !strcmp(name, "email") || !strcmp(name, "disabled"))
        return APR_SUCCESS;
    if (mdm_person_check_name(ctx, name) != APR_SUCCESS) {
        const char *why = ctx->detail;

        mdm_ctx_clear(ctx);
        return bad(r, apr_psprintf(ctx->pool, "column %d: %s", i + 1, why));
    }
    return APR_SUCCESS;
}

static apr_status_t read_columns(reader_t *r)
{
    apr_status_t rv = next_record(r);
    int i;

    if (rv == APR_EOF)
        return mdm_fail(r->ctx, MDM_EINPUT, "the file is empty: its first line has to name the columns, as "
                        "login,display_name,email");
    if (rv != APR_SUCCESS)
        return rv;
    if (r->fields->nelts == 1 && strpbrk(APR_ARRAY_IDX(r->fields, 0, const char *), ";\t"))
        return bad(r, "fields are parted by commas, and this file seems to use another character: save it with commas");
    r->columns = apr_array_make(r->ctx->pool, r->fields->nelts, sizeof(const char *));
    r->login = -1;
    for (i = 0; i < r->fields->nelts; i++) {
        const char *name = column_name(r, APR_ARRAY_IDX(r->fields, i, const char *));

        if ((rv = check_column(r, name, i)) != APR_SUCCESS)
            return rv;
        if (!strcmp(name, "login"))
            r->login = i;
        APR_ARRAY_PUSH(r->columns, const char *) = name;
    }
    return r->login >= 0 ? APR_SUCCESS : bad(r, "there is no column login: name one of the columns so");
}

/* ---- persons */

static apr_status_t check_login(reader_t *r, const char *login)
{
    apr_size_t len = strlen(login);
    int *line = apr_hash_get(r->lines, login, APR_HASH_KEY_STRING);

    if (line)
        return bad(r, apr_psprintf(r->ctx->pool, "the login %s has been on line %d already: keep one of the lines",
                                   mdm_nearest_shown(login, r->ctx->pool), *line));
    if (!len)
        return bad(r, "the login is empty: give one, or take the line out");
    if (login[0] == ' ' || login[len - 1] == ' ')
        return bad(r, apr_psprintf(r->ctx->pool, "the login '%s' begins or ends with a space: take it out",
                                   mdm_nearest_shown(login, r->ctx->pool)));
    line = apr_palloc(r->ctx->pool, sizeof(*line));
    *line = r->line;
    apr_hash_set(r->lines, login, APR_HASH_KEY_STRING, line);
    return APR_SUCCESS;
}

static apr_status_t read_person(reader_t *r, mdm_person_change_t *change)
{
    const char *login;
    apr_status_t rv;
    int i;

    if (r->fields->nelts != r->columns->nelts)
        return bad(r, apr_psprintf(r->ctx->pool, "%d fields, and the first line names %d columns: give as many, and "
                                   "put a field with a comma in quotes", r->fields->nelts, r->columns->nelts));
    login = APR_ARRAY_IDX(r->fields, r->login, const char *);
    if ((rv = check_login(r, login)) != APR_SUCCESS)
        return rv;
    *change = mdm_person_change(login);
    rv = mdm_person_check_login(r->ctx, login);
    for (i = 0; rv == APR_SUCCESS && i < r->fields->nelts; i++) {
        if (i != r->login)
            rv = mdm_person_say(r->ctx, change, APR_ARRAY_IDX(r->columns, i, const char *),
                                APR_ARRAY_IDX(r->fields, i, const char *));
    }
    if (rv != APR_SUCCESS) {
        const char *why;

        mdm_refusal_of(r->ctx, rv, "user", login);
        why = r->ctx->detail;
        mdm_ctx_clear(r->ctx);
        return mdm_fail(r->ctx, rv, "line %d: %s", r->line, why);
    }
    return APR_SUCCESS;
}

static apr_status_t check_utf8(mdm_ctx_t *ctx, mdm_bytes_t file)
{
    apr_size_t i, n;
    int line = 1;

    for (i = 0; i < file.len; i += n) {
        line += file.data[i] == '\n';
        if (!(n = mdm_utf8_step(file.data + i, file.len - i)))
            return mdm_fail(ctx, MDM_EINPUT, "line %d: this is no UTF-8 text; save the file as CSV in UTF-8", line);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_person_csv_read(apr_array_header_t **changes, mdm_ctx_t *ctx, mdm_bytes_t file)
{
    reader_t r = { 0 };
    apr_status_t rv;

    if (file.len > MDM_PERSON_CSV_BYTES_MAX)
        return mdm_fail(ctx, MDM_ETOOBIG, "the file is larger than %d bytes: part it", MDM_PERSON_CSV_BYTES_MAX);
    if ((rv = check_utf8(ctx, file)) != APR_SUCCESS)
        return rv;
    r.ctx = ctx;
    r.at = (const char *)file.data;
    r.end = r.at + file.len;
    if (file.len >= 3 && !memcmp(r.at, "\xef\xbb\xbf", 3))
        r.at += 3;
    r.next_line = 1;
    r.fields = apr_array_make(ctx->pool, 8, sizeof(const char *));
    r.lines = apr_hash_make(ctx->pool);
    *changes = apr_array_make(ctx->pool, 64, sizeof(mdm_person_change_t));
    rv = read_columns(&r);
    while (rv == APR_SUCCESS && (rv = next_record(&r)) == APR_SUCCESS) {
        if ((*changes)->nelts == MDM_PERSON_CSV_ROWS_MAX)
            return mdm_fail(ctx, MDM_ETOOBIG, "line %d: more than %d users; part the file", r.line,
                            MDM_PERSON_CSV_ROWS_MAX);
        rv = read_person(&r, apr_array_push(*changes));
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t mdm_person_csv_import(mdm_person_csv_report_t *report, mdm_store_t *st, mdm_bytes_t file,
                                   const mdm_person_by_t *by)
{
    apr_array_header_t *changes;
    apr_status_t rv = mdm_person_csv_read(&changes, st->ctx, file);
    int i;

    memset(report, 0, sizeof(*report));
    if (rv == APR_SUCCESS)
        rv = mdm_person_save(st, (mdm_person_change_t *)changes->elts, changes->nelts, by);
    for (i = 0; rv == APR_SUCCESS && i < changes->nelts; i++) {
        const mdm_person_change_t *change = &APR_ARRAY_IDX(changes, i, mdm_person_change_t);

        report->made += change->made;
        report->changed += change->changed && !change->made;
        report->unchanged += !change->changed;
    }
    return rv;
}
