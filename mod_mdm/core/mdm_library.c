/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of the library: save, restore, archive. Called by the API, in any request thread. Each is one transaction
 * that may run again when it loses against another, so that all it needs is read within it.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_json_plist.h"
#include "mdm_library_parts.h"
#include "mdm_payload_json.h"
#include "mdm_refusal.h"

typedef struct {
    mdm_library_saved_t *saved;
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_library_request_t *request;
    int dry;
    mdm_profile_row_t *before;    /* the profile as it is; NULL: there is none */
    const char *note;
    mdm_plist_t *tree;
    mdm_template_t *template;
    const char *identifier;
} work_t;

static apr_status_t note(mdm_store_t *st, const mdm_library_request_t *request, const char *kind, int version)
{
    return mdm_store_event(st, kind, request->actor, request->source_ip, NULL, request->name,
                           apr_psprintf(st->ctx->pool, "version %d", version));
}

static apr_status_t note_change(mdm_store_t *st, const mdm_library_request_t *request, apr_int64_t profile)
{
    return mdm_store_change_add(st, MDM_CHANGE_PROFILE, apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT, profile),
                                request->actor);
}

/* ---- reading */

static apr_status_t find(mdm_profile_row_t **out, work_t *w)
{
    apr_status_t rv = mdm_store_profile_get(out, w->st, w->request->name);

    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(w->st->ctx);
    *out = NULL;
    return APR_SUCCESS;
}

static apr_status_t from_json(work_t *w)
{
    mdm_ctx_t *ctx = w->st->ctx;
    json_t *json;
    const json_t *text;
    apr_status_t rv = mdm_json_read(&json, ctx, w->request->body);

    if (rv != APR_SUCCESS)
        return rv;
    if ((text = json_object_get(json, "note"))) {
        if (!json_is_string(text))
            return mdm_fail(ctx, MDM_EINPUT, "note must be a text, not %s", mdm_json_kind(text));
        w->note = apr_pstrdup(ctx->pool, json_string_value(text));
        json_object_del(json, "note");
    }
    return mdm_payload_from_json(&w->tree, ctx, json);
}

static apr_status_t identify(work_t *w)
{
    mdm_ctx_t *ctx = w->st->ctx;
    const mdm_plist_t *item = mdm_plist_get(w->tree, "PayloadIdentifier");

    if (item && item->type != MDM_PLIST_STRING)
        return mdm_fail(ctx, MDM_EINPUT, "PayloadIdentifier must be a string");
    w->identifier = item ? (const char *)item->bytes.data : w->before ? w->before->identifier
        : mdm_library_own_identifier(w->site, w->request->name, ctx->pool);
    if (!w->before)
        return mdm_library_identifier(ctx, w->site, w->request->name, w->identifier);
    if (strcmp(w->identifier, w->before->identifier))
        return mdm_fail(ctx, MDM_EEXIST, "the profile %s has the PayloadIdentifier %s for good, and this one has %s: "
                        "change it there, or save it under another name", w->before->name, w->before->identifier,
                        w->identifier);
    return APR_SUCCESS;
}

static apr_status_t read_profile(work_t *w)
{
    mdm_ctx_t *ctx = w->st->ctx;
    apr_status_t rv;

    w->note = w->request->note;
    rv = w->request->json ? from_json(w) : mdm_library_open(&w->tree, ctx, w->request->body);
    if (rv == APR_SUCCESS)
        rv = identify(w);
    if (rv == APR_SUCCESS && w->note
        && (strlen(w->note) > MDM_LIBRARY_NOTE_MAX || !mdm_utf8_valid(mdm_bytes_of(w->note))))
        return mdm_fail(ctx, MDM_EINPUT, "note must be UTF-8 text of at most %d bytes", MDM_LIBRARY_NOTE_MAX);
    return rv == APR_SUCCESS ? mdm_library_normalise(w->tree, ctx, w->identifier) : rv;
}

/* ---- saving */

