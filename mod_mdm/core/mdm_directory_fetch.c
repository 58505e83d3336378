/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the directory into memory: persons by the site's URL, what they say of their groups (memberOf), and who of them
 * is disabled. Runs in the directory's thread; asks no database.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_directory_parts.h"

#define TIMEOUT apr_time_from_sec(20)
#define ACCOUNT_DISABLED 2            /* of Active Directory's userAccountControl */
#define LOCKED_FOR_GOOD "000001010000Z" /* of OpenLDAP's pwdAccountLockedTime */

static void note(mdm_directory_run_t *run, const char *text)
{
    if (run->notes->nelts < MDM_DIRECTORY_NAMES)
        APR_ARRAY_PUSH(run->notes, const char *) = text;
}

static void skip(mdm_directory_run_t *run, const char *dn, const char *why)
{
    run->skipped++;
    note(run, apr_psprintf(run->ctx->pool, "%s is passed over: %s", dn, why));
}

/* ---- persons */

static const char *login_of(mdm_directory_run_t *run, const mdm_ldap_entry_t *entry)
{
    const apr_array_header_t *logins = entry->values[0];
    const char *login;

    if (logins->nelts != 1) {
        skip(run, entry->dn, apr_psprintf(run->ctx->pool, "it has %d values of %s, and one is the login",
                                          logins->nelts, run->site->url.attribute));
        return NULL;
    }
    login = APR_ARRAY_IDX(logins, 0, const char *);
    if (mdm_person_check_login(run->ctx, login) != APR_SUCCESS) {
        skip(run, entry->dn, run->ctx->detail);
        mdm_ctx_clear(run->ctx);
        return NULL;
    }
    if (apr_hash_get(run->by_login, login, APR_HASH_KEY_STRING)) {
        skip(run, entry->dn, apr_psprintf(run->ctx->pool, "another entry has the login %s", login));
        return NULL;
    }
    return login;
}

/*
 * Nothing is "not disabled"; Active Directory has a bit of a number. Of OpenLDAP's locks only that of an administrator
 * counts: whoever knows a login can bring about the other, by wrong passwords, and would empty somebody else's phone.
 */
static const char *disabled_text(const char *attribute, const apr_array_header_t *values)
{
    const char *text = values->nelts ? APR_ARRAY_IDX(values, 0, const char *) : "no";

    if (!strcasecmp(attribute, "pwdAccountLockedTime"))
        return strcmp(text, LOCKED_FOR_GOOD) ? "no" : "yes";
    if (strcasecmp(attribute, "userAccountControl"))
        return text;
    return strtol(text, NULL, 10) & ACCOUNT_DISABLED ? "yes" : "no";
}

static void say(mdm_directory_run_t *run, mdm_person_change_t *change, const mdm_directory_attribute_t *attribute,
                const apr_array_header_t *values)
{
    mdm_ctx_t *ctx = run->ctx;
    apr_status_t rv;

    if (!strcmp(attribute->name, "disabled"))
        rv = mdm_person_say(ctx, change, attribute->name, disabled_text(attribute->ldap, values));
    else
        rv = mdm_person_say_list(ctx, change, attribute->name, values);
    if (rv == APR_SUCCESS)
        return;
    note(run, apr_psprintf(ctx->pool, "%s: %s: %s stays as it is", change->login, ctx->detail, attribute->name));
    mdm_ctx_clear(ctx);
}

static void join_by_person(mdm_directory_run_t *run, const char *login, const apr_array_header_t *names)
{
    int i, j;

    for (i = 0; i < names->nelts; i++) {
        const char *dn = mdm_ldap_dn(APR_ARRAY_IDX(names, i, const char *), run->ctx->pool);

        for (j = 0; dn && j < run->groups->nelts; j++) {
            mdm_directory_group_t *group = &APR_ARRAY_IDX(run->groups, j, mdm_directory_group_t);

            if (group->dn && !strcmp(group->dn, dn)) {
                apr_hash_set(group->logins, login, APR_HASH_KEY_STRING, login);
                group->seen = 1;
            }
        }
    }
}

