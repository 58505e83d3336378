/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in which group, as the directory has it: a group's own lists (member, uniqueMember, memberUid), and those of
 * the groups within it. Each entry is read once in a run, however many groups name it, and opened once for a group, so
 * that circles end. Runs in the directory's thread; asks no database.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_directory_parts.h"

enum { MEMBER, UNIQUE_MEMBER, MEMBER_UID, OBJECT_CLASS };

typedef struct {
    mdm_directory_run_t *run;
    mdm_ldap_t *ldap;
    apr_hash_t *read;                 /* of the run: mdm_ldap_dn -> mdm_ldap_entry_t *, or one of the two below */
} reading_t;

/* A group on its way. */
typedef struct {
    reading_t *reading;
    mdm_directory_group_t *group;
    apr_hash_t *met;                  /* mdm_ldap_dn of what is opened or will be -> as the directory writes it */
    apr_array_header_t *open;         /* const char *: mdm_ldap_dn of what may be a group within it */
} nest_t;

static const mdm_ldap_entry_t nothing_there, out_of_sight;

static void join(mdm_directory_group_t *group, const char *login)
{
    if (login)
        apr_hash_set(group->logins, login, APR_HASH_KEY_STRING, login);
    else
        group->unknown++;
}

static void join_by_names(nest_t *n, const apr_array_header_t *names)
{
    mdm_directory_run_t *run = n->reading->run;
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *), *dn = mdm_ldap_dn(name, run->ctx->pool);
        const char *login = dn ? apr_hash_get(run->by_dn, dn, APR_HASH_KEY_STRING) : NULL;

        if (login || !dn || !run->site->nested) {
            join(n->group, login);
        } else if (!apr_hash_get(n->met, dn, APR_HASH_KEY_STRING)) {
            apr_hash_set(n->met, dn, APR_HASH_KEY_STRING, name);
            APR_ARRAY_PUSH(n->open, const char *) = dn;
        }
    }
}

static void join_all(nest_t *n, const mdm_ldap_entry_t *entry)
{
    const apr_array_header_t *logins = entry->values[MEMBER_UID];
    int i;

    join_by_names(n, entry->values[MEMBER]);
    join_by_names(n, entry->values[UNIQUE_MEMBER]);
    for (i = 0; i < logins->nelts; i++)
        join(n->group, apr_hash_get(n->reading->run->by_login, APR_ARRAY_IDX(logins, i, const char *),
                                    APR_HASH_KEY_STRING));
}

/* ---- entries */

/*
 * @param out &nothing_there: it does not exist; &out_of_sight: we may not read it, or it lives in another directory;
 *            ctx->detail says why when it is read just now
 */
static apr_status_t read_entry(const mdm_ldap_entry_t **out, reading_t *r, const char *dn, const char *as_written)
{
    static const char *const names[] = { "member", "uniqueMember", "memberUid", "objectClass", NULL };
    apr_status_t rv;

    if ((*out = apr_hash_get(r->read, dn, APR_HASH_KEY_STRING)) != NULL)
        return APR_SUCCESS;
    rv = mdm_ldap_read(out, r->ldap, as_written, names);
    if (rv == MDM_ENOTFOUND)
        *out = &nothing_there;
    else if (rv == MDM_EDENIED)
        *out = &out_of_sight;
    else if (rv != APR_SUCCESS)
        return rv;
    apr_hash_set(r->read, dn, APR_HASH_KEY_STRING, *out);
    return APR_SUCCESS;
}

static int is_there(const mdm_ldap_entry_t *entry)
{
    return entry != &nothing_there && entry != &out_of_sight;
}

static int is_group(const mdm_ldap_entry_t *entry)
{
    static const char *const classes[] = { "group", "groupOfNames", "groupOfUniqueNames", "groupOfMembers",
                                           "posixGroup", NULL };
    int i, j;

    if (!is_there(entry))
        return 0;
    for (i = 0; i < entry->values[OBJECT_CLASS]->nelts; i++) {
        for (j = 0; classes[j]; j++) {
            if (!strcasecmp(APR_ARRAY_IDX(entry->values[OBJECT_CLASS], i, const char *), classes[j]))
                return 1;
        }
    }
    return entry->values[MEMBER]->nelts || entry->values[UNIQUE_MEMBER]->nelts || entry->values[MEMBER_UID]->nelts;
}

/* An entry out of sight may be a group with members, so whoever is not found elsewhere may be one of them. */
static apr_status_t open_nested(nest_t *n)
{
    apr_status_t rv;
    int i;

    for (i = 0; i < n->open->nelts; i++) {
        const char *dn = APR_ARRAY_IDX(n->open, i, const char *);
        const char *as_written = apr_hash_get(n->met, dn, APR_HASH_KEY_STRING);
        mdm_ctx_t *ctx = n->reading->run->ctx;
        const mdm_ldap_entry_t *entry;

        if ((rv = read_entry(&entry, n->reading, dn, as_written)) != APR_SUCCESS)
            return rv;
        mdm_ctx_clear(ctx);
        if (entry == &out_of_sight && !n->group->note)
            n->group->note = apr_psprintf(ctx->pool, "its member %s may not be read, or is in another directory: until "
                                          "it can be, nobody leaves the group but in a run that is confirmed",
                                          as_written);
        if (is_group(entry))
            join_all(n, entry);
        else
            n->group->unknown++;
    }
    return APR_SUCCESS;
}

static apr_status_t fetch_group(reading_t *r, mdm_directory_group_t *group)
{
    apr_pool_t *p = r->run->ctx->pool;
    nest_t n = { r, group, apr_hash_make(p), apr_array_make(p, 4, sizeof(const char *)) };
    const mdm_ldap_entry_t *entry;
    apr_status_t rv;

    if (!group->dn) {
        group->error = "this is no distinguished name";
        return APR_SUCCESS;
    }
    apr_hash_set(n.met, group->dn, APR_HASH_KEY_STRING, group->dn);
    if ((rv = read_entry(&entry, r, group->dn, group->group->directory)) != APR_SUCCESS)
        return rv;
    if (is_there(entry)) {
        join_all(&n, entry);
        return open_nested(&n);
    }
    /* where it is out of sight its members may tell of it */
    if (!group->seen && r->run->ctx->detail)
        group->error = apr_pstrdup(p, r->run->ctx->detail);
    else if (!group->seen)
        group->error = entry == &nothing_there ? "there is no entry of this name"
                                               : "the entry may not be read, or is in another directory";
    mdm_ctx_clear(r->run->ctx);
    return APR_SUCCESS;
}

apr_status_t mdm_directory_fetch_groups(mdm_directory_run_t *run, mdm_ldap_t *ldap)
{
    reading_t r = { run, ldap, apr_hash_make(run->ctx->pool) };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < run->groups->nelts; i++)
        rv = fetch_group(&r, &APR_ARRAY_IDX(run->groups, i, mdm_directory_group_t));
    return rv;
}
