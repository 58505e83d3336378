/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading templates: where references are, and what they ask for. Called at the save of a profile, once per run of the
 * fan-out and per delivery, in any thread. The depth of what recurses here is that of the plist reader.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_template_parts.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define DATA ":data"
#define REMEDY "write $${ where ${ is meant as it is"

/* Where the walk is: from here up to the root. */
typedef struct place_t {
    const struct place_t *up;
    const mdm_plist_t *node;
    int index;                    /* in an array */
    int depth;
} place_t;

typedef struct {
    mdm_ctx_t *ctx;
    mdm_template_t *t;
} reading_t;

static const char *path_of(const place_t *at, apr_pool_t *p)
{
    const char *above;

    if (!at->up)
        return "";
    above = path_of(at->up, p);
    if (!at->node->key)
        return apr_psprintf(p, "%s[%d]", above, at->index);
    return *above ? apr_pstrcat(p, above, ".", at->node->key, NULL) : at->node->key;
}

static apr_status_t bad(reading_t *r, const place_t *at, const char *what)
{
    return mdm_fail(r->ctx, MDM_EINPUT, "%s: %s", path_of(at, r->ctx->pool), what);
}

static mdm_reference_e kind_of(const char *text, apr_size_t len)
{
    static const struct { const char *name; mdm_reference_e kind; } kinds[] = {
        { "user", MDM_REFERENCE_USER }, { "device", MDM_REFERENCE_DEVICE }, { "secret", MDM_REFERENCE_SECRET }
    };
    apr_size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i].name) == len && !memcmp(kinds[i].name, text, len))
            return kinds[i].kind;
    }
    return MDM_REFERENCE_UNSET;
}

/* @param text what stands between the braces */
static apr_status_t read_reference(mdm_reference_t **out, reading_t *r, const place_t *at, const char *text,
                                   apr_size_t len)
{
    apr_pool_t *p = r->ctx->pool;
    const char *dot = memchr(text, '.', len);
    mdm_reference_t *made = apr_pcalloc(p, sizeof(*made));
    char *name;
    apr_size_t n;

    made->kind = dot ? kind_of(text, (apr_size_t)(dot - text)) : MDM_REFERENCE_UNSET;
    if (made->kind == MDM_REFERENCE_UNSET)
        return bad(r, at, apr_psprintf(p, "there is no ${%.*s}: a reference is ${user.NAME}, ${device.NAME} or "
                                       "${secret.NAME}; " REMEDY, (int)(len < 80 ? len : 80), text));
    name = apr_pstrmemdup(p, dot + 1, len - (apr_size_t)(dot + 1 - text));
    n = strlen(name);
    if (made->kind == MDM_REFERENCE_SECRET && n > strlen(DATA) && !strcmp(name + n - strlen(DATA), DATA)) {
        name[n - strlen(DATA)] = '\0';
        made->data = 1;
    }
    if (!*name || strlen(name) > MDM_TEMPLATE_NAME_MAX || strspn(name, NAME_CHARACTERS) != strlen(name))
        return bad(r, at, apr_psprintf(p, "${%.*s}: a name has 1 to %d letters, digits and . _ -",
                                       (int)(len < 80 ? len : 80), text, MDM_TEMPLATE_NAME_MAX));
    made->name = name;
    made->path = path_of(at, p);
    *out = made;
    return APR_SUCCESS;
}

static void add_text(apr_array_header_t *parts, const char *text, apr_size_t len)
{
    mdm_template_part_t *part;

    if (!len)
        return;
    part = apr_array_push(parts);
    part->text.data = (const unsigned char *)text;
    part->text.len = len;
    part->reference = NULL;
}

static apr_status_t add_reference(apr_array_header_t *parts, reading_t *r, const place_t *at, const char *text,
                                  apr_size_t len)
{
    mdm_reference_t *reference = NULL;
    mdm_template_part_t *part;
    apr_status_t rv;

    if (r->t->references->nelts == MDM_TEMPLATE_REFERENCES_MAX)
        return mdm_fail(r->ctx, MDM_ETOOBIG, "a profile has at most %d references", MDM_TEMPLATE_REFERENCES_MAX);
    if ((rv = read_reference(&reference, r, at, text, len)) != APR_SUCCESS)
        return rv;
    part = apr_array_push(parts);
    part->text = mdm_bytes_of("");
    part->reference = reference;
    APR_ARRAY_PUSH(r->t->references, const mdm_reference_t *) = reference;
    return APR_SUCCESS;
}

