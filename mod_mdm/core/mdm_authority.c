/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which CA is meant. Called by SCEP, profiles, CRLs and the status page, any thread; decides by the clock alone,
 * so that a roll-over needs no restart.
 */
#include <string.h>

#include "mdm_authority.h"

static const mdm_authority_t *at(const mdm_site_t *site, int i)
{
    return APR_ARRAY_IDX(site->authorities, i, const mdm_authority_t *);
}

static int present(const mdm_site_t *site, apr_time_t now)
{
    int i = site->authorities->nelts - 1;

    while (i > 0 && mdm_cert_not_before(at(site, i)->cert) > now)
        i--;
    return i;
}

const mdm_authority_t *mdm_authority_present(const mdm_site_t *site, apr_time_t now)
{
    return at(site, present(site, now));
}

const mdm_authority_t *mdm_authority_next(const mdm_site_t *site, apr_time_t now)
{
    int i = present(site, now) + 1;

    return i < site->authorities->nelts ? at(site, i) : NULL;
}

const mdm_authority_t *mdm_authority_find(const mdm_site_t *site, const char *fingerprint)
{
    int i;

    for (i = 0; i < site->authorities->nelts; i++) {
        if (!strcmp(at(site, i)->fingerprint, fingerprint))
            return at(site, i);
    }
    return NULL;
}

mdm_scep_server_t mdm_authority_scep_server(const mdm_site_t *site, apr_time_t now, apr_pool_t *p)
{
    int first = present(site, now), count = 0, i;
    mdm_scep_party_t *parties = apr_palloc(p, sizeof(*parties) * (apr_size_t)(site->authorities->nelts + 1));
    mdm_scep_server_t server = { parties, 0, site->scep_legacy };

    if (site->ra) {
        parties[count].cert = site->ra;
        parties[count++].key = site->ra_key;
    } else {
        for (i = 0; i < site->authorities->nelts; i++) {
            const mdm_authority_t *authority = at(site, (first + i) % site->authorities->nelts);

            parties[count].cert = authority->cert;
            parties[count++].key = authority->key;
        }
    }
    server.count = count;
    return server;
}
