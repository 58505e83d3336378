/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between two trees. Originals are compared and masked copies shown, side by side, so that a changed
 * secret is seen as changed and not otherwise. Recurses as deep as the plist reader lets a tree be.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_library_diff.h"
#include "mdm_payload_json.h"
#include "mdm_plist_json.h"

/* A value, and how it is shown. */
typedef struct {
    const mdm_plist_t *real, *shown;
} value_t;

typedef struct {
    json_t *changes;
    apr_pool_t *p;
} diff_t;

static void add(diff_t *d, const char *change, const char *path, const value_t *from, const value_t *to)
{
    json_t *one = json_object();

    mdm_json_set_text(one, "change", change);
    mdm_json_set_text(one, "path", path);
    if (from)
        json_object_set_new(one, "from", mdm_plist_to_json(from->shown, d->p));
    if (to)
        json_object_set_new(one, "to", mdm_plist_to_json(to->shown, d->p));
    json_array_append_new(d->changes, one);
}

static int is_container(const mdm_plist_t *node)
{
    return node->type == MDM_PLIST_DICT || node->type == MDM_PLIST_ARRAY;
}

static int is_equal(const mdm_plist_t *a, const mdm_plist_t *b)
{
    switch (a->type) {
    case MDM_PLIST_STRING:
    case MDM_PLIST_DATA:
        return a->bytes.len == b->bytes.len && (!a->bytes.len || !memcmp(a->bytes.data, b->bytes.data, a->bytes.len));
    case MDM_PLIST_INTEGER:
    case MDM_PLIST_BOOLEAN:
        return a->integer == b->integer;
    case MDM_PLIST_REAL:
        return !(a->real < b->real) && !(a->real > b->real);
    default:
        return a->date == b->date;
    }
}

/* Two values of a container that is not shown. */
static int is_same(const mdm_plist_t *a, const mdm_plist_t *b)
{
    const mdm_plist_t *x, *y;

    if (a->type != b->type || !is_container(a))
        return a->type == b->type && is_equal(a, b);
    for (x = a->first, y = b->first; x && y; x = x->next, y = y->next) {
        if ((x->key && strcmp(x->key, y->key)) || !is_same(x, y))
            return 0;
    }
    return !x && !y;
}

static value_t first_of(const value_t *container)
{
    value_t item = { container->real->first, container->shown->first };

    return item;
}

static void step(value_t *item)
{
    item->real = item->real->next;
    item->shown = item->shown->next;
}

static const char *below(const char *path, const mdm_plist_t *item, int index, apr_pool_t *p)
{
    if (!item->key)
        return apr_psprintf(p, "%s[%d]", path, index);
    return *path ? apr_pstrcat(p, path, ".", item->key, NULL) : item->key;
}

static void compare(diff_t *d, const char *path, const value_t *from, const value_t *to);

/* Both have their keys in order. */
static void compare_dicts(diff_t *d, const char *path, const value_t *from, const value_t *to)
{
    value_t a = first_of(from), b = first_of(to);

    while (a.real || b.real) {
        int order = !a.real ? 1 : !b.real ? -1 : strcmp(a.real->key, b.real->key);

        if (order < 0)
            add(d, "removed", below(path, a.real, 0, d->p), &a, NULL);
        else if (order > 0)
            add(d, "added", below(path, b.real, 0, d->p), NULL, &b);
        else
            compare(d, below(path, b.real, 0, d->p), &a, &b);
        if (order <= 0)
            step(&a);
        if (order >= 0)
            step(&b);
    }
}

static void compare_arrays(diff_t *d, const char *path, const value_t *from, const value_t *to)
{
    value_t a = first_of(from), b = first_of(to);
    int i;

    for (i = 0; a.real || b.real; i++) {
        const char *at = below(path, a.real ? a.real : b.real, i, d->p);

        if (a.real && b.real)
            compare(d, at, &a, &b);
        else
            add(d, a.real ? "removed" : "added", at, a.real ? &a : NULL, b.real ? &b : NULL);
        if (a.real)
            step(&a);
        if (b.real)
            step(&b);
    }
}

/* The identifier of a payload, and which one it is of those that have the same. */
static const char *name_of(apr_hash_t *seen, const mdm_plist_t *payload, apr_pool_t *p)
{
    const char *id = mdm_plist_get_string(payload, "PayloadIdentifier");
    apr_size_t *count;

    id = id ? id : "";
    count = apr_hash_get(seen, id, APR_HASH_KEY_STRING);
    if (!count)
        apr_hash_set(seen, id, APR_HASH_KEY_STRING, count = apr_pcalloc(p, sizeof(*count)));
    return apr_psprintf(p, "%" APR_SIZE_T_FMT " %s", ++*count, id);
}

static apr_hash_t *by_name(const value_t *array, apr_pool_t *p)
{
    apr_hash_t *found = apr_hash_make(p), *seen = apr_hash_make(p);
    value_t item;

    for (item = first_of(array); item.real; step(&item))
        apr_hash_set(found, name_of(seen, item.real, p), APR_HASH_KEY_STRING, apr_pmemdup(p, &item, sizeof(item)));
    return found;
}

static void compare_payloads(diff_t *d, const char *path, const value_t *from, const value_t *to)
{
    apr_hash_t *before = by_name(from, d->p), *after = by_name(to, d->p);
    apr_hash_t *seen = apr_hash_make(d->p);
    value_t item;
    int i;

    for (item = first_of(to), i = 0; item.real; step(&item), i++) {
        const value_t *partner = apr_hash_get(before, name_of(seen, item.real, d->p), APR_HASH_KEY_STRING);

        if (partner)
            compare(d, below(path, item.real, i, d->p), partner, &item);
        else
            add(d, "added", below(path, item.real, i, d->p), NULL, &item);
    }
    seen = apr_hash_make(d->p);
    for (item = first_of(from), i = 0; item.real; step(&item), i++) {
        if (!apr_hash_get(after, name_of(seen, item.real, d->p), APR_HASH_KEY_STRING))
            add(d, "removed", below(path, item.real, i, d->p), &item, NULL);
    }
}

/* A masked container is shown as one text. */
static int is_shown(const value_t *value)
{
    return is_container(value->shown) && value->shown->count == value->real->count;
}

static void compare(diff_t *d, const char *path, const value_t *from, const value_t *to)
{
    if (from->real->type != to->real->type)
        add(d, "changed", path, from, to);
    else if (!is_container(from->real)) {
        if (!is_equal(from->real, to->real))
            add(d, "changed", path, from, to);
    }
    else if (!is_shown(from) || !is_shown(to)) {
        if (!is_same(from->real, to->real))
            add(d, "changed", path, from, to);
    }
    else if (from->real->type == MDM_PLIST_DICT)
        compare_dicts(d, path, from, to);
    else if (!strcmp(path, "PayloadContent"))
        compare_payloads(d, path, from, to);
    else
        compare_arrays(d, path, from, to);
}

json_t *mdm_library_diff(const mdm_plist_t *from, const mdm_plist_t *to, apr_pool_t *p)
{
    diff_t d = { json_array(), p };
    value_t a = { from, mdm_payload_masked(from, p) }, b = { to, mdm_payload_masked(to, p) };

    compare(&d, "", &a, &b);
    return d.changes;
}
