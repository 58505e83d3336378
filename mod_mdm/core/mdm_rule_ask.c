/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules are asked here, and say why. What a device gave as a number is compared as a number, two texts that look like
 * versions part by part, everything else as text, byte by byte. Any thread; decides nothing about who is in a group.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_bytes.h"
#include "mdm_rule_parts.h"

#define VERSION_PARTS_MAX 8
#define SHOWN_MAX 64              /* bytes of a value within a reason */
#define SHOWN_VALUES 3            /* of a list */

#define DIGITS "0123456789"

/* ---- comparing */

/* "17", "17.10.1"; not "007", which is a name, and not "17.". */
static int is_version(const char *text)
{
    int parts = 0;

    for (;;) {
        apr_size_t digits = strspn(text, DIGITS);

        if (!digits || (digits > 1 && *text == '0') || ++parts > VERSION_PARTS_MAX)
            return 0;
        text += digits;
        if (!*text)
            return 1;
        if (*text++ != '.')
            return 0;
    }
}

/* Parts that are not there are 0; those that are may have any number of digits. */
static int compare_versions(const char *a, const char *b)
{
    int order = 0;

    while (!order && (*a || *b)) {
        const char *x = *a ? a : "0", *y = *b ? b : "0";
        apr_size_t n = strspn(x, DIGITS), m = strspn(y, DIGITS);

        order = n != m ? (n < m ? -1 : 1) : strncmp(x, y, n);
        a += *a ? n : 0;
        b += *b ? m : 0;
        a += *a == '.';
        b += *b == '.';
    }
    return order;
}

static int compare(const mdm_rule_operand_t *found, const mdm_rule_operand_t *value)
{
    if (found->is_number && (value->is_number || value->reads_number))
        return found->number < value->number ? -1 : found->number > value->number;
    if (is_version(found->text) && is_version(value->text))
        return compare_versions(found->text, value->text);
    return strcmp(found->text, value->text);
}

static int is_in(const apr_array_header_t *values, const mdm_rule_operand_t *found)
{
    int i;

    for (i = 0; i < values->nelts; i++) {
        if (!compare(found, &APR_ARRAY_IDX(values, i, mdm_rule_operand_t)))
            return 1;
    }
    return 0;
}

static int holds_of(const mdm_rule_node_t *test, const mdm_rule_operand_t *found)
{
    const mdm_rule_operand_t *value = (const mdm_rule_operand_t *)test->values->elts;

    switch (test->op) {
    case MDM_RULE_IS:
    case MDM_RULE_IN:
        return is_in(test->values, found);
    case MDM_RULE_IS_NOT:
        return compare(found, value) != 0;
    case MDM_RULE_LESS:
        return compare(found, value) < 0;
    case MDM_RULE_AT_MOST:
        return compare(found, value) <= 0;
    case MDM_RULE_MORE:
        return compare(found, value) > 0;
    case MDM_RULE_AT_LEAST:
        return compare(found, value) >= 0;
    case MDM_RULE_CONTAINS:
        return strstr(found->text, value->text) != NULL;
    case MDM_RULE_STARTS_WITH:
        return !strncmp(found->text, value->text, strlen(value->text));
    default:
        return 1;
    }
}

int mdm_rule_test(int *which, const mdm_rule_node_t *test, const mdm_rule_found_t *found)
{
    int all = test->op == MDM_RULE_IS_NOT, i;

    *which = -1;
    if (test->op == MDM_RULE_EXISTS)
        return found->known;
    for (i = 0; i < found->count; i++) {
        if (holds_of(test, &found->operands[i]) != all) {
            *which = i;
            return !all;
        }
    }
    return all && found->count > 0;
}

int mdm_rule_node_holds(const mdm_rule_node_t *node, const mdm_rule_values_t *values, apr_pool_t *p)
{
    mdm_rule_found_t found;
    int i, which;

    if (node->kind == MDM_RULE_TEST) {
        mdm_rule_find(&found, node, values, p);
        return mdm_rule_test(&which, node, &found);
    }
    if (node->kind == MDM_RULE_NOT)
        return !mdm_rule_node_holds(APR_ARRAY_IDX(node->inner, 0, const mdm_rule_node_t *), values, p);
    for (i = 0; i < node->inner->nelts; i++) {
        if (mdm_rule_node_holds(APR_ARRAY_IDX(node->inner, i, const mdm_rule_node_t *), values, p)
            != (node->kind == MDM_RULE_ALL))
            return node->kind == MDM_RULE_ANY;
    }
    return node->kind == MDM_RULE_ALL;
}

