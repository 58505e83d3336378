/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one room that knows APR DBD: what its drivers do differently stays here. Called by the store in any
 * thread of a child and by mdmctl; a connection and what is remembered with it belong to one thread at a
 * time. Never prepares a statement again without need (SQLite frees them only when the connection closes),
 * never repeats a statement inside a transaction, and never puts the value of an argument into a message.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_dbd.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "mdm_db.h"
#include "mdm_db_lock.h"

#define CONNECTION_KEY "mdm-db"
#define ERROR_TEXT_MAX 240
#define TRIES 4                     /* of a statement outside a transaction */
#define BLIND 2                     /* libpq may need so many failures to see that the connection is gone */
#define ATTEMPTS 8                  /* of a transaction */
#define ALIKE 3                     /* of them, when they all fail in the same way */
#define PAUSE_FIRST 1000            /* microseconds; doubles with each attempt, up to PAUSE_MOST */
#define PAUSE_MOST 64000
#define LIST 64                     /* arguments of a list in a statement */
#define LOCK_WAIT apr_time_from_sec(10)
#define SET_UP_WAIT apr_time_from_sec(5)
#define SET_UP_PAUSE apr_time_from_msec(20)

/* A list of one is what most requests of the API have: it costs neither side 63 arguments that are NULL. */
typedef enum { WHOLE = 0, OF_ONE, FORMS } form_e;

/* What lives as long as the connection. */
typedef struct {
    apr_pool_t *pool;
    apr_dbd_prepared_t *prepared[STMT_COUNT][FORMS];
    const char *labels[STMT_COUNT][FORMS];
    int generation;                 /* in the labels: PostgreSQL never sees a name twice in one session */
    int settled;                    /* PostgreSQL: this session knows how to plan */
    mdm_db_mark_t mark;             /* the store's own note */
    mdm_db_lock_t *lock;            /* SQLite: where writers queue; NULL: nothing to wait for */
} connection_t;

struct mdm_db_t {
    mdm_ctx_t *ctx;
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    connection_t *connection;
    apr_pool_t *scratch;            /* cleared after each statement */
    mdm_db_kind_e kind;
    int statements;
    int in_transaction;
    int failed;                     /* a statement of this transaction failed: it can only be rolled back */
    const char *hopeless;           /* how its last attempt failed, when no other transaction was the reason */
    int alike;                      /* attempts in a row that failed so */
};

/* A statement on its way: exactly one of rows and affected is set. */
typedef struct {
    mdm_stmt_e stmt;
    form_e form;
    const char *const *args;
    mdm_rows_t **rows;
    int *affected;
} call_t;

static mdm_db_kind_e kind_of(const char *name)
{
    if (!strcmp(name, "sqlite3"))
        return MDM_DB_SQLITE3;
    return !strcmp(name, "pgsql") ? MDM_DB_PGSQL : MDM_DB_UNSET;
}

/* The driver's words for a failure: the first line, for in others PostgreSQL tells values of arguments. */
static const char *error_text(mdm_db_t *db, int rc)
{
    const char *said = apr_dbd_error(db->driver, db->handle, rc);
    char *text = apr_pstrndup(db->ctx->pool, said ? said : "", said ? strnlen(said, ERROR_TEXT_MAX) : 0);
    apr_size_t len;
    char *c;

    text[strcspn(text, "\n")] = '\0';
    for (c = text; *c; c++) {
        if (apr_iscntrl(*c))
            *c = ' ';
    }
    for (len = strlen(text); len && text[len - 1] == ' '; len--)
        text[len - 1] = '\0';
    return *text ? text : apr_psprintf(db->ctx->pool, "error %d", rc);
}

static int connection_is_good(mdm_db_t *db)
{
    return apr_dbd_check_conn(db->driver, db->ctx->pool, db->handle) == APR_SUCCESS;
}

/*
 * Whether a failure means that the session does not know the statement any more. SQLite fails without an
 * error when this connection knows of the change of the schema, with words of its own when it meets it;
 * PostgreSQL names our label, in any language.
 */
static int is_stale(mdm_db_t *db, const call_t *call, const char *text)
{
    const char *label = db->connection->labels[call->stmt][call->form];

    if (db->kind == MDM_DB_SQLITE3)
        return strstr(text, "schema has changed") || !strcmp(text, "not an error");
    return label && strstr(text, label) != NULL;
}

