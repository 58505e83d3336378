/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run would take away from the users there are, counted before it writes anything: a filter with an error, or a
 * right that the account has lost, looks like an answer. Runs in the directory's thread; writes nothing.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_directory_parts.h"
#include "mdm_json.h"

#define PAGE 1000

typedef struct {
    int had, lose;                    /* of how many how many */
} tally_t;

typedef struct {
    mdm_directory_run_t *run;
    apr_pool_t *pool;                 /* of the run */
    apr_hash_t *changes;              /* login -> const mdm_person_change_t * */
    int disabling;
    tally_t users;                    /* that were or are found: are gone, or become disabled */
    tally_t active;                   /* those of them who are not disabled: the same */
    tally_t disabled;                 /* that are found: are so no longer */
    tally_t *attributes;              /* of each of MDMDirectoryAttribute: lose it */
} count_t;

int mdm_directory_is_too_much(const mdm_directory_run_t *run, int leaving, int all)
{
    return !run->confirmed && leaving >= run->site->limit_count
        && (apr_int64_t)leaving * 100 > (apr_int64_t)all * run->site->limit_percent;
}

static int is_too_much(const count_t *c, const tally_t *t)
{
    return mdm_directory_is_too_much(c->run, t->lose, t->had);
}

static void count(tally_t *t, int loses)
{
    t->had++;
    t->lose += loses != 0;
}

/* ---- one user */

static int is_nothing(const char *said)
{
    return said && !*said;
}

/* What a run says of an attribute is a text, a list of several, or "". */
static void count_attribute(tally_t *t, const char *name, const mdm_user_t *user, json_t *values,
                            const mdm_person_change_t *change)
{
    if (!strcmp(name, "display_name")) {
        if (user->display_name)
            count(t, is_nothing(change->display_name));
    } else if (!strcmp(name, "email")) {
        if (user->email)
            count(t, is_nothing(change->email));
    } else if (json_object_get(values, name)) {
        count(t, is_nothing(json_string_value(json_object_get(change->attributes, name))));
    }
}

static apr_status_t count_attributes(count_t *c, const mdm_user_t *user, const mdm_person_change_t *change)
{
    const apr_array_header_t *mapped = c->run->site->attributes;
    json_t *values;
    apr_status_t rv;
    int i;

    if (!mapped)
        return APR_SUCCESS;
    rv = mdm_json_read(&values, c->run->ctx, mdm_bytes_of(user->attributes));
    for (i = 0; rv == APR_SUCCESS && i < mapped->nelts; i++)
        count_attribute(&c->attributes[i], APR_ARRAY_IDX(mapped, i, mdm_directory_attribute_t).name, user, values,
                        change);
    return rv;
}

static apr_status_t count_user(count_t *c, const mdm_user_t *user)
{
    const mdm_person_change_t *change = apr_hash_get(c->changes, user->login, APR_HASH_KEY_STRING);
    int disabling = change && change->disabled == 1 && !user->disabled;

    if (!change && !user->synced_at)
        return APR_SUCCESS;
    if (!change)
        APR_ARRAY_PUSH(c->run->missing, const char *) = apr_pstrdup(c->pool, user->login);
    c->disabling += disabling;
    count(&c->users, !change || disabling);
    if (!user->disabled)
        count(&c->active, !change || disabling);
    else if (change)
        count(&c->disabled, !change->disabled);
    return change ? count_attributes(c, user, change) : APR_SUCCESS;
}

/* ---- all */

/* Rows go to the pool of the context: each page has one of its own, so that memory is bounded. */
static apr_status_t count_users(count_t *c, mdm_store_t *st)
{
    apr_array_header_t *page;
    const char *cursor = NULL;
    apr_status_t rv;
    apr_pool_t *p;
    int i;

    apr_pool_create(&p, c->pool);
    do {
        apr_pool_clear(p);
        st->ctx->pool = p;
        rv = mdm_store_user_list(&page, st, cursor, PAGE, -1);
        for (i = 0; rv == APR_SUCCESS && i < page->nelts; i++)
            rv = count_user(c, APR_ARRAY_IDX(page, i, const mdm_user_t *));
        if (rv == APR_SUCCESS && page->nelts)
            cursor = apr_pstrdup(c->pool, APR_ARRAY_IDX(page, page->nelts - 1, const mdm_user_t *)->login);
        st->ctx->pool = c->pool;
    } while (rv == APR_SUCCESS && page->nelts == PAGE);
    if (rv == APR_SUCCESS)        /* else the detail lives there */
        apr_pool_destroy(p);
    return rv;
}

static void add(const char **text, apr_pool_t *p, const char *more)
{
    *text = *text ? apr_pstrcat(p, *text, "; ", more, NULL) : more;
}

/* @return all that is too much, for whoever confirms confirms all of it; NULL: nothing */
static const char *say(const count_t *c)
{
    const mdm_directory_run_t *run = c->run;
    const apr_array_header_t *mapped = run->site->attributes;
    int missing = run->missing->nelts, i;
    const char *text = NULL;

    if ((!run->changes->nelts && missing && !run->confirmed) || is_too_much(c, &c->users)
        || is_too_much(c, &c->active))
        add(&text, c->pool, apr_psprintf(c->pool, "of %d users %d are not found in the directory any more and %d would "
                                         "be disabled, of %d who are not", c->users.had, missing, c->disabling,
                                         c->active.had));
    if (is_too_much(c, &c->disabled))
        add(&text, c->pool, apr_psprintf(c->pool, "of %d disabled users %d would be enabled", c->disabled.had,
                                         c->disabled.lose));
    for (i = 0; mapped && i < mapped->nelts; i++) {
        const mdm_directory_attribute_t *attribute = &APR_ARRAY_IDX(mapped, i, mdm_directory_attribute_t);

        if (is_too_much(c, &c->attributes[i]))
            add(&text, c->pool, apr_psprintf(c->pool, "of %d users who have %s %d would lose it: the directory shows "
                                             "no %s of theirs", c->attributes[i].had, attribute->name,
                                             c->attributes[i].lose, attribute->ldap));
    }
    return text;
}

apr_status_t mdm_directory_weigh(mdm_directory_run_t *run, mdm_store_t *st)
{
    apr_pool_t *p = run->ctx->pool;
    const apr_array_header_t *mapped = run->site->attributes;
    count_t c = { run, p, apr_hash_make(p), 0, { 0, 0 }, { 0, 0 }, { 0, 0 }, NULL };
    const char *text;
    apr_status_t rv;
    int i;

    c.attributes = apr_pcalloc(p, sizeof(tally_t) * (apr_size_t)(mapped ? mapped->nelts + 1 : 1));
    for (i = 0; i < run->changes->nelts; i++) {
        const mdm_person_change_t *change = &APR_ARRAY_IDX(run->changes, i, mdm_person_change_t);

        apr_hash_set(c.changes, change->login, APR_HASH_KEY_STRING, change);
    }
    if ((rv = count_users(&c, st)) != APR_SUCCESS || !(text = say(&c)))
        return rv;
    return mdm_fail(run->ctx, MDM_EINPUT, "nothing was changed: %s. Are base and filter of MDMDirectoryURL, "
                    "MDMDirectoryAttribute and MDMDirectoryDisabled right, and may MDMDirectoryBind read all? If it is "
                    "true, POST {\"confirm\": true} to v1/directory/sync; MDMDirectoryLimit says how much goes unasked",
                    text);
}
