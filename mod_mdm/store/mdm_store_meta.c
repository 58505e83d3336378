/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of the tables, their making and their upgrade. mdm_store_ready is asked with each connection
 * that httpd hands out and looks at the tables only now and then; the rest is mdmctl's. Never drops or changes
 * what it does not know.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_store_base.h"
#include "mdm_store_row.h"

/* An upgrade beside a running server of the older version is seen after so long. */
#define LOOK_AGAIN apr_time_from_sec(30)

#define CTL "mdmctl --state-dir DIR --database DRIVER:PARAMS"

static apr_status_t get(const char **value, mdm_store_t *st, const char *name)
{
    const char *args[] = { name };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_META_GET, args);

    if (rv == APR_SUCCESS)
        *value = rows->count ? MDM_ROW(rows, 0, 0) : NULL;
    return rv;
}

static apr_status_t add(mdm_store_t *st, const char *name, const char *value)
{
    const char *args[] = { name, value };

    return mdm_db_exec(NULL, st->db, STMT_META_INSERT, args);
}

/* Version 0 with tables is a database that somebody broke; without, an empty one. */
static apr_status_t look(int *tables, int *version, mdm_store_t *st)
{
    int sqlite = mdm_db_kind(st->db) == MDM_DB_SQLITE3;
    const char *value = NULL;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, sqlite ? STMT_META_TABLES_SQLITE3 : STMT_META_TABLES_PGSQL,
                                    NULL);

    *version = 0;
    *tables = rv == APR_SUCCESS && rows->count && mdm_row_number(rows, 0, 0);
    if (!*tables)
        return rv;
    rv = get(&value, st, "schema_version");
    if (rv == APR_SUCCESS && value)
        *version = atoi(value);
    return rv;
}

apr_status_t mdm_store_version(int *version, mdm_store_t *st)
{
    int tables;

    return look(&tables, version, st);
}

static apr_status_t init_work(void *baton, mdm_db_t *db)
{
    mdm_store_t *st = baton;
    const char *instance = mdm_uuid_random(st->ctx->pool);
    int version, tables;
    apr_status_t rv = look(&tables, &version, st);

    if (rv != APR_SUCCESS)
        return rv;
    if (tables)
        return MDM_EEXIST;
    if (!instance)
        return mdm_fail(st->ctx, MDM_ECRYPTO, "no random bytes for the instance id");
    rv = mdm_db_script(db, mdm_db_kind(db) == MDM_DB_SQLITE3 ? mdm_schema_sqlite3 : mdm_schema_pgsql);
    if (rv == APR_SUCCESS)
        rv = add(st, "schema_version", apr_itoa(st->ctx->pool, MDM_SCHEMA_VERSION));
    if (rv == APR_SUCCESS)
        rv = add(st, "instance_id", instance);
    if (rv == APR_SUCCESS)
        rv = add(st, "created_at", mdm_row_text(st, mdm_ctx_now(st->ctx)));
    return rv;
}

apr_status_t mdm_store_init(mdm_store_t *st)
{
    apr_status_t rv = mdm_db_settle(st->db);

    if (rv == APR_SUCCESS)
        rv = mdm_db_transact(st->db, init_work, st);
    if (rv == MDM_EEXIST)
        return mdm_fail(st->ctx, rv, "the database has the tables of mod_mdm already");
    return rv;
}

static apr_status_t refuse(mdm_store_t *st, int tables, int version)
{
    if (!tables)
        return mdm_fail(st->ctx, MDM_ESCHEMA, "the database has no tables of mod_mdm: run " CTL " db init");
    if (version > MDM_SCHEMA_VERSION)
        return mdm_fail(st->ctx, MDM_ESCHEMA, "database schema is version %d, this mod_mdm needs %d: the "
                        "database is newer: install the newer mod_mdm, then run " CTL " db status", version,
                        MDM_SCHEMA_VERSION);
    return mdm_fail(st->ctx, MDM_ESCHEMA, "database schema is version %d, this mod_mdm needs %d: run " CTL
                    " db upgrade", version, MDM_SCHEMA_VERSION);
}

typedef struct {
    mdm_store_t *st;
    const mdm_upgrade_t *step;
} upgrade_t;

/* The version moves first: of two who upgrade at once, the second waits there and then has nothing to do. */
static apr_status_t upgrade_work(void *baton, mdm_db_t *db)
{
    upgrade_t *u = baton;
    apr_pool_t *p = u->st->ctx->pool;
    const char *to = apr_itoa(p, u->step->version), *from = apr_itoa(p, u->step->version - 1);
    const char *args[] = { to, "schema_version", from };
    int moved = 0;
    apr_status_t rv = mdm_db_exec(&moved, db, STMT_META_STEP, args);

    return rv == APR_SUCCESS && moved ? mdm_db_script(db, u->step->sql) : rv;
}

static apr_status_t upgrade_once(mdm_store_t *st, int version)
{
    upgrade_t u = { st, mdm_db_kind(st->db) == MDM_DB_SQLITE3 ? mdm_upgrades_sqlite3 : mdm_upgrades_pgsql };

    while (u.step->version && u.step->version != version + 1)
        u.step++;
    if (!u.step->version)
        return mdm_fail(st->ctx, MDM_ESCHEMA, "there is no way from schema version %d to %d", version,
                        version + 1);
    return mdm_db_transact(st->db, upgrade_work, &u);
}

apr_status_t mdm_store_upgrade(mdm_store_t *st)
{
    int version, tables, steps;
    apr_status_t rv = look(&tables, &version, st);

    for (steps = 1; rv == APR_SUCCESS && version != MDM_SCHEMA_VERSION; steps++) {
        if (!tables || version > MDM_SCHEMA_VERSION || steps > MDM_SCHEMA_VERSION)
            return refuse(st, tables, version);
        rv = upgrade_once(st, version);
        if (rv == APR_SUCCESS)
            rv = look(&tables, &version, st);
    }
    return rv;
}

apr_status_t mdm_store_ready(mdm_store_t *st)
{
    mdm_db_mark_t *seen = mdm_db_mark(st->db);
    apr_time_t now = mdm_ctx_now(st->ctx);
    int version, tables;
    apr_status_t rv;

    if (seen->version == MDM_SCHEMA_VERSION && now >= seen->at && now - seen->at < LOOK_AGAIN)
        return APR_SUCCESS;
    rv = look(&tables, &version, st);
    if (rv == APR_SUCCESS && !tables && mdm_db_kind(st->db) == MDM_DB_SQLITE3) {
        /* another child may have been quicker: then look at what it made */
        rv = mdm_db_settle(st->db);
        if (rv == APR_SUCCESS)
            rv = mdm_db_transact(st->db, init_work, st);
        if (rv == APR_SUCCESS || rv == MDM_EEXIST)
            rv = look(&tables, &version, st);
    }
    if (rv != APR_SUCCESS)
        return rv;
    if (version != MDM_SCHEMA_VERSION)
        return refuse(st, tables, version);
    seen->version = version;
    seen->at = now;
    mdm_db_count_anew(st->db);
    return APR_SUCCESS;
}
