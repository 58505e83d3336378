/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl user: the persons that groups and profiles go by, from a file of comma-separated values or one by one. The
 * server notices within seconds what was changed here.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_file.h"
#include "mdm_json.h"
#include "mdm_person_csv.h"
#include "mdm_refusal.h"
#include "mdmctl.h"

#define USAGE "... user import FILE.csv | list [--disabled] | show LOGIN | set LOGIN NAME=VALUE... | disable LOGIN | " \
              "enable LOGIN"
#define PAGE 500

static const mdm_person_by_t by = { "mdmctl", "mdmctl", NULL };

static int import(mdmctl_t *m, const char *file)
{
    mdm_person_csv_report_t report;
    mdm_bytes_t bytes;
    mdm_store_t *st;
    apr_status_t rv;

    if ((rv = mdm_file_read(&bytes, m->ctx, file, MDM_PERSON_CSV_BYTES_MAX)) != APR_SUCCESS
        || (rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS
        || (rv = mdm_person_csv_import(&report, st, bytes, &by)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%d new, %d changed, %d unchanged\n", report.made, report.changed, report.unchanged);
    return MDMCTL_OK;
}

static int list(mdmctl_t *m, int disabled)
{
    apr_array_header_t *page;
    const char *cursor = NULL;
    mdm_store_t *st;
    apr_status_t rv;
    int i;

    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    do {
        if ((rv = mdm_store_user_list(&page, st, cursor, PAGE, disabled)) != APR_SUCCESS)
            return mdmctl_fail(m, rv);
        for (i = 0; i < page->nelts; i++) {
            const mdm_user_t *user = APR_ARRAY_IDX(page, i, mdm_user_t *);

            printf("%s  %s  %s  %s%s\n", user->login, user->display_name ? user->display_name : "-",
                   user->email ? user->email : "-", user->attributes, user->disabled ? "  disabled" : "");
            cursor = user->login;
        }
    } while (page->nelts == PAGE);
    return MDMCTL_OK;
}

static int show(mdmctl_t *m, const char *login)
{
    mdm_user_t *user;
    mdm_store_t *st;
    apr_status_t rv;

    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS || (rv = mdm_store_user_get(&user, st, login)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    fputs(mdm_json_pretty(mdm_json_own(mdm_person_json(user, m->ctx->pool), m->ctx->pool), m->ctx->pool), stdout);
    return MDMCTL_OK;
}

static int save(mdmctl_t *m, mdm_person_change_t *change, int made_is_fine)
{
    mdm_user_t *user;
    mdm_store_t *st;
    apr_status_t rv;

    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS
        || (!made_is_fine && (rv = mdm_store_user_get(&user, st, change->login)) != APR_SUCCESS)
        || (rv = mdm_person_save(st, change, 1, &by)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s is %s\n", change->login, change->made ? "new" : change->changed ? "changed" : "unchanged");
    return MDMCTL_OK;
}

static int set(mdmctl_t *m, const char *login, int argc, const char **argv)
{
    mdm_person_change_t change = mdm_person_change(login);
    apr_status_t rv = mdm_person_check_login(m->ctx, login);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < argc; i++) {
        const char *equals = strchr(argv[i], '=');

        if (!equals)
            return mdmctl_usage(USAGE);
        rv = mdm_person_say(m->ctx, &change, apr_pstrmemdup(m->ctx->pool, argv[i], (apr_size_t)(equals - argv[i])),
                            equals + 1);
    }
    return rv == APR_SUCCESS ? save(m, &change, 1) : mdmctl_fail(m, mdm_refusal_of(m->ctx, rv, "user", login));
}

static int turn(mdmctl_t *m, const char *login, int disabled)
{
    mdm_person_change_t change = mdm_person_change(login);

    change.disabled = disabled;
    return save(m, &change, 0);
}

int mdmctl_user(mdmctl_t *m, int argc, const char **argv)
{
    const char *verb = argc ? argv[0] : "";

    if (argc == 2 && !strcmp(verb, "import"))
        return import(m, argv[1]);
    if (argc == 1 && !strcmp(verb, "list"))
        return list(m, -1);
    if (argc == 2 && !strcmp(verb, "list") && !strcmp(argv[1], "--disabled"))
        return list(m, 1);
    if (argc == 2 && !strcmp(verb, "show"))
        return show(m, argv[1]);
    if (argc >= 3 && !strcmp(verb, "set"))
        return set(m, argv[1], argc - 2, argv + 2);
    if (argc == 2 && (!strcmp(verb, "disable") || !strcmp(verb, "enable")))
        return turn(m, argv[1], !strcmp(verb, "disable"));
    return mdmctl_usage(USAGE);
}
