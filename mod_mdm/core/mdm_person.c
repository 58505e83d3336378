/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persons: a change is merged with the record, compared with it, and written when it makes a difference. Called by the
 * sign-in, the API, mdmctl and the directory, in any thread. Knows nothing of groups and profiles: the marks on a
 * person's enrollments lead to them.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_person.h"
#include "mdm_refusal.h"
#include "mdm_store_change.h"
#include "mdm_store_status.h"

#define STEP 64

typedef struct {
    mdm_store_t *st;
    mdm_person_change_t *changes;
    int count;
    const mdm_person_by_t *by;
} saving_t;

/* A record on its way: what it was and what it becomes. */
typedef struct {
    mdm_store_t *st;
    const mdm_person_by_t *by;
    const mdm_user_t *old;        /* NULL: there was none */
    mdm_user_t now;
    const char *names;            /* of what changed, in order: "department, email" */
} merge_t;

mdm_person_change_t mdm_person_change(const char *login)
{
    mdm_person_change_t change = { 0 };

    change.login = login;
    change.disabled = -1;
    return change;
}

/* ---- merging */

static int same(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static void note(merge_t *m, const char *name)
{
    m->names = m->names ? apr_pstrcat(m->st->ctx->pool, m->names, ", ", name, NULL) : name;
}

static void merge_column(merge_t *m, const char **column, const char *name, const char *said, int replace)
{
    const char *value = said ? (*said ? said : NULL) : replace ? NULL : *column;

    if (same(*column, value))
        return;
    *column = value;
    note(m, name);
}

static int is_empty(const json_t *value)
{
    return !value || json_is_null(value) || (json_is_string(value) && !*json_string_value(value))
        || (json_is_array(value) && !json_array_size(value));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names of two objects in order, those of both twice. */
static apr_array_header_t *names_of(json_t *a, json_t *b, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, 8, sizeof(const char *));
    const char *name;
    json_t *value;

    json_object_foreach(a, name, value)
        APR_ARRAY_PUSH(names, const char *) = name;
    json_object_foreach(b, name, value)
        APR_ARRAY_PUSH(names, const char *) = name;
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *), compare_names);
    return names;
}

/* Names in order, so that equal attributes are equal texts. */
static apr_status_t merge_attributes(merge_t *m, json_t *said, int replace)
{
    mdm_ctx_t *ctx = m->st->ctx;
    json_t *before, *after = mdm_json_object(ctx->pool);
    apr_array_header_t *names;
    const char *text;
    apr_status_t rv;
    int i;

    if (!said && !replace)
        return APR_SUCCESS;
    if ((rv = mdm_json_read(&before, ctx, mdm_bytes_of(m->now.attributes))) != APR_SUCCESS)
        return rv;
    names = names_of(before, said, ctx->pool);
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        json_t *was = json_object_get(before, name), *told = json_object_get(said, name);
        json_t *value = told || replace ? told : was;

        if (i && !strcmp(name, APR_ARRAY_IDX(names, i - 1, const char *)))
            continue;
        if (!is_empty(value))
            json_object_set(after, name, value);
        if (is_empty(value) ? was != NULL : !was || !json_equal(was, value))
            note(m, name);
    }
    text = mdm_json_compact(after, ctx->pool);
    if (!text || strlen(text) > MDM_PERSON_BYTES_MAX)
        return mdm_refusal_of(ctx, mdm_fail(ctx, MDM_ETOOBIG, "attributes must not be more than %d bytes together",
                                            MDM_PERSON_BYTES_MAX), "user", m->now.login);
    m->now.attributes = text;
    return APR_SUCCESS;
}

static apr_status_t merge(merge_t *m, const mdm_person_change_t *change)
{
    if (m->old) {
        m->now = *m->old;
    } else {
        m->now.login = change->login;
        m->now.attributes = "{}";
        m->now.created_at = mdm_ctx_now(m->st->ctx);
    }
    merge_column(m, &m->now.display_name, "display_name", change->display_name, change->replace);
    merge_column(m, &m->now.email, "email", change->email, change->replace);
    if (change->disabled >= 0 || change->replace)
        m->now.disabled = change->disabled > 0;
    if (change->restore && m->old && !m->old->synced_at && same(m->old->disabled_by, "directory")
        && change->disabled < 0)
        m->now.disabled = 0;
    if (change->synced)
        m->now.synced_at = mdm_ctx_now(m->st->ctx);
    return merge_attributes(m, change->attributes, change->replace);
}

/* ---- writing */

static apr_status_t tell(const merge_t *m, const char *kind, const char *names)
{
    const char *detail = names ? apr_pstrcat(m->st->ctx->pool, m->by->source, ": ", names, NULL) : m->by->source;

    return mdm_store_event(m->st, kind, m->by->actor, m->by->source_ip, NULL, m->now.login, detail);
}

/* Of two who make the same person at once the second merges anew, with what the first has said. */
static apr_status_t store(const merge_t *m)
{
    int made;
    apr_status_t rv;

    if (m->old)
        return mdm_store_user_update(m->st, &m->now);
    rv = mdm_store_user_insert(&made, m->st, &m->now);
    return rv == APR_SUCCESS && !made ? MDM_ECONFLICT : rv;
}