/* The session may be another one. */
static void forget_statements(connection_t *connection)
{
    connection->settled = 0;
    memset(&connection->mark, 0, sizeof(connection->mark));
    memset(connection->prepared, 0, sizeof(connection->prepared));
    memset(connection->labels, 0, sizeof(connection->labels));
}

/*
 * PostgreSQL keeps a plan it made when a table was small, and small tables are read from end to end: as they
 * grow, so would the cost of every request, until the statistics catch up. Every table a device's request
 * touches has its index, so plans that read whole tables are ruled out from the start, for this session.
 */
static void settle_session(mdm_db_t *db)
{
    int ignored = 0;

    if (db->kind == MDM_DB_PGSQL && !db->connection->settled && !db->in_transaction)
        db->connection->settled = apr_dbd_query(db->driver, db->handle, &ignored,
                                                "SET enable_seqscan = off; SET enable_hashjoin = off; "
                                                "SET enable_mergejoin = off; SET jit = off; "
                                                "SET plan_cache_mode = force_generic_plan") == 0;
}

static int prepare(mdm_db_t *db, const call_t *call)
{
    const mdm_stmt_t *stmt = &mdm_stmts[call->stmt];
    connection_t *connection = db->connection;
    apr_dbd_prepared_t *made = NULL;
    const char *label = NULL;
    int rc;

    if (connection->prepared[call->stmt][call->form])
        return 0;
    if (db->kind == MDM_DB_PGSQL) {
        char *text = apr_psprintf(connection->pool, "mdm_%s%s_g%d", stmt->name + strlen("STMT_"),
                                  call->form == OF_ONE ? "_of_one" : "", ++connection->generation);
        char *c;

        for (c = text; *c; c++)
            *c = (char)apr_tolower(*c);
        label = text;
    }
    rc = apr_dbd_prepare(db->driver, connection->pool, db->handle, call->form == OF_ONE ? stmt->sql_of_one : stmt->sql,
                         label, &made);
    if (rc == 0) {
        connection->prepared[call->stmt][call->form] = made;
        connection->labels[call->stmt][call->form] = label;
    }
    return rc;
}

/* Copy a result out of the scratch pool, where the driver put it. */
static void copy_rows(mdm_rows_t **out, mdm_db_t *db, apr_dbd_results_t *result)
{
    mdm_rows_t *rows = apr_palloc(db->ctx->pool, sizeof(*rows));
    int r, c;

    rows->columns = apr_dbd_num_cols(db->driver, result);
    rows->count = apr_dbd_num_tuples(db->driver, result);
    rows->values = apr_palloc(db->ctx->pool, sizeof(char *) * (apr_size_t)(rows->count * rows->columns + 1));
    for (r = 0; r < rows->count; r++) {
        apr_dbd_row_t *row = NULL;

        /* SQLite walks its list from the start for a numbered row */
        if (apr_dbd_get_row(db->driver, db->scratch, result, &row,
                            db->kind == MDM_DB_SQLITE3 ? -1 : r + 1) != 0)
            break;
        for (c = 0; c < rows->columns; c++) {
            const char *value = NULL;

            if (apr_dbd_datum_get(db->driver, row, c, APR_DBD_TYPE_STRING, &value) != APR_SUCCESS)
                value = NULL;
            MDM_ROW(rows, r, c) = apr_pstrdup(db->ctx->pool, value);
        }
    }
    rows->count = r;
    *out = rows;
}

static form_e form_of(mdm_stmt_e stmt, const char *const *args)
{
    const mdm_stmt_t *s = &mdm_stmts[stmt];
    int i = 1;

    if (!s->sql_of_one)
        return WHOLE;
    while (i < LIST && !args[s->list + i])
        i++;
    return i == LIST ? OF_ONE : WHOLE;
}

/* The arguments that the form has, and how many. */
static const char **arguments(int *count, mdm_db_t *db, const call_t *call)
{
    const mdm_stmt_t *s = &mdm_stmts[call->stmt];
    const char **args;
    int first = s->list + 1;

    *count = s->args;
    if (call->form == WHOLE)
        return (const char **)call->args;
    *count = s->args - LIST + 1;
    args = apr_palloc(db->scratch, sizeof(*args) * (apr_size_t)*count);
    memcpy(args, call->args, sizeof(*args) * (apr_size_t)first);
    memcpy(args + first, call->args + s->list + LIST, sizeof(*args) * (apr_size_t)(*count - first));
    return args;
}