/* Another profile with this identifier: in the way, or one that was archived and comes back. */
static apr_status_t find_namesake(work_t *w, int *archived)
{
    mdm_ctx_t *ctx = w->st->ctx;
    mdm_profile_row_t *other;
    apr_status_t rv = mdm_store_profile_by_identifier(&other, w->st, w->identifier);

    *archived = 0;
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(ctx);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS)
        return rv;
    if (!other->archived_at)
        return mdm_fail(ctx, MDM_EEXIST, "the profile %s has the PayloadIdentifier %s already: save this one under "
                        "that name, or change its PayloadIdentifier", other->name, w->identifier);
    *archived = 1;
    w->before = other;
    return APR_SUCCESS;
}

/* What tells equal bodies from others. Keyed: somebody with the database alone could try passwords against a hash. */
static apr_status_t hmac_of(const char **hex, mdm_store_t *st, mdm_bytes_t body)
{
    unsigned char mac[MDM_SHA256_LEN];
    mdm_bytes_t bytes = { mac, sizeof(mac) };

    if (!st->seal)
        return mdm_fail(st->ctx, MDM_ECONFIG, "a profile needs the sealing key");
    if (mdm_seal_mac(mac, st->seal, body) != APR_SUCCESS)
        return mdm_fail(st->ctx, MDM_ECRYPTO, "no HMAC for a profile");
    *hex = mdm_hex_encode(bytes, st->ctx->pool);
    return APR_SUCCESS;
}

static apr_status_t make_version(mdm_profile_version_t *version, work_t *w, apr_int64_t profile)
{
    mdm_ctx_t *ctx = w->st->ctx;
    apr_status_t rv = mdm_library_write(&version->body, ctx, w->tree);

    if (rv != APR_SUCCESS)
        return rv;
    version->profile = profile;
    if ((rv = hmac_of(&version->sha256, w->st, version->body)) != APR_SUCCESS)
        return rv;
    version->note = w->note && *w->note ? w->note : NULL;
    version->created_by = w->request->actor;
    version->created_at = mdm_ctx_now(ctx);
    if ((rv = mdm_template_of(&w->template, ctx, profile, w->tree)) == APR_SUCCESS)
        rv = mdm_library_judge(&w->saved->findings, w->st, w->tree, w->template, w->dry);
    if (rv == APR_SUCCESS)
        version->detail = mdm_library_detail(ctx, w->tree, w->template, w->saved->findings);
    return rv;
}

static apr_status_t store_version(work_t *w, const mdm_profile_version_t *version)
{
    const apr_array_header_t *secrets = mdm_template_uses(w->template)->secrets;
    const apr_array_header_t *facts = mdm_template_uses(w->template)->facts;
    apr_status_t rv = mdm_store_profile_version_insert(w->st, version);

    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_secrets(w->st, version->profile, version->version, (const char *const *)secrets->elts,
                                       secrets->nelts);
    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_watch(w->st, version->profile, (const char *const *)facts->elts, facts->nelts);
    return rv;
}

/* A profile that comes back: any of its versions may become current or pinned again. */
static apr_status_t watch_again(work_t *w, apr_int64_t profile, int last)
{
    apr_status_t rv = APR_SUCCESS;
    int n;

    for (n = 1; rv == APR_SUCCESS && n <= last; n++) {
        const apr_array_header_t *facts;
        mdm_template_t *t;

        if ((rv = mdm_library_template(&t, w->st, profile, n)) != APR_SUCCESS || !t)
            continue;
        facts = mdm_template_uses(t)->facts;
        rv = mdm_store_profile_watch(w->st, profile, (const char *const *)facts->elts, facts->nelts);
    }
    return rv;
}

static const char *scope_of(const mdm_plist_t *tree)
{
    const char *scope = mdm_plist_get_string(tree, "PayloadScope");

    return scope ? scope : "System";
}

