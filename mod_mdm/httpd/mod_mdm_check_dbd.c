/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `httpd -t` can say about the database. mod_dbd keeps its settings to itself, so the configuration tree
 * is asked. Runs in the parent; opens no database.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The children write, and they are not the user who runs this check. */
static int children_can_write(const struct stat *st, const char *folder)
{
    if (geteuid() != 0)
        return access(folder, W_OK | X_OK) == 0;
    if (st->st_uid == ap_unixd_config.user_id)
        return (st->st_mode & (S_IWUSR | S_IXUSR)) == (S_IWUSR | S_IXUSR);
    if (st->st_gid == ap_unixd_config.group_id)
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
    if (!children_can_write(&st, folder))
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

const char *mdm_check_database(const char **directive, const char **remedy, apr_pool_t *p)
{
    *directive = "DBDriver";
    *remedy = "set DBDriver sqlite3 (or pgsql) and DBDParams";
    if (!has_directive(ap_conftree, "DBDriver"))
        return "not set";
    *directive = "DBDParams";
    return sqlite_problem(ap_conftree, remedy, p);
}
