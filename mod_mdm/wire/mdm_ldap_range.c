/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of long lists, as Active Directory hands them out ("member;range=0-1499", the last "member;range=1500-*").
 * What is read here comes from the network: nothing is taken for a range that does not lead on.
 */
#include <string.h>

#include "mdm_ldap_wait.h"

#define RANGE ";range="
#define BINARY ";binary"

static int is_form(const char *option, apr_size_t len)
{
    return !strncasecmp(option, RANGE, strlen(RANGE)) || (len == strlen(BINARY) && !strncasecmp(option, BINARY, len));
}

/*
 * Options that say in which form or part values come belong to no name; any other, such as a language, makes another
 * attribute, and is part of its name.
 */
static apr_size_t length_of_name(const char *description)
{
    apr_size_t name_len = strcspn(description, ";"), len;
    const char *option;

    for (option = description + name_len; *option; option += len) {
        len = 1 + strcspn(option + 1, ";");
        if (!is_form(option, len))
            return strlen(description);
    }
    return name_len;
}

/* Up to 1000000, far more than is kept of a list. @return -1: no number */
static long read_number(const char **at)
{
    const char *from = *at;
    long n = 0;

    for (; **at >= '0' && **at <= '9' && *at - from < 7; (*at)++)
        n = n * 10 + (**at - '0');
    return *at == from || *at - from == 7 ? -1 : n;
}

/* Options of a description are told apart by semicolons, in any case and order. */
static const char *find_range(const char *description)
{
    const char *at = description;

    while ((at = strchr(at, ';')) != NULL && strncasecmp(at, RANGE, strlen(RANGE)))
        at++;
    return at;
}

apr_status_t mdm_ldap_range(mdm_ldap_range_t *out, const char *description)
{
    const char *at = find_range(description);

    out->name_len = length_of_name(description);
    out->first = 0;
    out->last = -1;
    out->given = at != NULL;
    if (!at)
        return APR_SUCCESS;
    at += strlen(RANGE);
    if ((out->first = read_number(&at)) < 0 || *at++ != '-')
        return MDM_EINPUT;
    if (!strcmp(at, "*"))
        return APR_SUCCESS;
    if ((out->last = read_number(&at)) < out->first || *at)
        return MDM_EINPUT;
    return APR_SUCCESS;
}