static mdm_profile_row_t *row_of(const work_t *w)
{
    mdm_profile_row_t *row = apr_pcalloc(w->st->ctx->pool, sizeof(*row));

    if (w->before)
        *row = *w->before;
    else {
        row->id = mdm_id_next();
        row->identifier = w->identifier;
        row->created_by = w->request->actor;
        row->created_at = mdm_ctx_now(w->st->ctx);
    }
    row->archived_at = 0;
    row->name = w->request->name;
    row->scope = scope_of(w->tree);
    row->changed_at = mdm_ctx_now(w->st->ctx);
    return row;
}

static apr_status_t store(work_t *w, mdm_profile_row_t *row, mdm_profile_version_t *version)
{
    mdm_store_t *st = w->st;
    int is_new = w->saved->outcome == MDM_LIBRARY_NEW;
    apr_status_t rv = store_version(w, version);

    if (rv == APR_SUCCESS && w->before && is_new)
        rv = watch_again(w, row->id, version->version - 1);
    if (rv == APR_SUCCESS)
        rv = w->before ? mdm_store_profile_update(st, row, w->before) : mdm_store_profile_insert(st, row);
    if (rv == APR_SUCCESS)
        rv = note(st, w->request, is_new ? "profile.created" : "profile.saved", version->version);
    if (rv == APR_SUCCESS && w->before)
        rv = note_change(st, w->request, row->id);
    return rv;
}

/* The same as the current version: the row that is there is the answer. One that does not open is to be saved anew. */
static apr_status_t compare(int *same, work_t *w, const mdm_profile_version_t *version)
{
    apr_status_t rv = mdm_store_profile_version_get(&w->saved->version, w->st, w->before->id, w->before->version);

    *same = rv == APR_SUCCESS && !strcmp(w->saved->version->sha256, version->sha256);
    if (rv != MDM_ECRYPTO)
        return rv;
    mdm_ctx_clear(w->st->ctx);
    return APR_SUCCESS;
}

static apr_status_t save(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_library_saved_t *saved = w->saved;
    mdm_profile_version_t *version = apr_pcalloc(w->st->ctx->pool, sizeof(*version));
    mdm_profile_row_t *row;
    int same = 0, archived = 0, last = 0;
    apr_status_t rv;

    (void)db;
    memset(saved, 0, sizeof(*saved));
    if ((rv = find(&w->before, w)) != APR_SUCCESS || (rv = read_profile(w)) != APR_SUCCESS
        || (!w->before && (rv = find_namesake(w, &archived)) != APR_SUCCESS))
        return rv;
    row = row_of(w);
    if ((rv = make_version(version, w, row->id)) != APR_SUCCESS)
        return rv;
    if (w->before && !archived && (rv = compare(&same, w, version)) != APR_SUCCESS)
        return rv;
    saved->profile = same ? w->before : row;
    if (!same && w->before)
        rv = mdm_store_profile_version_last(&last, w->st, row->id);
    if (rv == APR_SUCCESS && w->before)
        rv = mdm_store_profile_enrollments(&saved->enrollments, w->st, row->id);
    if (rv != APR_SUCCESS || same)
        return rv;
    saved->outcome = w->before && !archived ? MDM_LIBRARY_CHANGED : MDM_LIBRARY_NEW;
    row->version = version->version = last + 1;
    saved->version = version;
    return w->dry ? APR_SUCCESS : store(w, row, version);
}

/* Not in the transaction, which keeps others out meanwhile. What was saved stays so if this cannot be done. */
static void judge_devices(mdm_library_saved_t *saved, mdm_store_t *st)
{
    apr_status_t rv = mdm_judge_profile(&saved->notes, st, saved->profile, saved->version->body);

    if (rv == APR_SUCCESS)
        return;
    mdm_judge_note(saved->notes, MDM_FINDING_WARN, apr_pstrcat(st->ctx->pool, "the devices that are to have it could "
                   "not be looked at: ", mdm_ctx_reason(st->ctx, rv), NULL), st->ctx->pool);
    mdm_ctx_clear(st->ctx);
}

