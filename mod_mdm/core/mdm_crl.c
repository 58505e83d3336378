/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the revocation lists: hand out the kept one while it is fresh, else make its successor. And revoking:
 * each in the transaction of its cause, with its event. Any thread; the row of a CRL is what nodes queue on.
 */
#include <ctype.h>

#include <apr_strings.h>

#include "mdm_crl.h"
#include "mdm_pki_crl.h"

#define SKEW apr_time_from_sec(300) /* between the clocks of nodes */

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_authority_t *authority;
    mdm_crl_row_t *row;
} renewal_t;

/*
 * A list is replaced at half of its life, so that a client always finds one with half of it to go. One from the future
 * was made by a clock that was wrong, and nobody takes it.
 */
static int is_fresh(const mdm_crl_row_t *row, apr_time_t now)
{
    return row->number > 0 && !row->stale && row->this_update <= now + SKEW
        && now < row->this_update + (row->next_update - row->this_update) / 2;
}

static apr_status_t add_entries(apr_array_header_t *entries, mdm_store_t *st, const char *issuer,
                                apr_time_t not_after)
{
    apr_array_header_t *revoked;
    apr_status_t rv = mdm_store_crl_entries(&revoked, st, issuer, not_after);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < revoked->nelts; i++) {
        const mdm_revoked_t *one = &APR_ARRAY_IDX(revoked, i, mdm_revoked_t);
        mdm_crl_entry_t *entry = &APR_ARRAY_PUSH(entries, mdm_crl_entry_t);

        entry->serial = one->serial;
        entry->at = one->at;
        entry->reason = one->reason;
    }
    return rv;
}

/* A certificate that ends stays until a list has been made after its end (RFC 5280 3.3). */
static apr_status_t list_revoked(apr_array_header_t **entries, const renewal_t *r, apr_time_t now)
{
    apr_time_t not_after = now - r->site->crl_lifetime;
    apr_status_t rv;

    *entries = apr_array_make(r->st->ctx->pool, 16, sizeof(mdm_crl_entry_t));
    rv = add_entries(*entries, r->st, r->authority->fingerprint, not_after);
    if (rv == APR_SUCCESS && r->authority == APR_ARRAY_IDX(r->site->authorities, 0, const mdm_authority_t *))
        rv = add_entries(*entries, r->st, NULL, not_after);
    return rv;
}

static apr_status_t make_successor(renewal_t *r, apr_int64_t number)
{
    mdm_ctx_t *ctx = r->st->ctx;
    apr_time_t now = apr_time_from_sec(apr_time_sec(mdm_ctx_now(ctx)));
    mdm_crl_how_t how = { r->authority->cert, r->authority->key, number, now, now + r->site->crl_lifetime, NULL };
    mdm_crl_row_t *fresh = apr_pcalloc(ctx->pool, sizeof(*fresh));
    apr_array_header_t *entries;
    apr_status_t rv = list_revoked(&entries, r, now);

    if (rv != APR_SUCCESS)
        return rv;
    how.entries = entries;
    if ((rv = mdm_crl_make(&fresh->der, ctx, &how)) != APR_SUCCESS)
        return rv;
    fresh->issuer = r->authority->fingerprint;
    fresh->number = number;
    fresh->this_update = how.this_update;
    fresh->next_update = how.next_update;
    r->row = fresh;
    return mdm_store_crl_put(r->st, fresh);
}

static apr_status_t renew(void *baton, mdm_db_t *db)
{
    renewal_t *r = baton;
    const char *issuer = r->authority->fingerprint;
    apr_int64_t number = 0;
    apr_status_t rv;

    (void)db;
    rv = mdm_store_crl_get(&r->row, r->st, issuer);
    if (rv == MDM_ENOTFOUND)
        rv = mdm_store_crl_open(r->st, issuer);
    else if (rv == APR_SUCCESS && is_fresh(r->row, mdm_ctx_now(r->st->ctx)))
        return rv;
    else if (rv == APR_SUCCESS)
        number = r->row->number;
    if (rv == APR_SUCCESS)
        rv = mdm_store_crl_claim(r->st, issuer, number);
    if (rv == MDM_EEXIST)
        return mdm_store_crl_get(&r->row, r->st, issuer);
    return rv == APR_SUCCESS ? make_successor(r, number + 1) : rv;
}

