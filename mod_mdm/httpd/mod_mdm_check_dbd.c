/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `httpd -t` can say about the database. mod_dbd keeps its settings to itself, so the configuration tree
 * is asked. Runs in the parent; opens no database.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <unixd.h>

#include "mod_mdm_check.h"

static int has_directive(const ap_directive_t *node, const char *name)
{
    for (; node; node = node->next) {
        if (!ap_cstr_casecmp(node->directive, name) || has_directive(node->first_child, name))
            return 1;
    }
    return 0;
}

static const char *argument(const ap_directive_t *level, const char *name, apr_pool_t *p)
{
    for (; level; level = level->next) {
        const char *args = level->args;

        if (!ap_cstr_casecmp(level->directive, name))
            return ap_getword_conf(p, &args);
    }
    return NULL;
}

/* Whether the children are in the group, by httpd's Group or as others that their user is in. */
static int children_are_in(gid_t group, apr_pool_t *p)
{
    struct passwd *user = ap_unixd_config.user_name ? getpwuid(ap_unixd_config.user_id) : NULL;
    gid_t *groups;
    int count = 0, i;

    if (group == ap_unixd_config.group_id || !user)
        return group == ap_unixd_config.group_id;
    getgrouplist(user->pw_name, ap_unixd_config.group_id, NULL, &count);
    groups = apr_palloc(p, sizeof(*groups) * (apr_size_t)count);
    if (getgrouplist(user->pw_name, ap_unixd_config.group_id, groups, &count) < 0)
        return 0;
    for (i = 0; i < count && groups[i] != group; i++)
        ;
    return i < count;
}

/* The children write, and they are not the user who runs this check. */
static int children_can_write(const struct stat *st, const char *folder, apr_pool_t *p)
{
    if (geteuid() != 0)
        return access(folder, W_OK | X_OK) == 0;
    if (st->st_uid == ap_unixd_config.user_id)
        return (st->st_mode & (S_IWUSR | S_IXUSR)) == (S_IWUSR | S_IXUSR);
    if (children_are_in(st->st_gid, p))
        return (st->st_mode & (S_IWGRP | S_IXGRP)) == (S_IWGRP | S_IXGRP);
    return (st->st_mode & (S_IWOTH | S_IXOTH)) == (S_IWOTH | S_IXOTH);
}

static const char *folder_problem(const char *file, const char **remedy, apr_pool_t *p)
{
    const char *slash = strrchr(file, '/');
    const char *folder = slash == file ? "/" : apr_pstrmemdup(p, file, (apr_size_t)(slash - file));
    struct stat st;

    *remedy = apr_psprintf(p, "run: install -d -o %s -m 0750 '%s'",
                           ap_unixd_config.user_name ? ap_unixd_config.user_name : "USER", folder);
    if (stat(folder, &st) != 0)
        return apr_psprintf(p, "%s: its folder %s: %s", file, folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return apr_psprintf(p, "%s: %s is not a folder", file, folder);
    if (!children_can_write(&st, folder, p))
        return apr_psprintf(p, "%s: httpd's children cannot write in its folder %s, which SQLite needs", file,
                            folder);
    return NULL;
}

/* Settings that stand together in a section are judged; what is spread over several only mod_dbd can join. */
static const char *sqlite_problem(const ap_directive_t *level, const char **remedy, apr_pool_t *p)
{
    const char *driver = argument(level, "DBDriver", p), *file = argument(level, "DBDParams", p);
    const char *found = NULL;

    if (driver && !strcmp(driver, "sqlite3") && file && *file == '/')
        found = folder_problem(file, remedy, p);
    for (; level && !found; level = level->next) {
        if (level->first_child)
            found = sqlite_problem(level->first_child, remedy, p);
    }
    return found;
}

/* The value of a keyword in a libpq connection string; NULL: it has none. */
static const char *keyword(const char *params, const char *name, apr_pool_t *p)
{
    apr_size_t len = strlen(name);
    const char *at;

    for (at = strstr(params, name); at; at = strstr(at + 1, name)) {
        const char *value = at + len;

        if (at > params && !apr_isspace(at[-1]))
            continue;
        value += strspn(value, " ");
        if (*value++ == '=')
            return apr_pstrmemdup(p, value + strspn(value, " '"), strcspn(value + strspn(value, " '"), " '"));
    }
    return NULL;
}

/* Whether the database is reached over a network, where it can vanish without a word. A URI is none of our business. */
static int is_far(const char *params, apr_pool_t *p)
{
    const char *host = keyword(params, "host", p);

    if (!host)
        host = keyword(params, "hostaddr", p);
    return host && *host && *host != '/' && *host != '@' && ap_cstr_casecmp(host, "localhost")
        && strcmp(host, "127.0.0.1") && strcmp(host, "::1");
}

static const char *pgsql_problem(const ap_directive_t *level, apr_pool_t *p)
{
    const char *driver = argument(level, "DBDriver", p), *params = argument(level, "DBDParams", p);
    const char *found = NULL;

    if (driver && !strcmp(driver, "pgsql") && params && is_far(params, p) && !keyword(params, "tcp_user_timeout", p))
        return "no tcp_user_timeout: when the database's machine vanishes from the network, every thread that asks it "
               "waits for many minutes: add connect_timeout=10 tcp_user_timeout=20000 keepalives_idle=30 "
               "keepalives_interval=10 keepalives_count=3";
    for (; level && !found; level = level->next) {
        if (level->first_child)
            found = pgsql_problem(level->first_child, p);
    }
    return found;
}

const char *mdm_check_database(const char **directive, const char **remedy, apr_pool_t *p)
{
    *directive = "DBDriver";
    *remedy = "set DBDriver sqlite3 (or pgsql) and DBDParams";
    if (!has_directive(ap_conftree, "DBDriver"))
        return "not set";
    *directive = "DBDParams";
    return sqlite_problem(ap_conftree, remedy, p);
}

const char *mdm_check_database_limits(apr_pool_t *p)
{
    return pgsql_problem(ap_conftree, p);
}
