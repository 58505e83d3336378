/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules are read here: every member is known, every name can have a value, every operator gets what it can compare.
 * Called by the API with what an administrator wrote, and with what is stored; any thread. Decides nothing about who
 * is in a group.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_nearest.h"
#include "mdm_rule_parts.h"

#define FORM "a rule is {\"all\": [rules]}, {\"any\": [rules]}, {\"not\": rule}, {\"user.title\": \"Nurse\"} or " \
             "{\"fact\": name, \"op\": operator, \"value\": value}"

static const struct {
    const char *name;
    mdm_rule_op_e op;
} ops[] = {
    { "is", MDM_RULE_IS }, { "is_not", MDM_RULE_IS_NOT }, { "less", MDM_RULE_LESS }, { "at_most", MDM_RULE_AT_MOST },
    { "more", MDM_RULE_MORE }, { "at_least", MDM_RULE_AT_LEAST }, { "in", MDM_RULE_IN },
    { "contains", MDM_RULE_CONTAINS }, { "starts_with", MDM_RULE_STARTS_WITH }, { "exists", MDM_RULE_EXISTS }
};

#define OPS ((int)(sizeof(ops) / sizeof(ops[0])))

typedef struct {
    mdm_ctx_t *ctx;
    mdm_rule_t *rule;
} reading_t;

static apr_status_t read_node(mdm_rule_node_t **out, reading_t *r, const json_t *json, const char *path, int depth);

/* "all[1]" is what a message calls a place; the whole rule has no name. */
static const char *at(const char *path, apr_pool_t *p)
{
    return *path ? apr_pstrcat(p, "the rule at ", path, NULL) : "the rule";
}

static const char *inside(const char *path, const char *name, apr_pool_t *p)
{
    return *path ? apr_pstrcat(p, path, ".", name, NULL) : name;
}

static apr_status_t refuse(reading_t *r, const char *path, const char *why)
{
    return mdm_fail(r->ctx, MDM_EINPUT, "%s: %s", at(path, r->ctx->pool), why);
}

static void note(apr_array_header_t *names, const char *name)
{
    int i;

    for (i = 0; i < names->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(names, i, const char *), name))
            return;
    }
    APR_ARRAY_PUSH(names, const char *) = name;
}

static apr_status_t read_op(mdm_rule_op_e *op, reading_t *r, const json_t *json, const char *path)
{
    const char *name = json_string_value(json), *known = "";
    int i;

    for (i = 0; i < OPS; i++) {
        if (name && !strcmp(ops[i].name, name)) {
            *op = ops[i].op;
            return APR_SUCCESS;
        }
        known = apr_pstrcat(r->ctx->pool, known, i ? ", " : "", ops[i].name, NULL);
    }
    return refuse(r, inside(path, "op", r->ctx->pool), apr_pstrcat(r->ctx->pool, name ? "there is no operator "
                  : "an operator is a text", name ? mdm_nearest_shown(name, r->ctx->pool) : "", "; there are ", known,
                  NULL));
}

static int is_version_name(const mdm_rule_node_t *test)
{
    return test->source == MDM_RULE_COLUMN && test->column == MDM_RULE_OS_VERSION;
}

/* "0.5" is less than 0.25 as a version: what it is compared with decides. */
static void read_number(mdm_rule_operand_t *operand)
{
    json_t *json = json_loads(operand->text, JSON_DECODE_ANY, NULL);

    if (!operand->is_number && json_is_number(json)) {
        operand->reads_number = 1;
        operand->number = json_number_value(json);
    }
    json_decref(json);
}

static apr_status_t read_scalar(reading_t *r, mdm_rule_node_t *test, const json_t *json, const char *path)
{
    mdm_rule_operand_t operand;

    if (!mdm_rule_operand(&operand, json, r->ctx->pool))
        return refuse(r, path, json_is_array(json) ? "a list of values is for the operator in alone"
                                                   : "a value is a text, a number, true or false");
    if (strlen(operand.text) > MDM_RULE_TEXT_MAX)
        return mdm_fail(r->ctx, MDM_ETOOBIG, "%s: a value has at most %d bytes", at(path, r->ctx->pool),
                        MDM_RULE_TEXT_MAX);
    if (json_is_real(json) && is_version_name(test))
        return refuse(r, path, "a version is a text (\"17.10\"): as a number 17.10 is 17.1");
    if (operand.is_boolean && test->op >= MDM_RULE_LESS && test->op <= MDM_RULE_AT_LEAST)
        return refuse(r, path, "true and false have no order; this operator takes a text, a version or a number");
    if ((operand.is_boolean || operand.is_number)
        && (test->op == MDM_RULE_CONTAINS || test->op == MDM_RULE_STARTS_WITH))
        return refuse(r, path, "this operator takes a text, not a number, true or false");
    if (!*operand.text)
        return refuse(r, path, "an empty value is never there; to ask for its absence write {\"not\": {\"fact\": "
                      "name, \"op\": \"exists\"}}");
    read_number(&operand);
    APR_ARRAY_PUSH(test->values, mdm_rule_operand_t) = operand;
    return APR_SUCCESS;
}

