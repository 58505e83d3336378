/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches of the LDAP client: pages (RFC 2696), entries with their values, and the ranges in which Active Directory
 * hands out long lists ("member;range=0-1499"). Called by the directory's thread.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_ldap_wait.h"

typedef struct {
    mdm_ldap_t *l;
    const char *const *attributes;
    int count;
    mdm_ldap_entry_fn *take;
    void *baton;
    const char *what;
    long from;                    /* where the lists that are asked for begin */
} search_t;

#define ALL 0
#define TO_THE_END -1

/* An entry on its way: for each attribute where its list goes on, or one of those above. */
typedef struct {
    mdm_ldap_entry_t entry;
    apr_array_header_t **values;
    long *next;
} entry_t;

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first of this name: what is asked for twice shares its values (start_entry). @return -1: of none */
static int attribute_of(const search_t *s, const char *name, apr_size_t len)
{
    int i;

    for (i = 0; i < s->count; i++) {
        if (strlen(s->attributes[i]) == len && !strncasecmp(s->attributes[i], name, len))
            return i;
    }
    return -1;
}

/*
 * A part that does not begin where the list goes on, or has other than the values it says, is as good as an answer that
 * breaks off: who is in the list cannot be told.
 */
static apr_status_t check_part(long *next, search_t *s, const mdm_ldap_range_t *range, const char *description,
                               int values)
{
    *next = !range->given ? ALL : range->last < 0 ? TO_THE_END : range->last + 1;
    if (range->given && (range->first != s->from || (range->last >= 0 && range->last - range->first + 1 != values)))
        return mdm_fail(s->l->ctx, MDM_EHTTP, "%s: %s: the list goes on at %ld, and %.80s came with %d values",
                        s->l->config.uri, s->what, s->from, description, values);
    if (*next > MDM_LDAP_VALUES_MAX)
        return mdm_fail(s->l->ctx, MDM_ETOOBIG, "%s: %s: an entry has more than %d values", s->l->config.uri, s->what,
                        MDM_LDAP_VALUES_MAX);
    return APR_SUCCESS;
}

static apr_status_t add_values(search_t *s, apr_array_header_t *to, struct berval **values)
{
    int i;

    for (i = 0; values && values[i]; i++) {
        mdm_bytes_t bytes = { (unsigned char *)values[i]->bv_val, values[i]->bv_len };

        if (to->nelts == MDM_LDAP_VALUES_MAX)
            return mdm_fail(s->l->ctx, MDM_ETOOBIG, "%s: an entry has more than %d values", s->l->config.uri,
                            MDM_LDAP_VALUES_MAX);
        if (mdm_utf8_valid(bytes))
            APR_ARRAY_PUSH(to, const char *) = apr_pstrmemdup(s->l->ctx->pool, (const char *)bytes.data, bytes.len);
    }
    return APR_SUCCESS;
}

static apr_status_t read_attribute(entry_t *e, search_t *s, LDAPMessage *message, const char *description)
{
    mdm_ldap_range_t range;
    struct berval **values;
    apr_status_t rv = mdm_ldap_range(&range, description);
    int i = attribute_of(s, description, range.name_len);
    long next;

    if (i < 0)
        return APR_SUCCESS;
    if (rv != APR_SUCCESS)
        return mdm_fail(s->l->ctx, MDM_EHTTP, "%s: %s: %.80s is no range", s->l->config.uri, s->what, description);
    values = ldap_get_values_len(s->l->ld, message, description);
    if ((rv = check_part(&next, s, &range, description, ldap_count_values_len(values))) == APR_SUCCESS)
        rv = add_values(s, e->values[i], values);
    if (next)
        e->next[i] = next;
    ldap_value_free_len(values);
    return rv;
}

static apr_status_t read_values(entry_t *e, search_t *s, LDAPMessage *message)
{
    BerElement *at = NULL;
    char *name;
    apr_status_t rv = APR_SUCCESS;
    int code = LDAP_SUCCESS;

    ldap_set_option(s->l->ld, LDAP_OPT_RESULT_CODE, &code);
    for (name = ldap_first_attribute(s->l->ld, message, &at); name && rv == APR_SUCCESS;
         name = ldap_next_attribute(s->l->ld, message, at)) {
        rv = read_attribute(e, s, message, name);
        ldap_memfree(name);
    }
    if (rv != APR_SUCCESS && name)
        ldap_memfree(name);
    if (at)
        ber_free(at, 0);
    /* libldap ends a list that it cannot read as it ends one that is over */
    if (rv == APR_SUCCESS && ldap_get_option(s->l->ld, LDAP_OPT_RESULT_CODE, &code) == LDAP_SUCCESS
        && code != LDAP_SUCCESS)
        rv = mdm_ldap_fail(s->l, code, s->what);
    return rv;
}

