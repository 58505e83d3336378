/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings about profiles: noted, put in order, shown. Called by the checks and by whoever answers with what they
 * found, any thread.
 */
#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_nearest.h"
#include "mdm_payload_finding.h"

mdm_payload_look_t mdm_payload_look(mdm_ctx_t *ctx)
{
    mdm_payload_look_t look = { ctx, apr_array_make(ctx->pool, 8, sizeof(mdm_finding_t)), -1, NULL };

    return look;
}

static const char *about(const mdm_payload_look_t *look, const char *key)
{
    apr_pool_t *p = look->ctx->pool;
    const char *text = look->payload < 0 ? "" : apr_psprintf(p, "PayloadContent[%d]", look->payload);

    if (look->type)
        text = apr_pstrcat(p, text, " (", mdm_nearest_shown(look->type, p), ")", NULL);
    return !key ? (*text ? text : "the profile") : *text ? apr_pstrcat(p, text, ": ", key, NULL) : key;
}

/* The place for a finding: a refusal takes that of a warning, or the profile would seem to be right. */
static int place_for(const mdm_payload_look_t *look, mdm_finding_e severity)
{
    int i = look->findings->nelts;

    if (i < MDM_FINDINGS_MAX)
        return i;
    while (--i >= 0 && APR_ARRAY_IDX(look->findings, i, mdm_finding_t).severity >= severity)
        ;
    return i;
}

int mdm_payload_has_room(const mdm_payload_look_t *look, mdm_finding_e severity)
{
    return place_for(look, severity) >= 0;
}

void mdm_payload_find(mdm_payload_look_t *look, mdm_finding_e severity, const char *key, const char *fmt, ...)
{
    apr_pool_t *p = look->ctx->pool;
    mdm_finding_t *finding;
    va_list args;
    int place = place_for(look, severity);

    if (place < 0)
        return;
    if (place == look->findings->nelts)
        apr_array_push(look->findings);
    finding = &APR_ARRAY_IDX(look->findings, place, mdm_finding_t);
    finding->severity = severity;
    finding->payload = look->payload;
    finding->type = look->type;
    finding->key = key;
    va_start(args, fmt);
    finding->text = apr_pstrcat(p, about(look, key), ": ", apr_pvsprintf(p, fmt, args), NULL);
    va_end(args);
}

const char *mdm_payload_member(const mdm_payload_look_t *look, const char *path, const char *name)
{
    name = mdm_nearest_shown(name, look->ctx->pool);
    return path ? apr_pstrcat(look->ctx->pool, path, ".", name, NULL) : name;
}

const char *mdm_payload_item(const mdm_payload_look_t *look, const char *path, int n)
{
    return apr_psprintf(look->ctx->pool, "%s[%d]", path, n);
}

static void add_of(apr_array_header_t *out, const apr_array_header_t *in, mdm_finding_e severity)
{
    int i;

    for (i = 0; i < in->nelts; i++) {
        if (APR_ARRAY_IDX(in, i, mdm_finding_t).severity == severity)
            APR_ARRAY_PUSH(out, mdm_finding_t) = APR_ARRAY_IDX(in, i, mdm_finding_t);
    }
}

apr_array_header_t *mdm_payload_found(const mdm_payload_look_t *look)
{
    apr_array_header_t *found = apr_array_make(look->ctx->pool, look->findings->nelts + 1, sizeof(mdm_finding_t));

    add_of(found, look->findings, MDM_FINDING_REFUSE);
    add_of(found, look->findings, MDM_FINDING_WARN);
    return found;
}

const mdm_plist_t *mdm_payload_next(mdm_payload_look_t *look, const mdm_plist_t *profile, const mdm_plist_t *payload)
{
    const mdm_plist_t *content = mdm_plist_get(profile, "PayloadContent");

    if (payload)
        payload = payload->next;
    else if (content && content->type == MDM_PLIST_ARRAY)
        payload = content->first;
    look->payload = payload ? look->payload + 1 : -1;
    look->type = payload ? mdm_plist_get_string(payload, "PayloadType") : NULL;
    return payload;
}

const char *mdm_payload_versions(const char *versions, apr_pool_t *p)
{
    const char *text = "";

    while (versions && *versions) {
        apr_size_t len = strcspn(versions, " ");

        if (versions[1] != '-')
            text = apr_pstrcat(p, text, *text ? ", " : "", mdm_key_system_title(*versions), " ",
                               apr_pstrmemdup(p, versions + 1, len - 1), NULL);
        versions += len + (versions[len] == ' ');
    }
    return text;
}

const mdm_finding_t *mdm_findings_refusal(const apr_array_header_t *findings)
{
    const mdm_finding_t *first = findings->nelts ? &APR_ARRAY_IDX(findings, 0, mdm_finding_t) : NULL;

    return first && first->severity == MDM_FINDING_REFUSE ? first : NULL;
}

json_t *mdm_findings_to_json(const apr_array_header_t *findings)
{
    json_t *json = json_array();
    int i;

    for (i = 0; i < findings->nelts; i++) {
        const mdm_finding_t *f = &APR_ARRAY_IDX(findings, i, mdm_finding_t);
        json_t *one = json_pack("{s:s, s:s}", "severity", f->severity == MDM_FINDING_REFUSE ? "refuse" : "warn",
                                "text", f->text);

        if (f->payload >= 0)
            json_object_set_new(one, "payload", json_integer(f->payload));
        if (f->type)
            json_object_set_new(one, "type", json_string(f->type));
        if (f->key)
            json_object_set_new(one, "key", json_string(f->key));
        json_array_append_new(json, one);
    }
    return json;
}
