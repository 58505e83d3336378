/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be said of a person, and how it is written in JSON: names, values, and where each belongs. Any thread; asks
 * no database.
 */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_json_plist.h"
#include "mdm_nearest.h"
#include "mdm_person.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

static int has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return 1;
    }
    return 0;
}

apr_status_t mdm_person_check_login(mdm_ctx_t *ctx, const char *login)
{
    if (!*login || strlen(login) > MDM_PERSON_LOGIN_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the login must have 1 to %d bytes, not %d", MDM_PERSON_LOGIN_MAX,
                        (int)strlen(login));
    if (!mdm_utf8_valid(mdm_bytes_of(login)) || has_control(login))
        return mdm_fail(ctx, MDM_EINPUT, "the login must be UTF-8 text without control characters");
    return APR_SUCCESS;
}

static int is_mail(const char *name)
{
    return !strcmp(name, "email") || !strcmp(name, "mail");
}

apr_status_t mdm_person_check_name(mdm_ctx_t *ctx, const char *name)
{
    static const char *const own[] = { "login", "display_name", "email", "mail", "disabled", "disabled_by", "source",
                                       "attributes", "created_at", "changed_at", "synced_at", NULL };
    int i;

    if (!apr_isalpha(*name) || strlen(name) > MDM_PERSON_NAME_MAX || strspn(name, NAME_CHARACTERS) != strlen(name))
        return mdm_fail(ctx, MDM_EINPUT, "'%s' cannot be the name of an attribute: a letter, then letters, digits "
                        "and _ . - (%d at most)", mdm_nearest_shown(name, ctx->pool), MDM_PERSON_NAME_MAX);
    for (i = 0; own[i]; i++) {
        if (!strcmp(own[i], name))
            return mdm_fail(ctx, MDM_EINPUT, "'%s' cannot be the name of an attribute: every user has it beside the "
                            "attributes; take another name", name);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_person_check_text(mdm_ctx_t *ctx, const char *name, const char *text)
{
    if (strlen(text) > MDM_PERSON_TEXT_MAX)
        return mdm_fail(ctx, MDM_ETOOBIG, "%s must not be longer than %d bytes", name, MDM_PERSON_TEXT_MAX);
    if (!mdm_utf8_valid(mdm_bytes_of(text)) || has_control(text))
        return mdm_fail(ctx, MDM_EINPUT, "%s must be UTF-8 text without control characters, such as line feeds", name);
    return APR_SUCCESS;
}

static apr_status_t say_disabled(mdm_ctx_t *ctx, mdm_person_change_t *change, const char *text)
{
    static const struct { const char *word; int value; } words[] = {
        { "yes", 1 }, { "true", 1 }, { "1", 1 }, { "no", 0 }, { "false", 0 }, { "0", 0 }, { "", -1 }
    };
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strcasecmp(words[i].word, text)) {
            if (words[i].value >= 0)
                change->disabled = words[i].value;
            return APR_SUCCESS;
        }
    }
    return mdm_fail(ctx, MDM_EINPUT, "disabled must be yes or no, not \"%s\"", mdm_nearest_shown(text, ctx->pool));
}

/* @param value a new reference */
static apr_status_t set(mdm_ctx_t *ctx, mdm_person_change_t *change, const char *name, json_t *value)
{
    apr_status_t rv = mdm_person_check_name(ctx, name);

    if (rv != APR_SUCCESS) {
        json_decref(value);
        return rv;
    }
    if (!change->attributes)
        change->attributes = mdm_json_object(ctx->pool);
    json_object_set_new(change->attributes, name, value);
    return APR_SUCCESS;
}

apr_status_t mdm_person_say(mdm_ctx_t *ctx, mdm_person_change_t *change, const char *name, const char *text)
{
    apr_status_t rv;

    if (!strcmp(name, "disabled"))
        return say_disabled(ctx, change, text);
    if ((rv = mdm_person_check_text(ctx, name, text)) != APR_SUCCESS)
        return rv;
    if (!strcmp(name, "display_name"))
        change->display_name = text;
    else if (is_mail(name))
        change->email = text;
    else
        return set(ctx, change, name, json_string(text));
    return APR_SUCCESS;
}

apr_status_t mdm_person_say_list(mdm_ctx_t *ctx, mdm_person_change_t *change, const char *name,
                                 const apr_array_header_t *texts)
{
    json_t *list;
    apr_status_t rv;
    int i;

    if (texts->nelts < 2 || !strcmp(name, "display_name") || is_mail(name))
        return mdm_person_say(ctx, change, name, texts->nelts ? APR_ARRAY_IDX(texts, 0, const char *) : "");
    if (texts->nelts > MDM_PERSON_VALUES_MAX)
        return mdm_fail(ctx, MDM_ETOOBIG, "%s must have at most %d values, not %d", name, MDM_PERSON_VALUES_MAX,
                        texts->nelts);
    for (i = 0; i < texts->nelts; i++) {
        if ((rv = mdm_person_check_text(ctx, name, APR_ARRAY_IDX(texts, i, const char *))) != APR_SUCCESS)
            return rv;
    }
    list = json_array();
    for (i = 0; i < texts->nelts; i++)
        json_array_append_new(list, json_string(APR_ARRAY_IDX(texts, i, const char *)));
    return set(ctx, change, name, list);
}