static int first_of(const search_t *s, int i)
{
    return attribute_of(s, s->attributes[i], strlen(s->attributes[i]));
}

static void start_entry(entry_t *e, search_t *s)
{
    apr_pool_t *p = s->l->ctx->pool;
    int i;

    e->values = apr_palloc(p, sizeof(*e->values) * (apr_size_t)(s->count + 1));
    e->next = apr_pcalloc(p, sizeof(*e->next) * (apr_size_t)(s->count + 1));
    for (i = 0; i < s->count; i++)
        e->values[i] = first_of(s, i) < i ? e->values[first_of(s, i)] : apr_array_make(p, 1, sizeof(const char *));
    e->entry.dn = NULL;
    e->entry.count = s->count;
    e->entry.values = (const apr_array_header_t *const *)e->values;
}

static apr_status_t read_entry(entry_t *e, search_t *s, LDAPMessage *message)
{
    char *dn = ldap_get_dn(s->l->ld, message);

    if (!dn)
        return mdm_fail(s->l->ctx, MDM_EHTTP, "%s: an entry without a name", s->l->config.uri);
    if (!e->entry.dn)
        e->entry.dn = apr_pstrdup(s->l->ctx->pool, dn);
    ldap_memfree(dn);
    return read_values(e, s, message);
}

/* Read one message of a search. @param done out: it was the last. @param take whether to hand out entries */
static apr_status_t read_message(int *done, search_t *s, LDAPMessage *message, apr_array_header_t *entries,
                                 struct berval *cookie)
{
    LDAPControl **controls = NULL, *page;
    int code = LDAP_SUCCESS, parsed;
    ber_int_t estimate;
    entry_t *e;

    switch (ldap_msgtype(message)) {
    case LDAP_RES_SEARCH_ENTRY:
        e = apr_array_push(entries);
        start_entry(e, s);
        return read_entry(e, s, message);
    case LDAP_RES_SEARCH_RESULT:
        *done = 1;
        parsed = ldap_parse_result(s->l->ld, message, &code, NULL, NULL, NULL, &controls, 0);
        if (parsed == LDAP_SUCCESS && (page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL)) != NULL)
            parsed = ldap_parse_pageresponse_control(s->l->ld, page, &estimate, cookie);
        ldap_controls_free(controls);
        if (parsed != LDAP_SUCCESS)
            code = parsed;
        return code == LDAP_SUCCESS ? APR_SUCCESS : mdm_ldap_fail(s->l, code, s->what);
    default:
        return APR_SUCCESS;       /* a reference to another directory */
    }
}

static apr_status_t run(search_t *s, int id, apr_array_header_t *entries, struct berval *cookie)
{
    apr_status_t rv = APR_SUCCESS;
    int done = 0;

    while (rv == APR_SUCCESS && !done) {
        LDAPMessage *message = NULL;

        if ((rv = mdm_ldap_wait(&message, s->l, id, s->what)) == APR_SUCCESS) {
            rv = read_message(&done, s, message, entries, cookie);
            ldap_msgfree(message);
        }
    }
    if (rv != APR_SUCCESS && !done)
        ldap_abandon_ext(s->l->ld, id, NULL, NULL);
    return rv;
}

static apr_status_t ask(search_t *s, const char *base, int scope, const char *filter, const char *const *attributes,
                        apr_array_header_t *entries)
{
    struct berval cookie = { 0, NULL };
    int id, code = ldap_search_ext(s->l->ld, base, scope, filter, (char **)attributes, 0, NULL, NULL, NULL, 0, &id);

    return code == LDAP_SUCCESS ? run(s, id, entries, &cookie) : mdm_ldap_fail(s->l, code, s->what);
}

/* Ask for the rest of a list until there is none. */
static apr_status_t complete(search_t *s, entry_t *e, int i)
{
    apr_array_header_t *more = apr_array_make(s->l->ctx->pool, 1, sizeof(entry_t));
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && e->next[i] > 0) {
        const char *names[] = { apr_psprintf(s->l->ctx->pool, "%s;range=%ld-*", s->attributes[i], e->next[i]), NULL };
        const entry_t *rest;

        apr_array_clear(more);
        s->from = e->next[i];
        rv = ask(s, e->entry.dn, LDAP_SCOPE_BASE, "(objectClass=*)", names, more);
        rest = more->nelts ? &APR_ARRAY_IDX(more, 0, entry_t) : NULL;
        if (rv == APR_SUCCESS && (!rest || rest->next[i] == ALL))
            rv = mdm_fail(s->l->ctx, MDM_EHTTP, "%s: %s: the list of %s breaks off after %ld values", s->l->config.uri,
                          e->entry.dn, s->attributes[i], s->from);
        if (rv == APR_SUCCESS) {
            apr_array_cat(e->values[i], rest->values[i]);
            e->next[i] = rest->next[i];
        }
    }
    s->from = 0;
    return rv;
}