static apr_status_t put(mdm_person_change_t *change, merge_t *m)
{
    int was_disabled = m->old && m->old->disabled, turned = m->now.disabled != was_disabled;
    int found = m->old && change->synced && !m->old->synced_at;
    apr_status_t rv;

    change->made = !m->old;
    change->turned = turned ? (m->now.disabled ? 1 : -1) : 0;
    change->changed = !m->old || m->names || turned;
    if (!change->changed && !found)
        return APR_SUCCESS;
    if (change->changed) {
        m->now.source = m->by->source;
        m->now.changed_at = mdm_ctx_now(m->st->ctx);
    }
    if (turned)
        m->now.disabled_by = m->now.disabled ? m->by->source : NULL;
    rv = store(m);
    if (rv == APR_SUCCESS && (change->made || m->names))
        rv = tell(m, change->made ? "user.created" : "user.changed", m->names);
    if (rv == APR_SUCCESS && turned)
        rv = tell(m, m->now.disabled ? "user.disabled" : "user.enabled", NULL);
    return rv;
}

/* @param users login -> mdm_user_t *, as the caller has read them */
static apr_status_t write_one(mdm_store_t *st, mdm_person_change_t *change, const mdm_person_by_t *by,
                              apr_hash_t *users)
{
    merge_t m = { 0 };
    apr_status_t rv;

    m.st = st;
    m.by = by;
    m.old = apr_hash_get(users, change->login, APR_HASH_KEY_STRING);
    if ((rv = merge(&m, change)) != APR_SUCCESS)
        return rv;
    return put(change, &m);
}

static apr_status_t write_step(mdm_store_t *st, mdm_person_change_t *changes, int count, const mdm_person_by_t *by)
{
    const char *logins[STEP] = { NULL }, *changed[STEP] = { NULL };
    apr_hash_t *users;
    apr_status_t rv;
    int i, n = 0;

    for (i = 0; i < count; i++)
        logins[i] = changes[i].login;
    rv = mdm_store_user_lock_many(&users, st, logins, count);
    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        rv = write_one(st, &changes[i], by, users);
        if (changes[i].changed)
            changed[n++] = changes[i].login;
    }
    return rv == APR_SUCCESS ? mdm_store_recheck_users(st, changed, n) : rv;
}

apr_status_t mdm_person_write(mdm_store_t *st, mdm_person_change_t *changes, int count, const mdm_person_by_t *by)
{
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < count; done += STEP)
        rv = write_step(st, changes + done, count - done < STEP ? count - done : STEP, by);
    return rv;
}

static apr_status_t save_work(void *baton, mdm_db_t *db)
{
    saving_t *s = baton;

    (void)db;
    return mdm_person_write(s->st, s->changes, s->count, s->by);
}

apr_status_t mdm_person_save(mdm_store_t *st, mdm_person_change_t *changes, int count, const mdm_person_by_t *by)
{
    saving_t s = { st, changes, count, by };

    return mdm_db_transact(st->db, save_work, &s);
}

/* Of the person, or of another login that only case and spaces tell from it. */
static const mdm_user_t *find_disabled(apr_hash_t *users, const char *login, apr_pool_t *p)
{
    const mdm_user_t *user = apr_hash_get(users, login, APR_HASH_KEY_STRING), *found = NULL;
    apr_hash_index_t *hi;

    if (user && user->disabled)
        return user;
    for (hi = apr_hash_first(p, users); hi && !found; hi = apr_hash_next(hi)) {
        user = apr_hash_this_val(hi);
        found = user->disabled ? user : NULL;
    }
    return found;
}

apr_status_t mdm_person_sign_in(mdm_store_t *st, const char *login, mdm_person_change_t *change,
                                const char *source_ip)
{
    mdm_person_by_t by = { "sign-in", login, source_ip };
    const char *folded[MDM_USER_FOLDED];
    const mdm_user_t *disabled;
    apr_hash_t *users;
    apr_status_t rv;

    mdm_person_fold(folded, login, st->ctx->pool);
    if ((rv = mdm_store_user_alike(&users, st, login, folded, change != NULL)) != APR_SUCCESS)
        return rv;
    if ((disabled = find_disabled(users, login, st->ctx->pool)) != NULL)
        return mdm_fail(st->ctx, MDM_EDENIED, "%s is disabled and cannot enroll devices", disabled->login);
    if (!change)
        return APR_SUCCESS;
    rv = write_one(st, change, &by, users);
    return rv == APR_SUCCESS && change->changed ? mdm_store_recheck_user(st, login) : rv;
}

typedef struct {
    mdm_store_t *st;
    const char *login, *source_ip;
    mdm_person_change_t *change;
} signing_t;

static apr_status_t sign_in_work(void *baton, mdm_db_t *db)
{
    signing_t *s = baton;

    (void)db;
    return mdm_person_sign_in(s->st, s->login, s->change, s->source_ip);
}

apr_status_t mdm_person_signed_in(mdm_store_t *st, const char *login, mdm_person_change_t *change,
                                  const char *source_ip)
{
    signing_t s = { st, login, source_ip, change };

    return change ? mdm_db_transact(st->db, sign_in_work, &s) : mdm_person_sign_in(st, login, NULL, source_ip);
}
