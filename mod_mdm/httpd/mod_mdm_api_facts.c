/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices have said of themselves, below v1/enrollments/<id>: facts, their history, lists of items, and secrets in
 * escrow. A secret leaves this server only after the audit trail says who took it. Request threads only; logs no value.
 */
#include <apr_strings.h>

#include "mdm_facts_items.h"
#include "mdm_json.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const reading[] = { "GET", NULL };
static const char *const revealing[] = { "POST", NULL };

/* One request for something of an enrollment. */
typedef struct {
    mdm_api_t *api;
    const char *id, *name;            /* enrollment; fact or kind */
    mdm_enrollment_t *enrollment;
} asked_t;

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, rv == MDM_ENOTFOUND ? HTTP_NOT_FOUND : mdm_io_status(rv), rv);
}

static json_t *value_of(const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    return value ? value : json_null();
}

static json_t *seen_json(const apr_array_header_t *sources, apr_pool_t *p)
{
    json_t *json = json_object();
    int i;

    for (i = 0; i < sources->nelts; i++) {
        const mdm_fact_t *source = &APR_ARRAY_IDX(sources, i, mdm_fact_t);

        mdm_json_set_text(json, source->source, mdm_api_time(source->changed_at, p));
    }
    return json;
}

static json_t *fact_json(const mdm_fact_t *fact, apr_pool_t *p)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "name", fact->name);
    json_object_set_new(json, "value", value_of(fact->value));
    mdm_json_set_text(json, "source", fact->source);
    mdm_json_set_text(json, "changed_at", mdm_api_time(fact->changed_at, p));
    return json;
}

static int list_facts(asked_t *a)
{
    apr_pool_t *p = a->api->r->pool;
    int i, limit;
    apr_array_header_t *facts, *sources;
    json_t *json, *list;
    apr_status_t rv = mdm_api_limit(&limit, a->api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_facts_list(&facts, a->api->st, a->enrollment->id, mdm_api_query(a->api, "cursor"), limit);
    if (rv == APR_SUCCESS)
        rv = mdm_store_facts_sources(&sources, a->api->st, a->enrollment->id);
    if (rv != APR_SUCCESS)
        return fail(a->api, rv);
    list = json_array();
    for (i = 0; i < facts->nelts; i++)
        json_array_append_new(list, fact_json(&APR_ARRAY_IDX(facts, i, mdm_fact_t), p));
    json = json_pack("{s:s, s:o, s:o}", "enrollment_id", a->id, "facts", list, "seen", seen_json(sources, p));
    if (facts->nelts == limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(facts, limit - 1, mdm_fact_t).name);
    return mdm_api_json(a->api, HTTP_OK, json);
}

static int show_history(asked_t *a)
{
    const char *cursor = mdm_api_query(a->api, "cursor");
    int i, limit;
    apr_array_header_t *values;
    apr_int64_t last;
    json_t *json, *list;
    apr_status_t rv = mdm_api_limit(&limit, a->api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_facts_history(&values, &last, a->api->st, a->enrollment->id, a->name,
                                     cursor ? apr_atoi64(cursor) : 0, limit);
    if (rv != APR_SUCCESS)
        return fail(a->api, rv);
    list = json_array();
    for (i = 0; i < values->nelts; i++) {
        const mdm_fact_t *fact = &APR_ARRAY_IDX(values, i, mdm_fact_t);
        json_t *entry = json_pack("{s:s}", "at", mdm_api_time(fact->changed_at, a->api->r->pool));

        if (fact->value)
            json_object_set_new(entry, "value", value_of(fact->value));
        else
            json_object_set_new(entry, "gone", json_true());
        json_array_append_new(list, entry);
    }
    json = json_pack("{s:s, s:s, s:o}", "enrollment_id", a->id, "name", a->name, "history", list);
    if (values->nelts == limit)
        mdm_json_set_text(json, "next_cursor", apr_psprintf(a->api->r->pool, "%" APR_INT64_T_FMT, last));
    return mdm_api_json(a->api, HTTP_OK, json);
}

/* The RequestType that gives items of this kind; NULL: no such kind, and *kinds names those there are. */
static const char *source_of(const char *kind, const char **kinds, apr_pool_t *p)
{
    const char *type, *known;
    int i;

    *kinds = "";
    for (i = 0; (known = mdm_facts_items_kind(&type, i)) != NULL; i++) {
        if (!strcmp(known, kind))
            return type;
        *kinds = apr_pstrcat(p, *kinds, i ? ", " : "", known, NULL);
    }
    return NULL;
}

static json_t *item_json(const mdm_item_t *item, apr_pool_t *p)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "identifier", item->identifier);
    mdm_json_set_text(json, "name", item->name);
    mdm_json_set_text(json, "version", item->version);
    json_object_set_new(json, "detail", value_of(item->detail));
    mdm_json_set_text(json, "changed_at", mdm_api_time(item->changed_at, p));
    return json;
}