/* The values of an entry: the login, those of MDMDirectoryAttribute in their order, memberOf. */
static apr_status_t take_person(void *baton, const mdm_ldap_entry_t *entry)
{
    mdm_directory_run_t *run = baton;
    const apr_array_header_t *attributes = run->site->attributes;
    const char *login = login_of(run, entry), *dn;
    mdm_person_change_t *change;
    int i;

    if (!login)
        return APR_SUCCESS;
    if (run->changes->nelts == MDM_DIRECTORY_USERS_MAX)
        return mdm_fail(run->ctx, MDM_ETOOBIG, "the directory has more than %d users: narrow the filter of "
                        "MDMDirectoryURL", MDM_DIRECTORY_USERS_MAX);
    change = apr_array_push(run->changes);
    *change = mdm_person_change(login);
    change->synced = 1;
    change->restore = run->site->disable_missing;
    apr_hash_set(run->by_login, login, APR_HASH_KEY_STRING, login);
    if ((dn = mdm_ldap_dn(entry->dn, run->ctx->pool)) != NULL)
        apr_hash_set(run->by_dn, dn, APR_HASH_KEY_STRING, login);
    for (i = 0; attributes && i < attributes->nelts; i++)
        say(run, change, &APR_ARRAY_IDX(attributes, i, mdm_directory_attribute_t), entry->values[1 + i]);
    if (run->groups->nelts)
        join_by_person(run, login, entry->values[entry->count - 1]);
    return APR_SUCCESS;
}

static apr_status_t fetch_persons(mdm_directory_run_t *run, mdm_ldap_t *ldap)
{
    const mdm_ldap_url_t *url = &run->site->url;
    const apr_array_header_t *attributes = run->site->attributes;
    apr_array_header_t *names = apr_array_make(run->ctx->pool, 8, sizeof(const char *));
    int i;

    APR_ARRAY_PUSH(names, const char *) = url->attribute;
    for (i = 0; attributes && i < attributes->nelts; i++)
        APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(attributes, i, mdm_directory_attribute_t).ldap;
    if (run->groups->nelts)
        APR_ARRAY_PUSH(names, const char *) = "memberOf";
    APR_ARRAY_PUSH(names, const char *) = NULL;
    return mdm_ldap_search(ldap, url, apr_psprintf(run->ctx->pool, "(%s=*)", url->attribute),
                           (const char *const *)names->elts, take_person, run);
}

/* ---- who is disabled */

typedef struct {
    mdm_directory_run_t *run;
    apr_hash_t *changes;              /* login -> mdm_person_change_t * */
} disabling_t;

static apr_status_t take_disabled(void *baton, const mdm_ldap_entry_t *entry)
{
    disabling_t *d = baton;
    mdm_person_change_t *change;
    int i;

    for (i = 0; i < entry->values[0]->nelts; i++) {
        change = apr_hash_get(d->changes, APR_ARRAY_IDX(entry->values[0], i, const char *), APR_HASH_KEY_STRING);
        if (change)
            change->disabled = 1;
    }
    return APR_SUCCESS;
}

/* A search of its own, since a filter can ask what no attribute says: bits, several attributes, nothing at all. */
static apr_status_t fetch_disabled(mdm_directory_run_t *run, mdm_ldap_t *ldap)
{
    const char *names[] = { run->site->url.attribute, NULL };
    disabling_t d = { run, apr_hash_make(run->ctx->pool) };
    int i;

    if (!run->site->disabled_filter)
        return APR_SUCCESS;
    for (i = 0; i < run->changes->nelts; i++) {
        mdm_person_change_t *change = &APR_ARRAY_IDX(run->changes, i, mdm_person_change_t);

        if (change->disabled < 0)
            change->disabled = 0;
        apr_hash_set(d.changes, change->login, APR_HASH_KEY_STRING, change);
    }
    return mdm_ldap_search(ldap, &run->site->url, run->site->disabled_filter, names, take_disabled, &d);
}

apr_status_t mdm_directory_fetch(mdm_directory_run_t *run)
{
    const mdm_directory_site_t *site = run->site;
    mdm_ldap_config_t config = { site->url.uri, site->start_tls, site->bind_dn, site->password, site->ca_file, TIMEOUT,
                                 run->stopping, run->look, run->baton };
    mdm_ldap_t *ldap = NULL;
    apr_status_t rv = mdm_ldap_open(&ldap, run->ctx, &config);

    if (rv == APR_SUCCESS && (rv = fetch_persons(run, ldap)) == APR_SUCCESS
        && (rv = fetch_disabled(run, ldap)) == APR_SUCCESS)
        rv = mdm_directory_fetch_groups(run, ldap);
    mdm_ldap_close(ldap);
    return rv;
}