static apr_status_t read_list(reading_t *r, mdm_rule_node_t *test, const json_t *json, const char *path)
{
    apr_status_t rv = APR_SUCCESS;
    const json_t *one;
    size_t i;

    if (!json_is_array(json) || !json_array_size(json))
        return refuse(r, path, "the operator in takes a list of values, with one at least");
    if (json_array_size(json) > MDM_RULE_VALUES_MAX)
        return mdm_fail(r->ctx, MDM_ETOOBIG, "%s: a list has at most %d values", at(path, r->ctx->pool),
                        MDM_RULE_VALUES_MAX);
    json_array_foreach(json, i, one) {
        if ((rv = read_scalar(r, test, one, apr_psprintf(r->ctx->pool, "%s[%d]", path, (int)i))) != APR_SUCCESS)
            break;
    }
    return rv;
}

static apr_status_t read_value(reading_t *r, mdm_rule_node_t *test, const json_t *json, const char *path)
{
    if (test->op == MDM_RULE_EXISTS)
        return !json || json_is_true(json) ? APR_SUCCESS
            : refuse(r, path, "exists takes no value; for the contrary write {\"not\": {\"fact\": name, \"op\": "
                     "\"exists\"}}");
    if (!json)
        return refuse(r, path, "there is no value to compare with: give one");
    return test->op == MDM_RULE_IN ? read_list(r, test, json, path) : read_scalar(r, test, json, path);
}

static apr_status_t name_test(reading_t *r, mdm_rule_node_t *test, const char *name, const char *path)
{
    const char *fact;
    apr_status_t rv;

    if (++r->rule->tests > MDM_RULE_TESTS_MAX)
        return mdm_fail(r->ctx, MDM_ETOOBIG, "a rule has at most %d tests: compare with lists by the operator in, or "
                        "part it into groups", MDM_RULE_TESTS_MAX);
    test->kind = MDM_RULE_TEST;
    test->name = apr_pstrdup(r->ctx->pool, name);
    test->values = apr_array_make(r->ctx->pool, 1, sizeof(mdm_rule_operand_t));
    if ((rv = mdm_rule_source(test, &fact, r->ctx, at(path, r->ctx->pool))) != APR_SUCCESS)
        return rv;
    if (fact)
        note(r->rule->watches, fact);
    if (test->source == MDM_RULE_FACT)
        note(r->rule->facts, test->key);
    if (test->source >= MDM_RULE_DISPLAY_NAME && test->source <= MDM_RULE_ATTRIBUTE)
        r->rule->wants_attributes = 1;
    return APR_SUCCESS;
}

static apr_status_t read_test(reading_t *r, mdm_rule_node_t *test, const json_t *json, const char *path)
{
    const json_t *name = json_object_get(json, "fact"), *value = json_object_get(json, "value");
    apr_pool_t *p = r->ctx->pool;
    const json_t *one;
    const char *key;
    apr_status_t rv;

    json_object_foreach((json_t *)json, key, one) {
        if (strcmp(key, "fact") && strcmp(key, "op") && strcmp(key, "value"))
            return refuse(r, path, apr_pstrcat(p, "there is no member ", mdm_nearest_shown(key, p),
                          "; a test has fact, op and value", NULL));
    }
    if (!json_is_string(name))
        return refuse(r, inside(path, "fact", p), "a fact is a name such as \"user.title\" or \"device.OSVersion\"");
    rv = name_test(r, test, json_string_value(name), inside(path, "fact", p));
    if (rv == APR_SUCCESS)
        rv = read_op(&test->op, r, json_object_get(json, "op"), path);
    return rv == APR_SUCCESS ? read_value(r, test, value, inside(path, "value", p)) : rv;
}

static apr_status_t read_list_of_rules(reading_t *r, mdm_rule_node_t *node, const json_t *json, const char *path,
                                       int depth)
{
    apr_status_t rv = APR_SUCCESS;
    const json_t *one;
    size_t i;

    if (!json_is_array(json) || !json_array_size(json))
        return refuse(r, path, "all and any take a list of rules, with one at least");
    if (json_array_size(json) > MDM_RULE_TESTS_MAX)
        return mdm_fail(r->ctx, MDM_ETOOBIG, "a rule has at most %d tests: compare with lists by the operator in, or "
                        "part it into groups", MDM_RULE_TESTS_MAX);
    json_array_foreach(json, i, one) {
        mdm_rule_node_t *inner;

        rv = read_node(&inner, r, one, apr_psprintf(r->ctx->pool, "%s[%d]", path, (int)i), depth + 1);
        if (rv != APR_SUCCESS)
            break;
        APR_ARRAY_PUSH(node->inner, const mdm_rule_node_t *) = inner;
    }
    return rv;
}