static int list_items(asked_t *a)
{
    apr_pool_t *p = a->api->r->pool;
    int i, limit;
    apr_array_header_t *items, *sources;
    const char *kinds, *source = source_of(a->name, &kinds, p);
    json_t *json, *list;
    apr_status_t rv;

    if (!source)
        return fail(a->api, mdm_fail(a->api->ctx, MDM_ENOTFOUND, "there are no items of this kind; the kinds are %s",
                                     kinds));
    if ((rv = mdm_api_limit(&limit, a->api)) == APR_SUCCESS)
        rv = mdm_store_items_list(&items, a->api->st, a->enrollment->id, a->name, mdm_api_query(a->api, "cursor"),
                                  limit);
    if (rv == APR_SUCCESS)
        rv = mdm_store_facts_sources(&sources, a->api->st, a->enrollment->id);
    if (rv != APR_SUCCESS)
        return fail(a->api, rv);
    list = json_array();
    for (i = 0; i < items->nelts; i++)
        json_array_append_new(list, item_json(&APR_ARRAY_IDX(items, i, mdm_item_t), p));
    json = json_pack("{s:s, s:s, s:s, s:o}", "enrollment_id", a->id, "kind", a->name, "source", source, "items", list);
    for (i = 0; i < sources->nelts; i++) {
        const mdm_fact_t *seen = &APR_ARRAY_IDX(sources, i, mdm_fact_t);

        if (!strcmp(seen->source, source))
            mdm_json_set_text(json, "seen_at", mdm_api_time(seen->changed_at, p));
    }
    if (items->nelts == limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(items, limit - 1, mdm_item_t).identifier);
    return mdm_api_json(a->api, HTTP_OK, json);
}

static int list_escrow(asked_t *a)
{
    apr_array_header_t *kept;
    json_t *list;
    int i;
    apr_status_t rv = mdm_store_escrow_list(&kept, a->api->st, a->enrollment->id);

    if (rv != APR_SUCCESS)
        return fail(a->api, rv);
    list = json_array();
    for (i = 0; i < kept->nelts; i++) {
        const mdm_escrow_t *e = &APR_ARRAY_IDX(kept, i, mdm_escrow_t);

        json_array_append_new(list, json_pack("{s:s, s:s}", "kind", e->kind, "stored_at",
                                              mdm_api_time(e->stored_at, a->api->r->pool)));
    }
    return mdm_api_json(a->api, HTTP_OK, json_pack("{s:s, s:o}", "enrollment_id", a->id, "escrow", list));
}

/* The value goes out only when it is on record that it did. */
static int reveal(asked_t *a)
{
    mdm_escrow_t *kept;
    json_t *json;
    apr_status_t rv = mdm_store_escrow_get(&kept, a->api->st, a->enrollment->id, a->name);

    if (rv == APR_SUCCESS)
        rv = mdm_store_event(a->api->st, "escrow.revealed", a->api->actor, a->api->r->useragent_ip, a->id, kept->kind,
                             NULL);
    if (rv != APR_SUCCESS)
        return fail(a->api, rv);
    mdm_log(a->api->ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, 0, MDMNO(0905) "%s took the %s of %s out of escrow",
            a->api->actor, kept->kind, a->id);
    json = json_pack("{s:s, s:s}", "enrollment_id", a->id, "kind", kept->kind);
    mdm_json_set_text(json, "value", kept->value);
    mdm_json_set_text(json, "stored_at", mdm_api_time(kept->stored_at, a->api->r->pool));
    return mdm_api_json(a->api, HTTP_OK, json);
}

/* Ids may have slashes, names of facts and kinds have none: so paths are read from their end. */
static const struct {
    const char *before, *after;       /* the name, if there is one: /before/NAME/after */
    int (*handle)(asked_t *a);
    const char *const *methods;
} routes[] = {
    { "/facts", NULL, list_facts, reading },
    { "/escrow", NULL, list_escrow, reading },
    { "/facts/", "/history", show_history, reading },
    { "/items/", "", list_items, reading },
    { "/escrow/", "/reveal", reveal, revealing },
};

static int fits(asked_t *a, int n)
{
    const char *path = a->api->path, *end = path + strlen(path), *start;
    apr_size_t before = strlen(routes[n].before), after = routes[n].after ? strlen(routes[n].after) : 0;

    if ((apr_size_t)(end - path) <= before + after || (after && strcmp(end - after, routes[n].after)))
        return 0;
    start = end -= after;
    if (routes[n].after) {
        while (start > path && start[-1] != '/')
            start--;
        a->name = apr_pstrmemdup(a->api->r->pool, start, (apr_size_t)(end - start));
        if (!*a->name)
            return 0;
    }
    if ((apr_size_t)(start - path) <= before || strncmp(start - before, routes[n].before, before))
        return 0;
    a->id = apr_pstrmemdup(a->api->r->pool, path, (apr_size_t)(start - path) - before);
    return 1;
}

int mdm_api_facts(int *answer, mdm_api_t *api)
{
    asked_t a = { api, NULL, NULL, NULL };
    int n, count = (int)(sizeof(routes) / sizeof(routes[0]));
    apr_status_t rv;

    for (n = 0; n < count && !fits(&a, n); n++)
        continue;
    if (n == count)
        return 0;
    if (!mdm_io_method(answer, api->r, routes[n].methods))
        return 1;
    if ((rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_store_enrollment_get(&a.enrollment, api->st, a.id);
    *answer = rv == APR_SUCCESS ? routes[n].handle(&a) : fail(api, rv);
    return 1;
}
