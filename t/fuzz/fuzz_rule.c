/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the rules of groups. An input is a rule, an empty line, and of whom it is asked: {"login", "known",
 * "display_name", "email", "disabled", "attributes": {}, "columns": [in the order of mdm_rule_column_e],
 * "facts": {name: stored text}}; what is missing or no JSON is not known. A rule that is taken must be read again from
 * its own text and answer the same, its contrary must answer the contrary, and each answer has its reason. Built with
 * libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include "mdm_json.h"
#include "mdm_rule.h"
#include "target.h"

static const char *text_of(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static mdm_rule_values_t values_of(const json_t *json, apr_pool_t *p)
{
    mdm_rule_values_t values = { 0 };
    const char *name;
    json_t *fact;
    int i;

    values.login = text_of(json, "login");
    values.known = values.login && !json_is_false(json_object_get(json, "known"));
    values.display_name = text_of(json, "display_name");
    values.email = text_of(json, "email");
    values.disabled = json_is_true(json_object_get(json, "disabled"));
    values.attributes = json_object_get(json, "attributes");
    for (i = 0; i < MDM_RULE_COLUMNS; i++)
        values.columns[i] = json_string_value(json_array_get(json_object_get(json, "columns"), (size_t)i));
    values.facts = apr_hash_make(p);
    json_object_foreach(json_object_get(json, "facts"), name, fact) {
        if (json_is_string(fact))
            apr_hash_set(values.facts, name, APR_HASH_KEY_STRING, json_string_value(fact));
    }
    return values;
}

static void look_at_names(const mdm_rule_t *rule)
{
    const apr_array_header_t *facts = mdm_rule_facts(rule), *watches = mdm_rule_watches(rule);
    int i, j;

    check(facts->nelts <= MDM_RULE_TESTS_MAX && watches->nelts <= MDM_RULE_TESTS_MAX);
    for (i = 0; i < facts->nelts; i++) {
        for (j = 0; j < watches->nelts; j++) {
            if (!strcmp(APR_ARRAY_IDX(facts, i, const char *), APR_ARRAY_IDX(watches, j, const char *)))
                break;
        }
        check(j < watches->nelts);
    }
}

static int ask(const mdm_rule_t *rule, const mdm_rule_values_t *values, apr_pool_t *p)
{
    int holds = mdm_rule_holds(rule, values, p);
    const char *reason = mdm_rule_reason(rule, values, p);

    check(holds == 0 || holds == 1);
    check(!strncmp(reason, "because ", 8) && reason[8] && strlen(reason) <= MDM_RULE_REASON_MAX);
    check(mdm_utf8_valid(mdm_bytes_of(reason)));
    return holds;
}

static void use(mdm_ctx_t *ctx, const mdm_rule_t *rule, const mdm_rule_values_t *values)
{
    const char *text = mdm_rule_text(rule);
    mdm_rule_t *again, *contrary;
    int holds = ask(rule, values, ctx->pool);
    apr_status_t rv;

    look_at_names(rule);
    check(mdm_rule_read(&again, ctx, mdm_bytes_of(text)) == APR_SUCCESS && !strcmp(mdm_rule_text(again), text));
    check(ask(again, values, ctx->pool) == holds);
    check(mdm_rule_facts(again)->nelts == mdm_rule_facts(rule)->nelts
          && mdm_rule_wants_attributes(again) == mdm_rule_wants_attributes(rule));
    rv = mdm_rule_read(&contrary, ctx, mdm_bytes_of(apr_pstrcat(ctx->pool, "{\"not\":", text, "}", NULL)));
    if (rv != APR_SUCCESS)
        check(rv == MDM_ETOOBIG);
    else
        check(ask(contrary, values, ctx->pool) == !holds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t rest = { data, size }, text = target_cut(&rest, "\n\n");
    mdm_ctx_t *ctx = target_ctx();
    mdm_rule_t *rule;
    json_t *json = NULL;
    apr_status_t rv = mdm_rule_read(&rule, ctx, text);

    if (rv != APR_SUCCESS) {
        check_refusal(ctx, rv);
    } else {
        mdm_rule_values_t values;

        check(!ctx->detail);
        mdm_json_read(&json, ctx, rest);
        mdm_ctx_clear(ctx);
        values = values_of(json, ctx->pool);
        use(ctx, rule, &values);
    }
    apr_pool_destroy(ctx->pool);
    return 0;
}