static apr_status_t hand_out(search_t *s, apr_array_header_t *entries)
{
    apr_status_t rv = APR_SUCCESS;
    int i, j;

    for (i = 0; rv == APR_SUCCESS && i < entries->nelts; i++) {
        entry_t *e = &APR_ARRAY_IDX(entries, i, entry_t);

        for (j = 0; rv == APR_SUCCESS && j < s->count; j++) {
            rv = complete(s, e, j);
            qsort(e->values[j]->elts, (size_t)e->values[j]->nelts, sizeof(const char *), compare_texts);
        }
        if (rv == APR_SUCCESS)
            rv = s->take(s->baton, &e->entry);
    }
    return rv;
}

/* Each name is sent once, as RFC 4511 wants it. */
static char **names_once(const search_t *s)
{
    const char **names = apr_pcalloc(s->l->ctx->pool, sizeof(*names) * (apr_size_t)(s->count + 1));
    int n = 0, i;

    for (i = 0; i < s->count; i++) {
        if (first_of(s, i) == i)
            names[n++] = s->attributes[i];
    }
    return (char **)names;
}

static apr_status_t search_page(search_t *s, const mdm_ldap_url_t *url, const char *filter, struct berval *cookie)
{
    apr_array_header_t *entries = apr_array_make(s->l->ctx->pool, MDM_LDAP_PAGE, sizeof(entry_t));
    int scope = url->one_level ? LDAP_SCOPE_ONELEVEL : LDAP_SCOPE_SUBTREE, code, id;
    LDAPControl *controls[] = { NULL, NULL };
    struct berval next = { 0, NULL };
    apr_status_t rv;

    if ((code = ldap_create_page_control(s->l->ld, MDM_LDAP_PAGE, cookie, 0, &controls[0])) == LDAP_SUCCESS)
        code = ldap_search_ext(s->l->ld, url->base, scope, filter, names_once(s), 0, controls, NULL, NULL, 0, &id);
    if (controls[0])
        ldap_control_free(controls[0]);
    if (code != LDAP_SUCCESS)
        return mdm_ldap_fail(s->l, code, s->what);
    rv = run(s, id, entries, &next);
    ber_memfree(cookie->bv_val);
    *cookie = next;
    return rv == APR_SUCCESS ? hand_out(s, entries) : rv;
}

static int count_of(const char *const *attributes)
{
    int n = 0;

    while (attributes[n])
        n++;
    return n;
}

apr_status_t mdm_ldap_search(mdm_ldap_t *l, const mdm_ldap_url_t *url, const char *also,
                             const char *const *attributes, mdm_ldap_entry_fn *take, void *baton)
{
    search_t s = { l, attributes, count_of(attributes), take, baton, NULL, 0 };
    const char *filter = also ? apr_pstrcat(l->ctx->pool, "(&", url->filter, also, ")", NULL) : url->filter;
    struct berval cookie = { 0, NULL };
    apr_status_t rv;

    s.what = apr_psprintf(l->ctx->pool, "search below %s for %s", url->base, filter);
    do {
        rv = search_page(&s, url, filter, &cookie);
    } while (rv == APR_SUCCESS && cookie.bv_len);
    ber_memfree(cookie.bv_val);
    return rv;
}

static apr_status_t keep(void *baton, const mdm_ldap_entry_t *entry)
{
    *(const mdm_ldap_entry_t **)baton = entry;
    return APR_SUCCESS;
}

apr_status_t mdm_ldap_read(const mdm_ldap_entry_t **out, mdm_ldap_t *l, const char *dn, const char *const *attributes)
{
    search_t s = { l, attributes, count_of(attributes), keep, out, NULL, 0 };
    apr_array_header_t *entries = apr_array_make(l->ctx->pool, 1, sizeof(entry_t));
    apr_status_t rv;

    *out = NULL;
    s.what = apr_psprintf(l->ctx->pool, "read %s", dn);
    rv = ask(&s, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, entries);
    if (rv == APR_SUCCESS)
        rv = hand_out(&s, entries);
    if (rv == APR_SUCCESS && !*out)     /* of one that does not exist it would have said so */
        return mdm_fail(l->ctx, MDM_EDENIED, "%s: %s: nothing is shown of it", l->config.uri, s.what);
    return rv;
}
