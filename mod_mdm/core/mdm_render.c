/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shelf of templates and secrets for the time of a turn, a preview or a delivery. What is read for good lives with
 * the shelf, what is of one enrollment with the store that is handed in. Values are never logged.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_render.h"
#include "mdm_store_profile.h"
#include "mdm_store_secret.h"

typedef struct {
    const char *closed;           /* it does not open or cannot be read: the sentence, and nothing else is there */
    mdm_template_t *template;
    int rendered;                 /* for everybody */
    const char *uuid, *missing;
} book_t;

struct mdm_render_t {
    mdm_ctx_t *ctx;
    const mdm_seal_t *seal;
    apr_hash_t *books;            /* "PROFILE:VERSION" -> book_t * */
    apr_hash_t *secrets;          /* name -> const mdm_bytes_t * */
    apr_hash_t *facts;            /* name -> itself: what the templates read so far look at */
    apr_array_header_t *closed;   /* mdm_unreadable_t */
    const char *pretended;
};

mdm_render_t *mdm_render_create(mdm_store_t *st)
{
    mdm_render_t *r = apr_pcalloc(st->ctx->pool, sizeof(*r));

    r->ctx = st->ctx;
    r->seal = st->seal;
    r->books = apr_hash_make(st->ctx->pool);
    r->secrets = apr_hash_make(st->ctx->pool);
    r->facts = apr_hash_make(st->ctx->pool);
    r->closed = apr_array_make(st->ctx->pool, 1, sizeof(mdm_unreadable_t));
    return r;
}

void mdm_render_pretend(mdm_render_t *r, const char *secret)
{
    r->pretended = apr_pstrdup(r->ctx->pool, secret);
}

apr_array_header_t *mdm_render_closed(mdm_render_t *r)
{
    return r->closed;
}

/* ---- templates and secrets */

static void keep_closed(mdm_render_t *r, const mdm_unreadable_t *found)
{
    mdm_unreadable_t *one = apr_array_push(r->closed);

    *one = *found;
    one->secret = found->secret ? apr_pstrdup(r->ctx->pool, found->secret) : NULL;
    one->why = apr_pstrdup(r->ctx->pool, found->why);
}

static void keep_secret(mdm_render_t *r, const char *name, const mdm_bytes_t *value)
{
    mdm_bytes_t *kept = apr_palloc(r->ctx->pool, sizeof(*kept));

    /* It has to be something that nobody's value is, and base64 for those who take it so. */
    if (r->pretended && !strcmp(r->pretended, name))
        *kept = mdm_bytes_of(mdm_base64_encode(mdm_bytes_of(mdm_uuid_random(r->ctx->pool)), r->ctx->pool));
    else {
        kept->data = value->data ? apr_pmemdup(r->ctx->pool, value->data, value->len + 1) : NULL;
        kept->len = value->len;
    }
    apr_hash_set(r->secrets, apr_pstrdup(r->ctx->pool, name), APR_HASH_KEY_STRING, kept);
}

static apr_status_t read_secrets(mdm_render_t *r, mdm_store_t *st, const apr_array_header_t *names)
{
    apr_array_header_t *wanted = apr_array_make(st->ctx->pool, 4, sizeof(const char *)), *closed;
    apr_hash_t *values;
    apr_hash_index_t *hi;
    apr_status_t rv;
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!apr_hash_get(r->secrets, name, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(wanted, const char *) = name;
    }
    if (!wanted->nelts)
        return APR_SUCCESS;
    rv = mdm_store_secret_values(&values, &closed, st, (const char *const *)wanted->elts, wanted->nelts);
    for (hi = rv == APR_SUCCESS ? apr_hash_first(st->ctx->pool, values) : NULL; hi; hi = apr_hash_next(hi))
        keep_secret(r, apr_hash_this_key(hi), apr_hash_this_val(hi));
    for (i = 0; rv == APR_SUCCESS && i < closed->nelts; i++)
        keep_closed(r, &APR_ARRAY_IDX(closed, i, mdm_unreadable_t));
    return rv;
}

/* It is kept as such: nobody else opens it in vain. */
static apr_status_t put_closed(book_t *book, mdm_render_t *r, mdm_store_t *st, apr_int64_t profile, int version)
{
    mdm_unreadable_t one = { NULL, profile, NULL, version, mdm_ctx_detail(st->ctx, MDM_ECRYPTO), 0, 0 };

    keep_closed(r, &one);
    mdm_ctx_clear(st->ctx);
    book->closed = apr_psprintf(r->ctx->pool, "version %d does not open with the sealing key: save it anew, or restore "
                                "the key it was sealed with", version);
    return APR_SUCCESS;
}