int mdm_rule_holds(const mdm_rule_t *rule, const mdm_rule_values_t *values, apr_pool_t *scratch)
{
    return mdm_rule_node_holds(rule->root, values, scratch);
}

/* ---- why */

static const char *clipped(const char *text, apr_size_t most, apr_pool_t *p)
{
    return strlen(text) <= most ? text
        : apr_pstrcat(p, apr_pstrmemdup(p, text, mdm_utf8_fit(text, most - 3)), "...", NULL);
}

static const char *shown(const mdm_rule_found_t *found, int which, apr_pool_t *p)
{
    const char *text = "";
    int i;

    if (which >= 0 || found->count == 1)
        return clipped(found->operands[which < 0 ? 0 : which].text, SHOWN_MAX, p);
    for (i = 0; i < found->count && i < SHOWN_VALUES; i++)
        text = apr_pstrcat(p, text, i ? ", " : "(", clipped(found->operands[i].text, SHOWN_MAX, p), NULL);
    return apr_pstrcat(p, text, found->count > SHOWN_VALUES ? ", ...)" : ")", NULL);
}

/* "user.title Clerk is not Nurse": what was found, how it compares, with what. */
static const char *test_reason(const mdm_rule_node_t *test, const mdm_rule_values_t *values, apr_pool_t *p)
{
    static const struct {
        const char *yes, *no;
    } verbs[] = {
        [MDM_RULE_IS] = { "is", "is not" }, [MDM_RULE_IS_NOT] = { "is not", "is" },
        [MDM_RULE_LESS] = { "is less than", "is at least" },
        [MDM_RULE_AT_MOST] = { "is at most", "is more than" }, [MDM_RULE_MORE] = { "is more than", "is at most" },
        [MDM_RULE_AT_LEAST] = { "is at least", "is less than" }, [MDM_RULE_IN] = { NULL, NULL },
        [MDM_RULE_CONTAINS] = { "contains", "does not contain" },
        [MDM_RULE_STARTS_WITH] = { "starts with", "does not start with" }, [MDM_RULE_EXISTS] = { NULL, NULL }
    };
    mdm_rule_found_t found;
    const char *name = test->name, *verb, *value;
    int which, holds;

    mdm_rule_find(&found, test, values, p);
    holds = mdm_rule_test(&which, test, &found);
    if (!found.known)
        return apr_pstrcat(p, name, " is not known", NULL);
    if (!found.count || test->op == MDM_RULE_EXISTS)
        return apr_pstrcat(p, name, test->op == MDM_RULE_EXISTS ? " is known" : " is no single value", NULL);
    if (test->op == MDM_RULE_IN)
        return apr_pstrcat(p, name, " ", shown(&found, which, p), holds ? " is in the list" : " is not in the list",
                           NULL);
    verb = holds ? verbs[test->op].yes : verbs[test->op].no;
    value = clipped(APR_ARRAY_IDX(test->values, 0, mdm_rule_operand_t).text, SHOWN_MAX, p);
    if (!strcmp(verb, "is"))
        return apr_pstrcat(p, name, " is ", value, NULL);
    return apr_pstrcat(p, name, " ", shown(&found, which, p), " ", verb, " ", value, NULL);
}

/* The parts that decided: all of them when each was needed, else the first. */
static const char *node_reason(const mdm_rule_node_t *node, const mdm_rule_values_t *values, apr_pool_t *p)
{
    int holds, every, i;
    const char *text = "";

    if (node->kind == MDM_RULE_TEST)
        return test_reason(node, values, p);
    if (node->kind == MDM_RULE_NOT)
        return node_reason(APR_ARRAY_IDX(node->inner, 0, const mdm_rule_node_t *), values, p);
    holds = mdm_rule_node_holds(node, values, p);
    every = holds == (node->kind == MDM_RULE_ALL);
    for (i = 0; i < node->inner->nelts; i++) {
        const mdm_rule_node_t *inner = APR_ARRAY_IDX(node->inner, i, const mdm_rule_node_t *);

        if (!every && mdm_rule_node_holds(inner, values, p) != holds)
            continue;
        text = apr_pstrcat(p, text, *text ? " and " : "", node_reason(inner, values, p), NULL);
        if (!every || strlen(text) > MDM_RULE_REASON_MAX)
            break;
    }
    return text;
}

const char *mdm_rule_reason(const mdm_rule_t *rule, const mdm_rule_values_t *values, apr_pool_t *p)
{
    return clipped(apr_pstrcat(p, "because ", node_reason(rule->root, values, p), NULL), MDM_RULE_REASON_MAX, p);
}