apr_status_t mdm_crl_get_row(mdm_crl_row_t **out, mdm_store_t *st, const mdm_site_t *site,
                             const mdm_authority_t *authority)
{
    renewal_t r = { st, site, authority, NULL };
    apr_status_t rv = mdm_store_crl_get(&r.row, st, authority->fingerprint);

    if (rv == MDM_ENOTFOUND || (rv == APR_SUCCESS && !is_fresh(r.row, mdm_ctx_now(st->ctx)))) {
        rv = mdm_db_transact(st->db, renew, &r);
        if (rv == APR_SUCCESS)
            mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0730) "CRL %" APR_INT64_T_FMT " of CA %.16s... "
                    "is in force", r.row->number, authority->fingerprint);
    }
    *out = r.row;
    return rv;
}

apr_status_t mdm_crl_get(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                         const mdm_authority_t *authority)
{
    mdm_crl_row_t *row;
    apr_status_t rv = mdm_crl_get_row(&row, st, site, authority);

    if (rv == APR_SUCCESS)
        *der = row->der;
    return rv;
}

typedef struct {
    mdm_store_t *st;
    const char *serial, *reason, *actor, *source;
} revocation_t;

static apr_status_t revoke_one(void *baton, mdm_db_t *db)
{
    const revocation_t *r = baton;
    mdm_certificate_t *c;
    apr_status_t rv = mdm_store_certificate_by_serial(&c, r->st, r->serial);

    (void)db;
    if (rv == APR_SUCCESS && c->revoked_at)
        return mdm_fail(r->st->ctx, MDM_EEXIST, "certificate %s is revoked already: %s", c->serial,
                        c->revoked_reason ? c->revoked_reason : "no reason");
    if (rv == APR_SUCCESS)
        rv = mdm_store_certificate_revoke(r->st, r->serial, r->reason);
    if (rv == APR_SUCCESS)
        rv = mdm_store_crl_stale(r->st);
    return rv == APR_SUCCESS ? mdm_store_event(r->st, "certificate.revoked", r->actor, r->source,
                                               c->enrollment_id, c->serial, r->reason) : rv;
}

const char *mdm_crl_serial(mdm_ctx_t *ctx, const char *text)
{
    char *plain = apr_palloc(ctx->pool, strlen(text) + 1), *to = plain;

    for (; *text; text++) {
        if (*text != ':')
            *to++ = (char)tolower((unsigned char)*text);
    }
    *to = '\0';
    return plain;
}

apr_status_t mdm_crl_revoke(mdm_store_t *st, const char *serial, const char *reason, const char *actor,
                            const char *source)
{
    revocation_t r = { st, mdm_crl_serial(st->ctx, serial), reason ? reason : "unspecified", actor, source };
    apr_status_t rv;

    if (mdm_crl_reason(r.reason) < 0)
        return mdm_fail(st->ctx, MDM_EINPUT, "the reason of a revocation is one of " MDM_CRL_REASONS);
    rv = mdm_db_transact(st->db, revoke_one, &r);
    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0731) "certificate %s is revoked by %s: %s", r.serial,
                actor, r.reason);
    return rv;
}

static apr_status_t tell(mdm_store_t *st, const mdm_crl_cause_t *cause, int count, const char *reason)
{
    apr_status_t rv = count ? mdm_store_crl_stale(st) : APR_SUCCESS;

    if (!count || rv != APR_SUCCESS)
        return rv;
    return mdm_store_event(st, "certificate.revoked", cause->actor, cause->source, cause->enrollment_id, NULL,
                           apr_psprintf(st->ctx->pool, "%s (certificates: %d)", reason, count));
}

apr_status_t mdm_crl_revoke_enrollment(mdm_store_t *st, const mdm_crl_cause_t *cause, const char *reason)
{
    int count = 0;
    apr_status_t rv = mdm_store_certificate_revoke_all(&count, st, cause->enrollment, reason);

    return rv == APR_SUCCESS ? tell(st, cause, count, reason) : rv;
}

apr_status_t mdm_crl_supersede(mdm_store_t *st, const mdm_crl_cause_t *cause, const char *fingerprint)
{
    int count = 0;
    apr_status_t rv = mdm_store_certificate_supersede(&count, st, cause->enrollment, fingerprint);

    return rv == APR_SUCCESS ? tell(st, cause, count, "superseded") : rv;
}