/* Run once; 0 or the driver's code. */
static int run_once(mdm_db_t *db, const call_t *call)
{
    apr_dbd_results_t *result = NULL;
    int count, affected = 0, rc = prepare(db, call);
    const char **args = arguments(&count, db, call);
    apr_dbd_prepared_t *prepared = db->connection->prepared[call->stmt][call->form];

    if (rc == 0 && call->rows) {
        rc = apr_dbd_pselect(db->driver, db->scratch, db->handle, &result, prepared, 1, count, args);
        if (rc == 0)
            copy_rows(call->rows, db, result);
    }
    else if (rc == 0) {
        rc = apr_dbd_pquery(db->driver, db->scratch, db->handle, &affected, prepared, count, args);
        if (rc == 0)
            *call->affected = affected;
    }
    apr_pool_clear(db->scratch);
    return rc;
}

/*
 * Whether another transaction was in the way. PostgreSQL speaks the language of its administrator, and the driver keeps
 * its codes to itself: what is no English may be anything.
 */
static int is_conflict(mdm_db_t *db, const char *text)
{
    static const char *const words[][5] = {
        [MDM_DB_SQLITE3] = { "UNIQUE constraint failed", "locked", NULL },
        [MDM_DB_PGSQL] = { "duplicate key", "could not serialize", "deadlock", "could not obtain lock", NULL },
    };
    int i;

    if (db->kind == MDM_DB_PGSQL && strncmp(text, "ERROR:", 6))
        return 1;
    for (i = 0; words[db->kind][i] && !strstr(text, words[db->kind][i]); i++)
        ;
    return words[db->kind][i] != NULL;
}

static apr_status_t fail_in_transaction(mdm_db_t *db, const char *name, const char *text)
{
    const char *how = is_conflict(db, text) ? NULL : apr_pstrcat(db->ctx->pool, name, ": ", text, NULL);

    db->failed = 1;
    db->alike = how && db->hopeless && !strcmp(how, db->hopeless) ? db->alike + 1 : how != NULL;
    db->hopeless = how;
    return mdm_fail(db->ctx, connection_is_good(db) ? MDM_ECONFLICT : MDM_EDB, "database: %s: %s", name,
                    text);
}

static apr_status_t retired(mdm_db_t *db)
{
    return mdm_fail(db->ctx, MDM_EDB, "database: the connection has been given back");
}

static apr_status_t run(mdm_db_t *db, const call_t *call)
{
    const char *name = mdm_stmts[call->stmt].name, *text = "an earlier statement of the transaction failed";
    int tries, rc;

    if (!db->handle)
        return retired(db);
    db->statements++;
    if (db->failed)
        return mdm_fail(db->ctx, MDM_ECONFLICT, "database: %s: %s", name, text);
    for (tries = 1; tries <= TRIES; tries++) {
        int stale;

        settle_session(db);
        rc = run_once(db, call);
        if (rc == 0)
            return APR_SUCCESS;
        text = error_text(db, rc);
        stale = is_stale(db, call, text);
        if (stale)
            forget_statements(db->connection);
        if (db->in_transaction)
            return fail_in_transaction(db, name, text);
        if (!connection_is_good(db) || (tries > BLIND && !stale))
            break;
    }
    return mdm_fail(db->ctx, MDM_EDB, "database: %s: %s", name, text);
}

static apr_status_t take_turn(mdm_db_t *db)
{
    if (!db->handle)
        return retired(db);
    if (db->connection->lock && mdm_db_lock_take(db->connection->lock, LOCK_WAIT) != APR_SUCCESS)
        return mdm_fail(db->ctx, MDM_EDB, "database: another process keeps it locked");
    return APR_SUCCESS;
}

static void give_turn(mdm_db_t *db)
{
    if (db->connection->lock)
        mdm_db_lock_give(db->connection->lock);
}

apr_status_t mdm_db_select(mdm_rows_t **rows, mdm_db_t *db, mdm_stmt_e stmt, const char *const *args)
{
    call_t call = { stmt, form_of(stmt, args), args, rows, NULL };

    return run(db, &call);
}

