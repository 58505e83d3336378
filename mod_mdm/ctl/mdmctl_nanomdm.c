/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl nanomdm: take over the database of a NanoMDM server. Two connections at a time, new ones for each page, so
 * that a large database needs no large memory.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_nanomdm.h"
#include "mdmctl.h"

#define USAGE "... nanomdm import --from pgsql:STRING"
#define SOURCE "pgsql:"

typedef struct {
    mdmctl_t *m;
    const char *from;
    mdm_nanomdm_counts_t counts;
    const char *cursor;         /* in m->ctx->pool */
} import_t;

typedef apr_status_t step_fn(import_t *i, mdm_store_t *st, mdm_store_t *from);

static apr_status_t topics(import_t *i, mdm_store_t *st, mdm_store_t *from)
{
    return mdm_nanomdm_topics(&i->counts, st, from, "mdmctl");
}

static apr_status_t enrollments(import_t *i, mdm_store_t *st, mdm_store_t *from)
{
    const char *cursor = i->cursor;
    apr_status_t rv = mdm_nanomdm_enrollments(&i->counts, &cursor, st, from, "mdmctl");

    i->cursor = cursor ? apr_pstrdup(i->m->ctx->pool, cursor) : NULL;
    return rv;
}

static apr_status_t commands(import_t *i, mdm_store_t *st, mdm_store_t *from)
{
    return mdm_nanomdm_commands(&i->counts, st, from, "mdmctl");
}

static apr_status_t run(import_t *i, step_fn *step)
{
    mdmctl_t m = *i->m;
    mdm_store_t *st, from = { NULL, NULL, NULL };
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, i->m->ctx->pool);
    m.ctx = mdm_ctx_create(p, i->m->ctx->log);
    from.ctx = m.ctx;
    rv = mdmctl_store(&st, &m, 1);
    if (rv == APR_SUCCESS)
        rv = mdm_db_open(&from.db, m.ctx, "pgsql", i->from);
    if (rv == APR_SUCCESS)
        rv = step(i, st, &from);
    if (rv != APR_SUCCESS)
        mdm_fail(i->m->ctx, rv, "%s", mdm_ctx_detail(m.ctx, rv));
    apr_pool_destroy(p);
    return rv;
}

static void report(const mdm_nanomdm_counts_t *c)
{
    printf("push certificates: %d\n", c->topics);
    printf("enrollments: %d taken over (%d of them disabled), %d were here\n", c->enrollments, c->left, c->known);
    printf("brought up to date: %d enrollments\n", c->updated);
    printf("open commands: %d, for %d enrollments\n", c->commands, c->waiting);
    printf("ended there meanwhile: %d commands\n", c->ended);
    if (c->without_identity)
        printf("%d enrollments have no certificate there: set MDMIdentityCAFile and MDMRetroactiveIdentity On until "
               "they have come by\n", c->without_identity);
    if (c->refused)
        printf("left out: %d, for the reasons above\n", c->refused);
}

int mdmctl_nanomdm(mdmctl_t *m, int argc, const char **argv)
{
    const char *from = mdmctl_option(&argc, argv, "--from");
    import_t i = { m, NULL, { 0 }, "" };
    apr_status_t rv;

    if (argc != 1 || strcmp(argv[0], "import") || !from || strncmp(from, SOURCE, strlen(SOURCE)))
        return mdmctl_usage(USAGE);
    i.from = from + strlen(SOURCE);
    rv = run(&i, topics);
    while (rv == APR_SUCCESS && i.cursor)
        rv = run(&i, enrollments);
    if (rv == APR_SUCCESS)
        rv = run(&i, commands);
    if (rv != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    report(&i.counts);
    return i.counts.refused ? MDMCTL_FAILED : MDMCTL_OK;
}
