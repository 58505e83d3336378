/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MDMUserAttribute: made into expressions of httpd while the configuration is read, evaluated when somebody signs in.
 * Knows nothing of who authenticated the person: LDAP's attributes, OIDC's claims and headers are all there for httpd's
 * expressions.
 */
#include <ap_expr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_log.h>

#include "mod_mdm_person.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

typedef struct {
    const char *name;
    const ap_expr_info_t *value;
} attribute_t;

/* The length of "%{NAME}e" at the start of a text, 0 when it is none. */
static apr_size_t short_form(const char *text)
{
    apr_size_t n;

    if (strncmp(text, "%{", 2) || !(n = strspn(text + 2, NAME_CHARACTERS)) || strncmp(text + 2 + n, "}e", 2)
        || apr_isalnum(text[n + 4]))
        return 0;
    return n + 4;
}

/* "%{NAME}e", as log formats write it, is "%{reqenv:NAME}" for an expression. */
static const char *expand(const char *text, apr_pool_t *p)
{
    char *out = apr_palloc(p, strlen(text) * 3 + 1), *to = out;

    while (*text) {
        apr_size_t n = short_form(text);

        if (n) {
            to += sprintf(to, "%%{reqenv:%.*s}", (int)n - 4, text + 2);
            text += n;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
    return out;
}

const char *mdm_person_directive(cmd_parms *cmd, void *dirv, const char *name, const char *text)
{
    mdm_dir_conf_t *dir = dirv;
    mdm_ctx_t *ctx = mdm_ctx_create(cmd->temp_pool, NULL);
    const char *err = NULL;
    attribute_t *attribute;
    ap_expr_info_t *value;

    if (strcmp(name, "display_name") && strcmp(name, "email") && strcmp(name, "mail")
        && mdm_person_check_name(ctx, name) != APR_SUCCESS)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", ctx->detail, NULL);
    value = ap_expr_parse_cmd(cmd, expand(text, cmd->pool), AP_EXPR_FLAG_STRING_RESULT | AP_EXPR_FLAG_DONT_VARY, &err,
                              NULL);
    if (err)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " ", name, ": cannot understand '", text, "': ", err, NULL);
    if (!dir->user_attributes)
        dir->user_attributes = apr_array_make(cmd->pool, 4, sizeof(attribute_t));
    attribute = apr_array_push(dir->user_attributes);
    attribute->name = name;
    attribute->value = value;
    return NULL;
}

static void leave_out(request_rec *r, const char *login, const char *name, const char *why)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(1000) "MDMUserAttribute %s of %s is left out: %s", name,
                  login, why);
}

/* The first value that is not empty counts, so that several directives can stand in for one another. */
static int is_said(const apr_array_header_t *said, const char *name)
{
    int i;

    for (i = 0; i < said->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(said, i, const char *), name))
            return 1;
    }
    return 0;
}

mdm_person_change_t *mdm_person_said(request_rec *r, mdm_ctx_t *ctx, const char *login)
{
    const apr_array_header_t *attributes = mdm_config_dir(r)->user_attributes;
    apr_array_header_t *said;
    mdm_person_change_t *change;
    int i;

    if (!attributes)
        return NULL;
    said = apr_array_make(r->pool, attributes->nelts, sizeof(const char *));
    change = apr_palloc(r->pool, sizeof(*change));
    *change = mdm_person_change(apr_pstrdup(r->pool, login));
    for (i = 0; i < attributes->nelts; i++) {
        const attribute_t *attribute = &APR_ARRAY_IDX(attributes, i, attribute_t);
        const char *err = NULL, *text = ap_expr_str_exec(r, attribute->value, &err);

        if (err) {
            leave_out(r, login, attribute->name, err);
        } else if (text && *text && !is_said(said, attribute->name)) {
            APR_ARRAY_PUSH(said, const char *) = attribute->name;
            if (mdm_person_say(ctx, change, attribute->name, text) != APR_SUCCESS) {
                leave_out(r, login, attribute->name, ctx->detail);
                mdm_ctx_clear(ctx);
            }
        }
    }
    return change;
}