apr_status_t mdm_db_exec(int *affected, mdm_db_t *db, mdm_stmt_e stmt, const char *const *args)
{
    int ignored;
    call_t call = { stmt, form_of(stmt, args), args, NULL, affected ? affected : &ignored };
    apr_status_t rv;

    if (db->in_transaction)
        return run(db, &call);
    rv = take_turn(db);
    if (rv != APR_SUCCESS)
        return rv;
    rv = run(db, &call);
    give_turn(db);
    return rv;
}

static apr_status_t run_script(mdm_db_t *db, const char *sql)
{
    const char *end;

    for (; *sql; sql = *end ? end + 2 : end) {
        const char *statement;
        int ignored = 0, rc;

        end = strstr(sql, ";\n");
        if (!end)
            end = sql + strlen(sql);
        statement = apr_pstrmemdup(db->ctx->pool, sql, (apr_size_t)(end - sql));
        rc = apr_dbd_query(db->driver, db->handle, &ignored, statement);
        if (rc != 0) {
            const char *text = error_text(db, rc), *name = apr_pstrndup(db->ctx->pool, statement, 60);

            return db->in_transaction ? fail_in_transaction(db, name, text)
                                      : mdm_fail(db->ctx, MDM_EDB, "database: %s: %s", name, text);
        }
    }
    return APR_SUCCESS;
}

apr_status_t mdm_db_script(mdm_db_t *db, const char *sql)
{
    apr_status_t rv = db->in_transaction ? APR_SUCCESS : take_turn(db);

    if (rv != APR_SUCCESS)
        return rv;
    rv = run_script(db, sql);
    if (!db->in_transaction)
        give_turn(db);
    return rv;
}

/*
 * BEGIN, tried again on a connection that had to be made anew. Not APR's transactions: PostgreSQL's driver
 * crashes when its BEGIN fails, SQLite's believes in a transaction that did not begin, and both report
 * success for one that was rolled back.
 */
static apr_status_t begin(mdm_db_t *db)
{
    const char *sql = db->kind == MDM_DB_SQLITE3 ? "BEGIN IMMEDIATE" : "BEGIN";
    int tries, ignored = 0, rc;

    for (tries = 1;; tries++) {
        const char *text;

        settle_session(db);
        rc = apr_dbd_query(db->driver, db->handle, &ignored, sql);
        if (rc == 0)
            return APR_SUCCESS;
        text = error_text(db, rc);
        if (db->kind == MDM_DB_SQLITE3 || tries > BLIND || !connection_is_good(db))
            return mdm_fail(db->ctx, MDM_EDB, "database: cannot begin: %s", text);
    }
}

static apr_status_t finish(mdm_db_t *db, apr_status_t rv)
{
    int ignored = 0, rc = 0, failed = db->failed;

    db->in_transaction = 0;
    db->failed = 0;
    if (rv == APR_SUCCESS && !failed) {
        rc = apr_dbd_query(db->driver, db->handle, &ignored, "COMMIT");
        if (rc == 0)
            return APR_SUCCESS;
        rv = mdm_fail(db->ctx, MDM_EDB, "database: cannot commit: %s", error_text(db, rc));
    }
    apr_dbd_query(db->driver, db->handle, &ignored, "ROLLBACK");
    return failed && rv != MDM_EDB ? MDM_ECONFLICT : rv;
}

static apr_status_t attempt(mdm_db_t *db, mdm_db_work_fn *work, void *baton)
{
    apr_status_t rv = take_turn(db);

    if (rv != APR_SUCCESS)
        return rv;
    rv = begin(db);
    if (rv == APR_SUCCESS) {
        db->in_transaction = 1;
        rv = finish(db, work(baton, db));
    }
    give_turn(db);
    return rv;
}

static void pause_before(int next)
{
    apr_interval_time_t base = PAUSE_FIRST;
    unsigned char noise[2] = { 0, 0 };

    while (--next > 0 && base < PAUSE_MOST)
        base *= 2;
    (void)mdm_random(noise, sizeof(noise));
    apr_sleep(base / 2 + base * (noise[0] << 8 | noise[1]) / 65536);
}