static apr_status_t run(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_site_t *site,
                        const mdm_library_request_t *request, int dry)
{
    work_t w = { 0 };
    apr_status_t rv = mdm_library_name(st->ctx, "profile", request->name);

    memset(saved, 0, sizeof(*saved));
    if (rv != APR_SUCCESS)
        return rv;
    w.saved = saved;
    w.st = st;
    w.site = site;
    w.request = request;
    w.dry = dry;
    rv = dry ? save(&w, st->db) : mdm_db_transact(st->db, save, &w);
    if (rv == APR_SUCCESS)
        judge_devices(saved, st);
    return mdm_refusal_of(st->ctx, rv, "profile", request->name);
}

apr_status_t mdm_library_save(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_site_t *site,
                              const mdm_library_request_t *request)
{
    return run(saved, st, site, request, 0);
}

apr_status_t mdm_library_check(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_site_t *site,
                               const mdm_library_request_t *request)
{
    return run(saved, st, site, request, 1);
}

/* ---- restoring */

static apr_status_t restore(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_store_t *st = w->st;
    mdm_profile_row_t *row, as;
    mdm_template_t *t;
    apr_status_t rv = mdm_store_profile_get(&row, st, w->request->name);

    (void)db;
    memset(w->saved, 0, sizeof(*w->saved));
    if (rv != APR_SUCCESS)
        return rv;
    as = *row;
    w->saved->outcome = row->version == w->request->version ? MDM_LIBRARY_SAME : MDM_LIBRARY_CHANGED;
    w->saved->profile = row;
    if ((rv = mdm_store_profile_version_get(&w->saved->version, st, row->id, w->request->version)) != APR_SUCCESS
        || (rv = mdm_store_profile_enrollments(&w->saved->enrollments, st, row->id)) != APR_SUCCESS
        || w->saved->outcome == MDM_LIBRARY_SAME)
        return rv;
    if ((rv = mdm_plist_read(&w->tree, st->ctx, w->saved->version->body)) != APR_SUCCESS
        || (rv = mdm_template_of(&t, st->ctx, row->id, w->tree)) != APR_SUCCESS
        || (rv = mdm_library_secrets(st, t, 0)) != APR_SUCCESS)
        return rv;
    row->version = w->request->version;
    row->scope = scope_of(w->tree);
    row->changed_at = mdm_ctx_now(st->ctx);
    if ((rv = mdm_store_profile_update(st, row, &as)) == APR_SUCCESS)
        rv = note(st, w->request, "profile.restored", row->version);
    return rv == APR_SUCCESS ? note_change(st, w->request, row->id) : rv;
}

apr_status_t mdm_library_restore(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_library_request_t *request)
{
    work_t w = { 0 };
    apr_status_t rv;

    memset(saved, 0, sizeof(*saved));
    w.saved = saved;
    w.st = st;
    w.request = request;
    rv = mdm_db_transact(st->db, restore, &w);
    if (rv == APR_SUCCESS)
        judge_devices(saved, st);
    return saved->profile ? mdm_refusal_of(st->ctx, rv, "profile", request->name) : rv;
}

/* ---- archiving */

static apr_status_t archive(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_store_t *st = w->st;
    apr_status_t rv = mdm_store_profile_get(&w->saved->profile, st, w->request->name);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_enrollments(&w->saved->enrollments, st, w->saved->profile->id);
    /* first, so that an assignment that is being saved is seen, and a later one finds nothing to hold */
    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_archive(st, w->saved->profile->id, w->request->name);
    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_unassign(&w->saved->assignments, st, w->saved->profile->id);
    if (rv == APR_SUCCESS)
        rv = note(st, w->request, "profile.archived", w->saved->profile->version);
    return rv == APR_SUCCESS ? note_change(st, w->request, w->saved->profile->id) : rv;
}

apr_status_t mdm_library_archive(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_library_request_t *request)
{
    work_t w = { 0 };

    memset(saved, 0, sizeof(*saved));
    w.saved = saved;
    w.st = st;
    w.request = request;
    return mdm_db_transact(st->db, archive, &w);
}