static const mdm_template_spot_t *make_spot(reading_t *r, const mdm_plist_t *node, apr_array_header_t *inner,
                                            apr_array_header_t *parts)
{
    mdm_template_spot_t *spot = apr_pcalloc(r->ctx->pool, sizeof(*spot));

    spot->node = node;
    spot->inner = inner;
    spot->parts = parts;
    return spot;
}

static int is_data(const mdm_template_part_t *part)
{
    return part->reference && part->reference->data;
}

static apr_status_t read_text(const mdm_template_spot_t **out, reading_t *r, const place_t *at)
{
    const char *text = (const char *)at->node->bytes.data, *from = text, *found = strstr(text, "${");
    apr_array_header_t *parts;
    apr_status_t rv;
    int i;

    if (!found)
        return APR_SUCCESS;
    parts = apr_array_make(r->ctx->pool, 2, sizeof(mdm_template_part_t));
    for (; found; found = strstr(from, "${")) {
        const char *end;
        int plain = found > from && found[-1] == '$';

        add_text(parts, from, (apr_size_t)(found - from) - (plain ? 1 : 0));
        if (plain) {
            add_text(parts, found, 2);
            from = found + 2;
            continue;
        }
        if (!(end = strchr(found, '}')))
            return bad(r, at, "a reference ${ has no end }: " REMEDY);
        if ((rv = add_reference(parts, r, at, found + 2, (apr_size_t)(end - found - 2))) != APR_SUCCESS)
            return rv;
        from = end + 1;
    }
    add_text(parts, from, strlen(from));
    for (i = 0; parts->nelts > 1 && i < parts->nelts; i++) {
        if (is_data(&APR_ARRAY_IDX(parts, i, mdm_template_part_t)))
            return bad(r, at, "a reference with :data is the whole text, with nothing before or behind it");
    }
    *out = make_spot(r, at->node, NULL, parts);
    return APR_SUCCESS;
}

static apr_status_t read_node(const mdm_template_spot_t **out, reading_t *r, const place_t *at);

static apr_status_t read_container(const mdm_template_spot_t **out, reading_t *r, const place_t *at)
{
    place_t below = { at, at->node->first, 0, at->depth + 1 };
    apr_array_header_t *inner = NULL;

    if (at->depth == MDM_PLIST_MAX_DEPTH)
        return mdm_fail(r->ctx, MDM_EPLIST, "the profile has too many levels");
    for (; below.node; below.node = below.node->next, below.index++) {
        const mdm_template_spot_t *spot = NULL;
        apr_status_t rv;

        if (below.node->key && strstr(below.node->key, "${"))
            return bad(r, &below, "a reference stands in a value, not in the name of a key");
        if ((rv = read_node(&spot, r, &below)) != APR_SUCCESS)
            return rv;
        if (spot && !inner)
            inner = apr_array_make(r->ctx->pool, 2, sizeof(spot));
        if (spot)
            APR_ARRAY_PUSH(inner, const mdm_template_spot_t *) = spot;
    }
    if (inner)
        *out = make_spot(r, at->node, inner, NULL);
    return APR_SUCCESS;
}

static apr_status_t read_node(const mdm_template_spot_t **out, reading_t *r, const place_t *at)
{
    if (at->node->type == MDM_PLIST_STRING)
        return read_text(out, r, at);
    if (at->node->type == MDM_PLIST_DICT || at->node->type == MDM_PLIST_ARRAY)
        return read_container(out, r, at);
    return APR_SUCCESS;
}

/* ---- what it asks for */

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const apr_array_header_t *names_of(const mdm_template_t *t, mdm_reference_e kind, int facts, apr_pool_t *p)
{
    apr_array_header_t *all = apr_array_make(p, 4, sizeof(const char *)), *once;
    int i;

    for (i = 0; i < t->references->nelts; i++) {
        const mdm_reference_t *one = APR_ARRAY_IDX(t->references, i, const mdm_reference_t *);
        const char *name = one->kind != kind ? NULL : facts ? mdm_template_fact(one->name) : one->name;

        if (name)
            APR_ARRAY_PUSH(all, const char *) = name;
    }
    qsort(all->elts, (size_t)all->nelts, sizeof(const char *), compare);
    once = apr_array_make(p, all->nelts + 1, sizeof(const char *));
    for (i = 0; i < all->nelts; i++) {
        const char *name = APR_ARRAY_IDX(all, i, const char *);

        if (!i || strcmp(name, APR_ARRAY_IDX(all, i - 1, const char *)))
            APR_ARRAY_PUSH(once, const char *) = name;
    }
    return once;
}