apr_status_t mdm_db_transact(mdm_db_t *db, mdm_db_work_fn *work, void *baton)
{
    int had_detail = db->ctx->detail != NULL, attempts;
    apr_status_t rv;

    if (db->in_transaction)
        return work(baton, db);
    db->hopeless = NULL;
    db->alike = 0;
    for (attempts = 1;; attempts++) {
        rv = attempt(db, work, baton);
        if (rv != MDM_ECONFLICT || attempts == ATTEMPTS || db->alike == ALIKE)
            break;
        if (!had_detail)
            mdm_ctx_clear(db->ctx);
        pause_before(attempts);
    }
    return rv == MDM_ECONFLICT ? MDM_EDB : rv;
}

/* Run a statement in the driver's hand, and give the wanted column of its first row. */
static int plain_select(const char **value, mdm_db_t *db, const char *sql, int column)
{
    apr_dbd_results_t *result = NULL;
    apr_dbd_row_t *row = NULL;
    const char *text = NULL;
    int rc = apr_dbd_select(db->driver, db->scratch, db->handle, &result, sql, 1);

    if (rc == 0 && value && apr_dbd_get_row(db->driver, db->scratch, result, &row, -1) == 0)
        text = apr_dbd_get_entry(db->driver, row, column);
    if (value)
        *value = apr_pstrdup(db->ctx->pool, text);
    apr_pool_clear(db->scratch);
    return rc;
}

/*
 * For a connection's first words: somebody may be making the database, or mending it after a crash, at this moment.
 * Waits outside the driver, which would keep all others of the process waiting.
 */
static int insist(mdm_db_t *db, const char *sql)
{
    apr_time_t end = apr_time_now() + SET_UP_WAIT;
    int rc;

    while ((rc = plain_select(NULL, db, sql, 0)) != 0 && strstr(error_text(db, rc), "locked")
           && apr_time_now() < end)
        apr_sleep(SET_UP_PAUSE);
    return rc;
}

/*
 * SQLite: what a connection has to be told. Short waits, for strangers only: our own writers queue elsewhere.
 */
static apr_status_t set_up_sqlite(mdm_db_t *db)
{
    static const char *const settings[] = { "PRAGMA busy_timeout=100", "PRAGMA synchronous=FULL",
                                            "PRAGMA foreign_keys=ON" };
    const char *file = NULL;
    apr_status_t rv;
    int i, rc;

    for (i = 0; i < (int)(sizeof(settings) / sizeof(settings[0])); i++) {
        rc = insist(db, settings[i]);
        if (rc != 0)
            return mdm_fail(db->ctx, MDM_EDB, "database: %s: %s", settings[i], error_text(db, rc));
    }
    rc = plain_select(&file, db, "PRAGMA database_list", 2);
    if (rc != 0)
        return mdm_fail(db->ctx, MDM_EDB, "database: %s", error_text(db, rc));
    if (!file || !*file)
        return APR_SUCCESS;
    rv = mdm_db_lock_open(&db->connection->lock, file, db->connection->pool);
    if (rv != APR_SUCCESS)
        return mdm_fail(db->ctx, MDM_EDB, "database: cannot open %s-writer (%pm): the folder must be "
                        "writable for the user that runs httpd", file, &rv);
    return APR_SUCCESS;
}

static apr_status_t remember(mdm_db_t *db, apr_pool_t *connection_pool)
{
    connection_t *made = apr_pcalloc(connection_pool, sizeof(*made));
    apr_status_t rv = APR_SUCCESS;

    made->pool = connection_pool;
    db->connection = made;
    if (db->kind == MDM_DB_SQLITE3)
        rv = set_up_sqlite(db);
    if (rv == APR_SUCCESS)
        rv = apr_pool_userdata_setn(made, CONNECTION_KEY, NULL, connection_pool);
    return rv;
}

apr_status_t mdm_db_init(apr_pool_t *process_pool)
{
    apr_status_t rv = apr_dbd_init(process_pool);

    return rv == APR_SUCCESS ? mdm_db_lock_init(process_pool) : rv;
}

apr_status_t mdm_db_wrap(mdm_db_t **db, mdm_ctx_t *ctx, const struct apr_dbd_driver_t *driver,
                         struct apr_dbd_t *handle, apr_pool_t *connection_pool)
{
    mdm_db_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    void *found = NULL;
    apr_status_t rv = APR_SUCCESS;

