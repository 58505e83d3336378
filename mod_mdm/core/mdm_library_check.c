/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a save holds a profile against: Apple's tables, the names of users and devices, the secrets there are. Called in
 * the transaction of a save. All findings are gathered, so that an administrator sees them at once.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_library_parts.h"

/* ---- secrets */

static apr_status_t missing_secret(mdm_store_t *st, const mdm_reference_t *one)
{
    return mdm_fail(st->ctx, MDM_EINPUT, "%s: there is no secret %s: make it with PUT v1/secrets/%s first, or mend the "
                    "name", one->path, one->name, one->name);
}

apr_status_t mdm_library_secrets(mdm_store_t *st, const mdm_template_t *t, int dry)
{
    const apr_array_header_t *names = mdm_template_uses(t)->secrets, *all = mdm_template_references(t);
    const char *const *elts = (const char *const *)names->elts;
    apr_array_header_t *closed;
    apr_hash_t *values;
    int i, held = names->nelts;
    apr_status_t rv = APR_SUCCESS;

    if (!names->nelts)
        return APR_SUCCESS;
    if (!dry)
        rv = mdm_store_secret_hold(&held, st, elts, names->nelts);
    if (rv != APR_SUCCESS || (rv = mdm_store_secret_values(&values, &closed, st, elts, names->nelts)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < all->nelts; i++) {
        const mdm_reference_t *one = APR_ARRAY_IDX(all, i, const mdm_reference_t *);
        const mdm_bytes_t *value = apr_hash_get(values, one->name, APR_HASH_KEY_STRING);
        mdm_bytes_t data;

        if (one->kind != MDM_REFERENCE_SECRET)
            continue;
        if (!value)
            return missing_secret(st, one);
        if (!value->data)
            return mdm_fail(st->ctx, MDM_EINPUT, "%s: the secret %s does not open with the sealing key: give it a "
                            "value anew with PUT v1/secrets/%s first", one->path, one->name, one->name);
        if (one->data && mdm_base64_decode(&data, (const char *)value->data, value->len, st->ctx->pool) != APR_SUCCESS)
            return mdm_fail(st->ctx, MDM_EINPUT, "%s: the secret %s is not base64, and :data takes it as that: give it "
                            "a value in base64, or leave :data out", one->path, one->name);
    }
    /* it has got another value since: that one is to be held */
    if (held < names->nelts)
        return mdm_fail(st->ctx, MDM_ECONFLICT, "a secret was changed at the same time");
    return APR_SUCCESS;
}

/* ---- users */

static void warn(apr_array_header_t *findings, const mdm_reference_t *one, const char *text)
{
    mdm_finding_t *finding;
    int n = -1, at = 0;

    finding = apr_array_push(findings);
    memset(finding, 0, sizeof(*finding));
    if (sscanf(one->path, "PayloadContent[%d].%n", &n, &at) != 1)
        n = -1;
    finding->severity = MDM_FINDING_WARN;
    finding->payload = n;
    finding->key = one->path + at;
    finding->text = text;
}

static int is_column(const char *name)
{
    return !strcmp(name, "login") || !strcmp(name, "display_name") || !strcmp(name, "email") || !strcmp(name, "mail");
}

static const mdm_reference_t *first_of(const mdm_template_t *t, const char *name)
{
    const apr_array_header_t *all = mdm_template_references(t);
    const mdm_reference_t *one = NULL;
    int i;

    for (i = 0; i < all->nelts; i++) {
        one = APR_ARRAY_IDX(all, i, const mdm_reference_t *);
        if (one->kind == MDM_REFERENCE_USER && !strcmp(one->name, name))
            break;
    }
    return one;
}

/* Any attribute may come with the next sign-in or import, so that an unknown one is no reason to refuse. */
static apr_status_t look_at_users(apr_array_header_t *findings, mdm_store_t *st, const mdm_template_t *t)
{
    const apr_array_header_t *names = mdm_template_uses(t)->user;
    apr_status_t rv = APR_SUCCESS;
    int i, known;

    for (i = 0; rv == APR_SUCCESS && i < names->nelts && findings->nelts < MDM_FINDINGS_MAX; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const mdm_reference_t *one = first_of(t, name);

        if (is_column(name))
            continue;
        rv = mdm_store_profile_attribute(&known, st, name);
        if (rv == APR_SUCCESS && !known)
            warn(findings, one, apr_psprintf(st->ctx->pool, "%s: no user has an attribute %s so far: devices wait "
                                             "until theirs has; every user has login, display_name and mail",
                                             one->path, name));
    }
    return rv;
}

/* As devices get it: the PayloadUUID is made when the profile is rendered. */
static mdm_plist_t *with_uuid(const mdm_plist_t *tree, apr_pool_t *p)
{
    mdm_plist_t *made = mdm_plist_dict(p);
    const mdm_plist_t *item;

    for (item = tree->first; item; item = item->next) {
        mdm_plist_t *copy = apr_pmemdup(p, item, sizeof(*item));

        copy->next = NULL;
        mdm_plist_append(made, copy);
    }
    mdm_plist_set_string(made, "PayloadUUID", mdm_uuid_of("profile", "", p), p);
    return made;
}

apr_status_t mdm_library_judge(apr_array_header_t **findings, mdm_store_t *st, const mdm_plist_t *tree,
                               const mdm_template_t *t, int dry)
{
    const mdm_finding_t *refusal;
    apr_status_t rv;
    int i, more = 0;

    *findings = mdm_payload_check(st->ctx, with_uuid(tree, st->ctx->pool));
    if ((refusal = mdm_findings_refusal(*findings))) {
        for (i = 0; i < (*findings)->nelts; i++)
            more += APR_ARRAY_IDX(*findings, i, mdm_finding_t).severity == MDM_FINDING_REFUSE;
        return more == 1 ? mdm_fail(st->ctx, MDM_EINPUT, "%s", refusal->text)
            : mdm_fail(st->ctx, MDM_EINPUT, "%s (and %d more)", refusal->text, more - 1);
    }
    if ((rv = mdm_template_check(st->ctx, t)) != APR_SUCCESS || (rv = mdm_library_secrets(st, t, dry)) != APR_SUCCESS)
        return rv;
    return look_at_users(*findings, st, t);
}

/* ---- what is stored */

apr_status_t mdm_library_template(mdm_template_t **out, mdm_store_t *st, apr_int64_t profile, int version)
{
    mdm_profile_version_t *found;
    apr_status_t rv = mdm_store_profile_version_get(&found, st, profile, version);

    *out = NULL;
    if (rv != APR_SUCCESS && rv != MDM_ECRYPTO)
        return rv;
    if (rv != APR_SUCCESS || mdm_template_read(out, st->ctx, profile, found->body) != APR_SUCCESS) {
        mdm_ctx_clear(st->ctx);
        *out = NULL;
    }
    return APR_SUCCESS;
}

/* ---- what is kept of it in the clear */

static json_t *names_json(json_t *list, const char *prefix, const apr_array_header_t *names, apr_pool_t *p)
{
    int i;

    for (i = 0; i < names->nelts; i++)
        json_array_append_new(list, json_string(apr_pstrcat(p, prefix, APR_ARRAY_IDX(names, i, const char *), NULL)));
    return list;
}

const char *mdm_library_detail(mdm_ctx_t *ctx, const mdm_plist_t *tree, const mdm_template_t *t,
                               const apr_array_header_t *findings)
{
    const mdm_template_uses_t *uses = mdm_template_uses(t);
    const mdm_plist_t *payload = mdm_plist_get(tree, "PayloadContent")->first;
    json_t *detail = mdm_json_object(ctx->pool), *types = json_array(), *variables = json_array();

    mdm_json_set_text(detail, "display_name", mdm_plist_get_string(tree, "PayloadDisplayName"));
    mdm_json_set_text(detail, "description", mdm_plist_get_string(tree, "PayloadDescription"));
    mdm_json_set_text(detail, "organization", mdm_plist_get_string(tree, "PayloadOrganization"));
    if (mdm_plist_get_boolean(tree, "PayloadRemovalDisallowed", 0))
        json_object_set_new(detail, "removal_disallowed", json_true());
    for (; payload; payload = payload->next)
        json_array_append_new(types, json_string(mdm_plist_get_string(payload, "PayloadType")));
    json_object_set_new(detail, "types", types);
    names_json(variables, "user.", uses->user, ctx->pool);
    json_object_set_new(detail, "variables", names_json(variables, "device.", uses->device, ctx->pool));
    json_object_set_new(detail, "secrets", names_json(json_array(), "", uses->secrets, ctx->pool));
    json_object_set_new(detail, "warnings", mdm_findings_to_json(findings));
    return mdm_json_compact(detail, ctx->pool);
}
