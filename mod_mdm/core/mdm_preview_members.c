/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Previews of groups: those who move are looked at in batches, as the fan-out looks at whom a sweep has marked. Called
 * by the API.
 */
#include <apr_strings.h>

#include "mdm_preview_members.h"
#include "mdm_store_queue.h"

struct mdm_preview_members_t {
    mdm_preview_request_t request;
    mdm_preview_walk_t *walk;
    mdm_catalog_t *catalog;
    apr_int64_t ids[MDM_QUEUE_CHUNK];
    int count;
};

apr_status_t mdm_preview_members_begin(mdm_preview_members_t **out, mdm_store_t *st, apr_int64_t group)
{
    mdm_preview_members_t *m = apr_pcalloc(st->ctx->pool, sizeof(*m));

    *out = m;
    m->request.what = MDM_PREVIEW_MEMBERS;
    m->request.group = group;
    return mdm_preview_begin(&m->walk, &m->catalog, st, &m->request);
}

static apr_status_t flush(mdm_preview_members_t *m)
{
    int count = m->count;

    m->count = 0;
    return count && m->request.group ? mdm_preview_look(m->walk, m->ids, count) : APR_SUCCESS;
}

/* A user channel is in the groups of its device, which has come before it. */
apr_status_t mdm_preview_members_move(void *members, apr_int64_t enrollment, int joins)
{
    mdm_preview_members_t *m = members;
    apr_pool_t *p = m->catalog->ctx->pool;

    apr_hash_set(m->catalog->moves, apr_pmemdup(p, &enrollment, sizeof(enrollment)), sizeof(enrollment),
                 joins ? MDM_CATALOG_JOINS : MDM_CATALOG_LEAVES);
    m->ids[m->count++] = enrollment;
    return m->count == MDM_QUEUE_CHUNK ? flush(m) : APR_SUCCESS;
}

apr_status_t mdm_preview_members_end(mdm_preview_t **out, mdm_preview_members_t *m)
{
    apr_status_t rv = flush(m);

    *out = mdm_preview_found(m->walk);
    return rv;
}