/* ---- JSON */

static apr_status_t read_text(const char **text, mdm_ctx_t *ctx, const char *name, const json_t *value)
{
    if (json_is_null(value)) {
        *text = "";
        return APR_SUCCESS;
    }
    if (!json_is_string(value))
        return mdm_fail(ctx, MDM_EINPUT, "%s must be a text or null, not %s", name, mdm_json_kind(value));
    *text = json_string_value(value);
    return mdm_person_check_text(ctx, name, *text);
}

static apr_status_t read_attribute(mdm_person_change_t *change, mdm_ctx_t *ctx, const char *name, json_t *value)
{
    const char *path = apr_pstrcat(ctx->pool, "attributes.", mdm_nearest_shown(name, ctx->pool), NULL), *text;
    apr_array_header_t *texts;
    json_t *item;
    apr_status_t rv;
    size_t i;

    if (!json_is_array(value)) {
        rv = read_text(&text, ctx, path, value);
        return rv == APR_SUCCESS ? set(ctx, change, name, json_string(text)) : rv;
    }
    texts = apr_array_make(ctx->pool, 4, sizeof(const char *));
    json_array_foreach(value, i, item) {
        if (!json_is_string(item))
            return mdm_fail(ctx, MDM_EINPUT, "%s[%d] must be a text, not %s", path, (int)i, mdm_json_kind(item));
        if (!*json_string_value(item))
            return mdm_fail(ctx, MDM_EINPUT, "%s[%d] is empty: give it a text, or leave it out", path, (int)i);
        if ((rv = mdm_person_check_text(ctx, path, json_string_value(item))) != APR_SUCCESS)
            return rv;
        APR_ARRAY_PUSH(texts, const char *) = json_string_value(item);
    }
    if (texts->nelts > MDM_PERSON_VALUES_MAX)
        return mdm_fail(ctx, MDM_ETOOBIG, "%s must have at most %d values, not %d", path, MDM_PERSON_VALUES_MAX,
                        texts->nelts);
    return set(ctx, change, name, json_incref(value));
}

static apr_status_t read_attributes(mdm_person_change_t *change, mdm_ctx_t *ctx, json_t *object)
{
    const char *name;
    json_t *value;
    apr_status_t rv;

    if (!json_is_object(object))
        return mdm_fail(ctx, MDM_EINPUT, "attributes must be an object of texts and lists of texts, not %s",
                        mdm_json_kind(object));
    json_object_foreach(object, name, value) {
        if ((rv = read_attribute(change, ctx, name, value)) != APR_SUCCESS)
            return rv;
    }
    return APR_SUCCESS;
}

static apr_status_t read_member(mdm_person_change_t *change, mdm_ctx_t *ctx, const char *name, json_t *value)
{
    if (!strcmp(name, "display_name"))
        return read_text(&change->display_name, ctx, name, value);
    if (!strcmp(name, "email"))
        return read_text(&change->email, ctx, name, value);
    if (!strcmp(name, "attributes"))
        return read_attributes(change, ctx, value);
    if (strcmp(name, "disabled"))
        return mdm_fail(ctx, MDM_EINPUT, "there is no member '%s': display_name, email, disabled and attributes can be "
                        "given", mdm_nearest_shown(name, ctx->pool));
    if (!json_is_boolean(value))
        return mdm_fail(ctx, MDM_EINPUT, "disabled must be true or false, not %s", mdm_json_kind(value));
    change->disabled = json_is_true(value);
    return APR_SUCCESS;
}

apr_status_t mdm_person_read(mdm_person_change_t *change, mdm_ctx_t *ctx, const json_t *json, int replace)
{
    const char *name;
    json_t *value;
    apr_status_t rv;

    change->replace = replace;
    json_object_foreach((json_t *)json, name, value) {
        if ((rv = read_member(change, ctx, name, value)) != APR_SUCCESS)
            return rv;
    }
    return APR_SUCCESS;
}

static void set_time(json_t *json, const char *name, apr_time_t at, apr_pool_t *p)
{
    mdm_json_set_text(json, name, at ? mdm_time_text(at, p) : NULL);
}

json_t *mdm_person_json(const mdm_user_t *user, apr_pool_t *p)
{
    json_t *json = json_object(), *attributes = json_loads(user->attributes, 0, NULL);

    mdm_json_set_text(json, "login", user->login);
    mdm_json_set_text(json, "display_name", user->display_name);
    mdm_json_set_text(json, "email", user->email);
    json_object_set_new(json, "disabled", json_boolean(user->disabled));
    mdm_json_set_text(json, "disabled_by", user->disabled_by);
    json_object_set_new(json, "attributes", attributes ? attributes : json_object());
    mdm_json_set_text(json, "source", user->source);
    set_time(json, "created_at", user->created_at, p);
    set_time(json, "changed_at", user->changed_at, p);
    set_time(json, "synced_at", user->synced_at, p);
    return json;
}