apr_status_t mdm_template_of(mdm_template_t **out, mdm_ctx_t *ctx, apr_int64_t profile, const mdm_plist_t *tree)
{
    mdm_template_t *t = apr_pcalloc(ctx->pool, sizeof(*t));
    reading_t r = { ctx, t };
    place_t top = { NULL, tree, 0, 0 };
    apr_status_t rv;

    if (!tree || tree->type != MDM_PLIST_DICT)
        return mdm_fail(ctx, MDM_EPLIST, "a profile is a dictionary");
    t->profile = profile;
    t->root = tree;
    t->references = apr_array_make(ctx->pool, 4, sizeof(const mdm_reference_t *));
    if ((rv = read_node(&t->top, &r, &top)) != APR_SUCCESS)
        return rv;
    t->uses.user = names_of(t, MDM_REFERENCE_USER, 0, ctx->pool);
    t->uses.device = names_of(t, MDM_REFERENCE_DEVICE, 0, ctx->pool);
    t->uses.facts = names_of(t, MDM_REFERENCE_DEVICE, 1, ctx->pool);
    t->uses.secrets = names_of(t, MDM_REFERENCE_SECRET, 0, ctx->pool);
    *out = t;
    return APR_SUCCESS;
}

apr_status_t mdm_template_read(mdm_template_t **out, mdm_ctx_t *ctx, apr_int64_t profile, mdm_bytes_t body)
{
    mdm_plist_t *tree;
    apr_status_t rv = mdm_plist_read(&tree, ctx, body);

    return rv == APR_SUCCESS ? mdm_template_of(out, ctx, profile, tree) : rv;
}

const apr_array_header_t *mdm_template_references(const mdm_template_t *t)
{
    return t->references;
}

const mdm_template_uses_t *mdm_template_uses(const mdm_template_t *t)
{
    return &t->uses;
}

int mdm_template_depends(const mdm_template_t *t)
{
    return t->uses.user->nelts || t->uses.device->nelts;
}

/* ---- what only a save asks */

static int is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (!strcmp(name, *names))
            return 1;
    }
    return 0;
}

/* @return the key of a payload's own, "Password" of "PayloadContent[0].Password"; NULL: it is not one of a payload */
static const char *key_of_payload(const char *path)
{
    static const char content[] = "PayloadContent[";
    const char *end;

    if (strncmp(path, content, sizeof(content) - 1))
        return NULL;
    end = path + sizeof(content) - 1 + strspn(path + sizeof(content) - 1, "0123456789");
    return *end ? end + 1 + (end[1] == '.') : end;
}

static const char *misplaced(const mdm_reference_t *one)
{
    static const char *const fixed[] = { "PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadUUID",
                                         "PayloadScope", NULL };
    static const char *const listed[] = { "PayloadDisplayName", "PayloadDescription", "PayloadOrganization", NULL };
    const char *key = key_of_payload(one->path);

    if (is_one_of(key ? key : one->path, fixed))
        return "this key is the same for everybody: write it without a reference";
    if (one->kind != MDM_REFERENCE_SECRET)
        return NULL;
    if (!key)
        return "a secret stands within a payload only, since what is beside them goes out unencrypted";
    return is_one_of(key, listed) ? "devices show this key in lists of their profiles: keep secrets out of it" : NULL;
}

apr_status_t mdm_template_check(mdm_ctx_t *ctx, const mdm_template_t *t)
{
    int i;

    for (i = 0; i < t->references->nelts; i++) {
        const mdm_reference_t *one = APR_ARRAY_IDX(t->references, i, const mdm_reference_t *);
        const char *wrong = misplaced(one);

        if (wrong)
            return mdm_fail(ctx, MDM_EINPUT, "%s: %s", one->path, wrong);
        if (one->kind == MDM_REFERENCE_DEVICE && !mdm_template_is_device(one->name))
            return mdm_fail(ctx, MDM_EINPUT, "%s: no device has ${device.%s}: there are " MDM_TEMPLATE_DEVICE_NAMES
                            ", what DeviceInformation tells (such as WiFiMAC) and SecurityInfo.NAME; not what "
                            "changes all the time", one->path, one->name);
    }
    return APR_SUCCESS;
}
