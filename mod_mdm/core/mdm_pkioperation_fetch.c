/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SCEP clients may fetch: their own certificate (RFC 8894 3.3.4) and the CRL of a CA. Any thread, outside
 * transactions. Who is no holder of a certificate of ours learns of no serial number whether it exists.
 */
#include <string.h>

#include "mdm_crl.h"
#include "mdm_operation.h"

static int is_named(mdm_operation_t *op, const mdm_authority_t *authority)
{
    mdm_bytes_t name = mdm_cert_subject_der(op->st->ctx, authority->cert), wanted = op->request->issuer;

    return name.len && name.len == wanted.len && !memcmp(name.data, wanted.data, name.len);
}

/* The newest CA of this name among those that have begun; around a roll-over two may have the same. */
static const mdm_authority_t *named(mdm_operation_t *op)
{
    const apr_array_header_t *all = op->site->authorities;
    const mdm_authority_t *found = NULL;
    int i;

    for (i = 0; i < all->nelts; i++) {
        const mdm_authority_t *one = APR_ARRAY_IDX(all, i, const mdm_authority_t *);

        if (is_named(op, one)
            && (!found || mdm_cert_not_before(one->cert) <= mdm_ctx_now(op->st->ctx)))
            found = one;
    }
    return found;
}

static apr_status_t not_there(mdm_operation_t *op)
{
    return mdm_operation_refuse(op, MDM_SCEP_BAD_CERT_ID, "there is no such certificate to fetch");
}

apr_status_t mdm_operation_get_cert(mdm_operation_t *op)
{
    mdm_store_t *st = op->st;
    mdm_certificate_t *row;
    apr_status_t rv = mdm_store_certificate_by_fingerprint(&row, st, mdm_cert_fingerprint(st->ctx,
                                                                                         op->request->signer));

    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST,
                                    "the request is not signed by a certificate of this CA");
    }
    if (rv != APR_SUCCESS)
        return rv;
    if (!mdm_operation_in_force(op, row))
        return MDM_EDENIED;
    if (!named(op) || strcmp(row->serial, op->request->serial))
        return not_there(op);
    return mdm_operation_reissue(op, row);
}

apr_status_t mdm_operation_get_crl(mdm_operation_t *op)
{
    mdm_store_t *st = op->st;
    const mdm_authority_t *authority = named(op), *issuer = NULL;
    mdm_certificate_t *row;
    apr_status_t rv;

    if (!authority)
        return mdm_operation_refuse(op, MDM_SCEP_BAD_CERT_ID, "there is no CA of this name here");
    rv = mdm_store_certificate_by_serial(&row, st, op->request->serial);
    if (rv == APR_SUCCESS && row->issuer)
        issuer = mdm_authority_find(op->site, row->issuer);
    if (rv != APR_SUCCESS && rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(st->ctx);
    return mdm_crl_get(&op->crl, st, op->site, issuer ? issuer : authority);
}