static apr_status_t read_template(book_t *book, mdm_render_t *r, mdm_store_t *st, apr_int64_t profile, int version)
{
    mdm_profile_version_t *v;
    apr_status_t rv = mdm_store_profile_version_get(&v, st, profile, version);

    if (rv == MDM_ECRYPTO)
        return put_closed(book, r, st, profile, version);
    if (rv != APR_SUCCESS || (rv = mdm_template_read(&book->template, r->ctx, profile, v->body)) == APR_SUCCESS)
        return rv;
    book->closed = apr_psprintf(r->ctx->pool, "version %d cannot be read: %s", version, mdm_ctx_detail(r->ctx, rv));
    mdm_ctx_clear(r->ctx);
    return APR_SUCCESS;
}

static apr_status_t read_uses(book_t *book, mdm_render_t *r, mdm_store_t *st)
{
    const mdm_template_uses_t *uses = mdm_template_uses(book->template);
    int i;

    for (i = 0; i < uses->facts->nelts; i++) {
        const char *fact = APR_ARRAY_IDX(uses->facts, i, const char *);

        apr_hash_set(r->facts, fact, APR_HASH_KEY_STRING, fact);
    }
    return read_secrets(r, st, uses->secrets);
}

static void put_book(mdm_render_t *r, apr_int64_t profile, int version, const book_t *book)
{
    apr_hash_set(r->books, apr_psprintf(r->ctx->pool, "%" APR_INT64_T_FMT ":%d", profile, version),
                 APR_HASH_KEY_STRING, book);
}

apr_status_t mdm_render_put(mdm_render_t *r, mdm_store_t *st, apr_int64_t profile, int version, mdm_bytes_t body)
{
    book_t *book = apr_pcalloc(r->ctx->pool, sizeof(*book));
    apr_status_t rv = mdm_template_read(&book->template, r->ctx, profile, body);

    if (rv == APR_SUCCESS)
        rv = read_uses(book, r, st);
    if (rv == APR_SUCCESS)
        put_book(r, profile, version, book);
    return rv;
}

static apr_status_t read_book(book_t **out, mdm_render_t *r, mdm_store_t *st, apr_int64_t profile, int version)
{
    const char *key = apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT ":%d", profile, version);
    book_t *book = apr_hash_get(r->books, key, APR_HASH_KEY_STRING);
    apr_status_t rv = APR_SUCCESS;

    if (!book) {
        book = apr_pcalloc(r->ctx->pool, sizeof(*book));
        rv = read_template(book, r, st, profile, version);
        if (rv == APR_SUCCESS && !book->closed)
            rv = read_uses(book, r, st);
        if (rv != APR_SUCCESS)
            return rv;
        put_book(r, profile, version, book);
    }
    *out = book;
    return book->closed ? mdm_fail(st->ctx, MDM_ENOTFOUND, "%s", book->closed) : APR_SUCCESS;
}

apr_status_t mdm_render_template(const mdm_template_t **out, mdm_render_t *r, mdm_store_t *st, apr_int64_t profile,
                                 int version)
{
    book_t *book;
    apr_status_t rv = read_book(&book, r, st, profile, version);

    *out = rv == APR_SUCCESS ? book->template : NULL;
    return rv;
}

/* ---- values of a batch */

static apr_status_t read_users(apr_hash_t **out, mdm_store_t *st, const apr_array_header_t *all)
{
    apr_pool_t *p = st->ctx->pool;
    const char *logins[MDM_QUEUE_CHUNK];
    apr_array_header_t *list;
    apr_status_t rv;
    int i, n = 0;

    *out = apr_hash_make(p);
    for (i = 0; i < all->nelts && n < MDM_QUEUE_CHUNK; i++) {
        const char *login = APR_ARRAY_IDX(all, i, mdm_effect_of_t).enrollment->user;

        if (login)
            logins[n++] = login;
    }
    if (!n)
        return APR_SUCCESS;
    rv = mdm_store_batch_users(&list, st, logins, n);
    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        const mdm_batch_user_t *user = &APR_ARRAY_IDX(list, i, mdm_batch_user_t);

        apr_hash_set(*out, user->login, APR_HASH_KEY_STRING, user);
    }
    return rv;
}