    made->ctx = ctx;
    made->driver = driver;
    made->handle = handle;
    made->kind = kind_of(apr_dbd_name(driver));
    if (made->kind == MDM_DB_UNSET)
        return mdm_fail(ctx, MDM_ECONFIG, "database driver %s is not supported: use sqlite3 or pgsql",
                        apr_dbd_name(driver));
    apr_pool_create(&made->scratch, ctx->pool);
    apr_pool_userdata_get(&found, CONNECTION_KEY, connection_pool);
    made->connection = found;
    if (!found)
        rv = remember(made, connection_pool);
    if (rv == APR_SUCCESS)
        *db = made;
    return rv;
}

typedef struct {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
} opened_t;

static apr_status_t close_connection(void *baton)
{
    opened_t *opened = baton;

    return apr_dbd_close(opened->driver, opened->handle) == 0 ? APR_SUCCESS : APR_EGENERAL;
}

/* A server that vanishes without a word is given up. */
static const char *with_limits(const char *params, apr_pool_t *p)
{
    static const char *const limits[][2] = {
        { "connect_timeout", "10" }, { "tcp_user_timeout", "20000" }, { "keepalives_idle", "30" },
        { "keepalives_interval", "10" }, { "keepalives_count", "3" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (!strstr(params, limits[i][0]))
            params = apr_pstrcat(p, params, " ", limits[i][0], "=", limits[i][1], NULL);
    }
    return params;
}

apr_status_t mdm_db_open(mdm_db_t **db, mdm_ctx_t *ctx, const char *driver, const char *params)
{
    opened_t *opened = apr_pcalloc(ctx->pool, sizeof(*opened));
    const char *error = NULL;
    apr_pool_t *pool;
    apr_status_t rv;

    if (kind_of(driver) == MDM_DB_UNSET)
        return mdm_fail(ctx, MDM_ECONFIG, "database driver %s is not supported: use sqlite3 or pgsql",
                        driver);
    apr_pool_create(&pool, ctx->pool);
    rv = apr_dbd_init(pool);
    if (rv == APR_SUCCESS)
        rv = apr_dbd_get_driver(pool, driver, &opened->driver);
    if (rv != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECONFIG, "APR has no database driver %s: install libaprutil1-dbd-%s", driver,
                        driver);
    if (kind_of(driver) == MDM_DB_PGSQL)
        params = with_limits(params, pool);
    if (kind_of(driver) == MDM_DB_SQLITE3)
        mdm_db_lock_make_database(params, pool);
    rv = apr_dbd_open_ex(opened->driver, pool, params, &opened->handle, &error);
    if (rv != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EDB, "cannot open the %s database: %s", driver,
                        error ? error : "no reason given");
    apr_pool_cleanup_register(pool, opened, close_connection, apr_pool_cleanup_null);
    return mdm_db_wrap(db, ctx, opened->driver, opened->handle, pool);
}

void mdm_db_retire(mdm_db_t *db)
{
    db->handle = NULL;
    db->connection = NULL;
}

mdm_db_kind_e mdm_db_kind(const mdm_db_t *db)
{
    return db->kind;
}

int mdm_db_statements(const mdm_db_t *db)
{
    return db->statements;
}

void mdm_db_count_anew(mdm_db_t *db)
{
    db->statements = 0;
}

mdm_ctx_t *mdm_db_use(mdm_db_t *db, mdm_ctx_t *ctx)
{
    mdm_ctx_t *before = db->ctx;

    db->ctx = ctx;
    return before;
}

mdm_db_mark_t *mdm_db_mark(mdm_db_t *db)
{
    return &db->connection->mark;
}

apr_status_t mdm_db_settle(mdm_db_t *db)
{
    apr_status_t rv;
    int rc;

    if (db->kind != MDM_DB_SQLITE3)
        return APR_SUCCESS;
    rv = take_turn(db);
    if (rv != APR_SUCCESS)
        return rv;
    rc = plain_select(NULL, db, "PRAGMA journal_mode=WAL", 0);
    give_turn(db);
    return rc == 0 ? APR_SUCCESS : mdm_fail(db->ctx, MDM_EDB, "database: no WAL: %s", error_text(db, rc));
}
