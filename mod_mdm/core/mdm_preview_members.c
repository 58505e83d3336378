/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Previews of groups: those who move, and the user channels of devices that do, are looked at in batches, as the
 * fan-out looks at whom a sweep has marked. Called by the API.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_preview_members.h"
#include "mdm_store_queue.h"

struct mdm_preview_members_t {
    mdm_preview_request_t request;
    mdm_preview_walk_t *walk;
    mdm_catalog_t *catalog;
    mdm_store_t *st;
    apr_array_header_t *ids;      /* apr_int64_t: whom to look at */
};

apr_status_t mdm_preview_members_begin(mdm_preview_members_t **out, mdm_store_t *st, apr_int64_t group)
{
    mdm_preview_members_t *m = apr_pcalloc(st->ctx->pool, sizeof(*m));

    *out = m;
    m->request.what = MDM_PREVIEW_MEMBERS;
    m->request.group = group;
    m->st = st;
    m->ids = apr_array_make(st->ctx->pool, 64, sizeof(apr_int64_t));
    return mdm_preview_begin(&m->walk, &m->catalog, st, &m->request);
}

apr_status_t mdm_preview_members_move(void *members, apr_int64_t enrollment, int joins)
{
    mdm_preview_members_t *m = members;
    apr_pool_t *p = m->catalog->ctx->pool;

    apr_hash_set(m->catalog->moves, apr_pmemdup(p, &enrollment, sizeof(enrollment)), sizeof(enrollment),
                 joins ? MDM_CATALOG_JOINS : MDM_CATALOG_LEAVES);
    APR_ARRAY_PUSH(m->ids, apr_int64_t) = enrollment;
    return APR_SUCCESS;
}

static int chunk_of(int done, int count)
{
    return count - done < MDM_QUEUE_CHUNK ? count - done : MDM_QUEUE_CHUNK;
}

/* A user channel is in the groups of its device; one that moves itself is there already. */
static apr_status_t add_channels(mdm_preview_members_t *m)
{
    int count = m->ids->nelts, done, i;
    apr_array_header_t *channels;
    apr_status_t rv = APR_SUCCESS;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_QUEUE_CHUNK) {
        rv = mdm_store_batch_channels(&channels, m->st, (const apr_int64_t *)m->ids->elts + done,
                                      chunk_of(done, count));
        for (i = 0; rv == APR_SUCCESS && i < channels->nelts; i++) {
            apr_int64_t id = APR_ARRAY_IDX(channels, i, apr_int64_t);

            if (!apr_hash_get(m->catalog->moves, &id, sizeof(id)))
                APR_ARRAY_PUSH(m->ids, apr_int64_t) = id;
        }
    }
    return rv;
}

apr_status_t mdm_preview_members_end(mdm_preview_t **out, mdm_preview_members_t *m)
{
    apr_array_header_t *ids = m->ids;
    apr_status_t rv;
    int done;

    *out = mdm_preview_found(m->walk);
    if (!m->request.group)
        return APR_SUCCESS;
    rv = add_channels(m);
    qsort(ids->elts, (size_t)ids->nelts, sizeof(apr_int64_t), mdm_id_compare);
    for (done = 0; rv == APR_SUCCESS && done < ids->nelts; done += MDM_QUEUE_CHUNK)
        rv = mdm_preview_look(m->walk, (const apr_int64_t *)ids->elts + done, chunk_of(done, ids->nelts));
    return rv;
}