static apr_status_t read_facts(apr_hash_t **out, mdm_render_t *r, mdm_store_t *st, const apr_array_header_t *all)
{
    apr_pool_t *p = st->ctx->pool;
    apr_array_header_t *names = apr_array_make(p, 8, sizeof(const char *)), *list;
    apr_int64_t ids[MDM_QUEUE_CHUNK];
    apr_hash_index_t *hi;
    apr_status_t rv;
    int i;

    *out = apr_hash_make(p);
    for (hi = apr_hash_first(p, r->facts); hi; hi = apr_hash_next(hi))
        APR_ARRAY_PUSH(names, const char *) = apr_hash_this_val(hi);
    if (!names->nelts)
        return APR_SUCCESS;
    for (i = 0; i < all->nelts; i++)
        ids[i] = APR_ARRAY_IDX(all, i, mdm_effect_of_t).device->id;
    rv = mdm_store_batch_facts(&list, st, ids, all->nelts, (const char *const *)names->elts, names->nelts);
    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        const mdm_batch_fact_t *fact = &APR_ARRAY_IDX(list, i, mdm_batch_fact_t);
        apr_hash_t *facts = apr_hash_get(*out, &fact->enrollment, sizeof(fact->enrollment));

        if (!facts) {
            facts = apr_hash_make(p);
            apr_hash_set(*out, &fact->enrollment, sizeof(fact->enrollment), facts);
        }
        apr_hash_set(facts, fact->name, APR_HASH_KEY_STRING, fact->value);
    }
    return rv;
}

apr_status_t mdm_render_values(apr_array_header_t **out, mdm_render_t *r, mdm_store_t *st,
                               const apr_array_header_t *all)
{
    apr_pool_t *p = st->ctx->pool;
    apr_hash_t *users, *facts;
    apr_status_t rv = read_users(&users, st, all);
    int i;

    if (rv != APR_SUCCESS || (rv = read_facts(&facts, r, st, all)) != APR_SUCCESS)
        return rv;
    *out = apr_array_make(p, all->nelts, sizeof(mdm_values_t));
    for (i = 0; i < all->nelts; i++) {
        const mdm_effect_of_t *of = &APR_ARRAY_IDX(all, i, mdm_effect_of_t);
        mdm_values_t *v = apr_array_push(*out);
        const mdm_batch_user_t *user = of->enrollment->user
                                       ? apr_hash_get(users, of->enrollment->user, APR_HASH_KEY_STRING) : NULL;

        memset(v, 0, sizeof(*v));
        v->seal = r->seal;
        v->login = of->enrollment->user;
        v->display_name = user ? user->display_name : NULL;
        v->email = user ? user->email : NULL;
        v->attributes = user ? mdm_json_own(json_loads(user->attributes, 0, NULL), p) : NULL;
        v->enrollment = of->enrollment;
        v->device = of->device == of->enrollment ? NULL : of->device;
        v->facts = apr_hash_get(facts, &of->device->id, sizeof(of->device->id));
        v->secrets = r->secrets;
    }
    return APR_SUCCESS;
}

/* ---- rendering */

apr_status_t mdm_render_profile(mdm_plist_t **out, const char **uuid, mdm_render_t *r, mdm_store_t *st,
                                apr_int64_t profile, int version, const mdm_values_t *values)
{
    mdm_values_t nobody = { 0 };
    book_t *book;
    apr_status_t rv = read_book(&book, r, st, profile, version);

    nobody.seal = r->seal;
    nobody.secrets = r->secrets;
    return rv == APR_SUCCESS ? mdm_template_render(out, uuid, st->ctx, book->template, values ? values : &nobody) : rv;
}

apr_status_t mdm_render_uuid(const char **uuid, const char **missing, mdm_render_t *r, mdm_store_t *st,
                             apr_int64_t profile, int version, const mdm_values_t *values)
{
    mdm_plist_t *ignored;
    book_t *book;
    apr_status_t rv = read_book(&book, r, st, profile, version);

    *uuid = *missing = NULL;
    if (rv != APR_SUCCESS)
        return rv;
    if (!book->rendered || mdm_template_depends(book->template)) {
        rv = mdm_render_profile(&ignored, uuid, r, st, profile, version, values);
        if (rv == MDM_ENOTFOUND) {
            *missing = mdm_ctx_detail(st->ctx, rv);
            mdm_ctx_clear(st->ctx);
            rv = APR_SUCCESS;
        }
        if (rv != APR_SUCCESS || mdm_template_depends(book->template))
            return rv;
        book->uuid = *uuid ? apr_pstrdup(r->ctx->pool, *uuid) : NULL;
        book->missing = *missing ? apr_pstrdup(r->ctx->pool, *missing) : NULL;
        book->rendered = 1;
    }
    *uuid = book->uuid;
    *missing = book->missing;
    return APR_SUCCESS;
}