static apr_status_t read_not(reading_t *r, mdm_rule_node_t *node, const json_t *json, const char *path, int depth)
{
    mdm_rule_node_t *inner;
    apr_status_t rv = read_node(&inner, r, json, path, depth + 1);

    if (rv == APR_SUCCESS)
        APR_ARRAY_PUSH(node->inner, const mdm_rule_node_t *) = inner;
    return rv;
}

static apr_status_t read_single(reading_t *r, mdm_rule_node_t *node, const json_t *json, const char *path, int depth)
{
    const char *name = json_object_iter_key(json_object_iter((json_t *)json));
    const json_t *value = json_object_get(json, name);
    const char *where = inside(path, mdm_nearest_shown(name, r->ctx->pool), r->ctx->pool);
    apr_status_t rv;

    node->kind = !strcmp(name, "all") ? MDM_RULE_ALL : !strcmp(name, "any") ? MDM_RULE_ANY : MDM_RULE_NOT;
    if (node->kind != MDM_RULE_NOT)
        return read_list_of_rules(r, node, value, where, depth);
    if (!strcmp(name, "not"))
        return read_not(r, node, value, where, depth);
    if (!strchr(name, '.'))
        return refuse(r, path, apr_pstrcat(r->ctx->pool, "there is no member ", mdm_nearest_shown(name, r->ctx->pool),
                      "; " FORM, NULL));
    rv = name_test(r, node, name, path);
    return rv == APR_SUCCESS ? read_value(r, node, value, where) : rv;
}

static apr_status_t read_node(mdm_rule_node_t **out, reading_t *r, const json_t *json, const char *path, int depth)
{
    mdm_rule_node_t *node = apr_pcalloc(r->ctx->pool, sizeof(*node));

    if (depth > MDM_RULE_DEPTH_MAX)
        return mdm_fail(r->ctx, MDM_ETOOBIG, "the rule is nested deeper than %d levels: put rules of one all or any "
                        "into one list", MDM_RULE_DEPTH_MAX);
    if (!json_is_object(json) || !json_object_size(json))
        return refuse(r, path, FORM);
    node->inner = apr_array_make(r->ctx->pool, 2, sizeof(const mdm_rule_node_t *));
    *out = node;
    if (json_object_get(json, "fact") || json_object_get(json, "op"))
        return read_test(r, node, json, path);
    if (json_object_size(json) > 1)
        return refuse(r, path, "one object is one rule; join several by {\"all\": [...]} or {\"any\": [...]}");
    return read_single(r, node, json, path, depth);
}

apr_status_t mdm_rule_of(mdm_rule_t **out, mdm_ctx_t *ctx, const json_t *json)
{
    mdm_rule_t *rule = apr_pcalloc(ctx->pool, sizeof(*rule));
    reading_t r = { ctx, rule };
    mdm_rule_node_t *root;
    apr_status_t rv;

    rule->facts = apr_array_make(ctx->pool, 4, sizeof(const char *));
    rule->watches = apr_array_make(ctx->pool, 4, sizeof(const char *));
    if ((rv = read_node(&root, &r, json, "", 1)) != APR_SUCCESS)
        return rv;
    rule->root = root;
    rule->text = mdm_json_compact(json, ctx->pool);
    if (!rule->text || strlen(rule->text) > MDM_RULE_BYTES_MAX)
        return mdm_fail(ctx, MDM_ETOOBIG, "a rule has at most %d bytes: make it shorter, or part it into groups",
                        MDM_RULE_BYTES_MAX);
    *out = rule;
    return APR_SUCCESS;
}

apr_status_t mdm_rule_read(mdm_rule_t **out, mdm_ctx_t *ctx, mdm_bytes_t text)
{
    json_t *json;
    apr_status_t rv;

    if (text.len > MDM_RULE_BYTES_MAX)
        return mdm_fail(ctx, MDM_ETOOBIG, "a rule has at most %d bytes: make it shorter, or part it into groups",
                        MDM_RULE_BYTES_MAX);
    rv = mdm_json_read(&json, ctx, text);
    return rv == APR_SUCCESS ? mdm_rule_of(out, ctx, json) : rv;
}

const char *mdm_rule_text(const mdm_rule_t *rule)
{
    return rule->text;
}

const apr_array_header_t *mdm_rule_facts(const mdm_rule_t *rule)
{
    return rule->facts;
}

const apr_array_header_t *mdm_rule_watches(const mdm_rule_t *rule)
{
    return rule->watches;
}

int mdm_rule_wants_attributes(const mdm_rule_t *rule)
{
    return rule->wants_attributes;
}
