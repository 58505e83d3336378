/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in PKCS#11 tokens. Runs in mdmctl, and in each httpd child before its threads start. The only place
 * that uses OpenSSL's ENGINE interface: Debian 12 has no PKCS#11 provider, only the engine of libp11. Never
 * logs; what goes into a failure's detail is the URI, which carries no PIN, and OpenSSL's reason.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>
#endif

#include "mdm_pki_ossl.h"
#include "mdm_pki_token.h"

#define SCHEME "pkcs11:"
#define PIN_MAX 255
#define URI_MAX 1024
#define MODULE_ERRORS "PKCS#11 module"   /* how libp11 names what the module itself says */

struct mdm_token_t {
    mdm_key_t key;
    const char *uri;
    const char *module;          /* of the URI's module-path, or NULL: the system's choice */
    const char *pin;             /* or NULL */
};

/* The value of an attribute of the URI, percent-encoding undone; NULL when it is not there. */
static char *attribute(apr_pool_t *p, const char *uri, const char *name)
{
    const char *at = uri + strlen(SCHEME);
    apr_size_t len = strlen(name);

    while (*at) {
        apr_size_t part = strcspn(at, ";?&");

        if (part > len && !strncmp(at, name, len) && at[len] == '=') {
            char *value = apr_pstrmemdup(p, at + len + 1, part - len - 1), *to = value, *from;

            for (from = value; *from; from++) {
                if (from[0] == '%' && isxdigit((unsigned char)from[1]) && isxdigit((unsigned char)from[2])) {
                    char hex[3] = { from[1], from[2], '\0' };

                    *to++ = (char)apr_strtoi64(hex, NULL, 16);
                    from += 2;
                } else {
                    *to++ = *from;
                }
            }
            *to = '\0';
            return value;
        }
        at += part;
        at += *at != '\0';
    }
    return NULL;
}

/* What the module itself said ("PIN incorrect"), else what OpenSSL said last; neither names a secret. */
static const char *reason(mdm_ctx_t *ctx)
{
    unsigned long last = ERR_peek_last_error(), one;
    const char *text;

    while ((one = ERR_get_error()) != 0) {
        const char *lib = ERR_lib_error_string(one);

        if (lib && !strcmp(lib, MODULE_ERRORS)) {
            last = one;
            break;
        }
    }
    text = ERR_reason_error_string(last);
    text = text ? apr_pstrdup(ctx->pool, text) : "no such key, or it cannot be used";
    ERR_clear_error();
    return text;
}

/* ---- through a provider */

static int give_pin(char *buffer, int size, int writing, void *baton)
{
    const char *pin = baton;

    (void)writing;
    if (!pin || strlen(pin) > (size_t)size)
        return -1;
    memcpy(buffer, pin, strlen(pin));
    return (int)strlen(pin);
}

static EVP_PKEY *first_key(OSSL_STORE_CTX *store)
{
    EVP_PKEY *pkey = NULL;

    while (!pkey && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (!info)
            break;
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            pkey = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    return pkey;
}

/* @return whether a provider serves the scheme; then *pkey is what it found */
static int from_provider(EVP_PKEY **pkey, const mdm_token_t *token)
{
    OSSL_STORE_LOADER *loader = OSSL_STORE_LOADER_fetch(NULL, "pkcs11", NULL);
    UI_METHOD *ui;
    OSSL_STORE_CTX *store;

    *pkey = NULL;
    if (!loader)
        return 0;
    OSSL_STORE_LOADER_free(loader);
    ERR_clear_error();
    ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
    store = OSSL_STORE_open_ex(token->uri, NULL, NULL, ui, (void *)token->pin, NULL, NULL, NULL);
    if (store) {
        (void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
        *pkey = first_key(store);
        OSSL_STORE_close(store);
    }
    UI_destroy_method(ui);
    return 1;
}

/* ---- through the engine */

#ifndef OPENSSL_NO_ENGINE
static apr_status_t finish_engine(void *baton)
{
    ENGINE_finish(baton);
    return APR_SUCCESS;
}

static int command(ENGINE *engine, const char *name, const char *value)
{
    return !value || ENGINE_ctrl_cmd_string(engine, name, value, 0);
}

static EVP_PKEY *from_engine(const char **why, mdm_ctx_t *ctx, const mdm_token_t *token)
{
    /* The engine knows no query part: what is in it has been taken out. */
    const char *uri = apr_pstrmemdup(ctx->pool, token->uri, strcspn(token->uri, "?"));
    ENGINE *engine;
    EVP_PKEY *pkey = NULL;

    OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, NULL);
    engine = ENGINE_by_id("pkcs11");
    if (!engine) {
        *why = "OpenSSL has neither a PKCS#11 provider nor the engine pkcs11 (Debian package: "
               "libengine-pkcs11-openssl)";
        ERR_clear_error();
        return NULL;
    }
    if (command(engine, "MODULE_PATH", token->module) && ENGINE_init(engine)) {
        apr_pool_cleanup_register(ctx->pool, engine, finish_engine, apr_pool_cleanup_null);
        if (command(engine, "PIN", token->pin))
            pkey = ENGINE_load_private_key(engine, uri, NULL, NULL);
    }
    *why = pkey ? NULL : reason(ctx);
    ENGINE_free(engine);
    return pkey;
}
#else
static EVP_PKEY *from_engine(const char **why, mdm_ctx_t *ctx, const mdm_token_t *token)
{
    (void)ctx;
    (void)token;
    *why = "OpenSSL has no provider that serves pkcs11: URIs";
    return NULL;
}
#endif

const char *mdm_token_uri(mdm_ctx_t *ctx, mdm_bytes_t text)
{
    apr_size_t len = text.len, i;

    while (len && isspace(text.data[len - 1]))
        len--;
    if (len <= strlen(SCHEME) || len > URI_MAX || strncasecmp((const char *)text.data, SCHEME,
                                                              strlen(SCHEME)))
        return NULL;
    for (i = 0; i < len; i++) {
        if (!isgraph(text.data[i]))
            return NULL;
    }
    return apr_pstrmemdup(ctx->pool, (const char *)text.data, len);
}

apr_status_t mdm_token_new(mdm_token_t **token, mdm_ctx_t *ctx, const char *uri, mdm_bytes_t pin)
{
    mdm_token_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    char *copy;

    if (attribute(ctx->pool, uri, "pin-value") || attribute(ctx->pool, uri, "pin-source"))
        return mdm_fail(ctx, MDM_ECONFIG, "the pkcs11: URI of a key must not name its PIN: put the PIN into "
                        "a file");
    while (pin.len && (pin.data[pin.len - 1] == '\n' || pin.data[pin.len - 1] == '\r'))
        pin.len--;
    if (pin.len > PIN_MAX || (pin.len && memchr(pin.data, '\0', pin.len)))
        return mdm_fail(ctx, MDM_ECONFIG, "the PIN is no text of at most %d characters", PIN_MAX);
    made->uri = apr_pstrdup(ctx->pool, uri);
    made->module = attribute(ctx->pool, uri, "module-path");
    if (pin.len) {
        mdm_bytes_t kept = { NULL, pin.len + 1 };

        copy = apr_pstrmemdup(ctx->pool, (const char *)pin.data, pin.len);
        kept.data = (const unsigned char *)copy;
        mdm_pool_cleanse(ctx, kept);
        made->pin = copy;
    }
    *token = made;
    return APR_SUCCESS;
}

const mdm_key_t *mdm_token_key(const mdm_token_t *token)
{
    return &token->key;
}

static apr_status_t close_token(void *baton)
{
    mdm_token_t *token = baton;

    EVP_PKEY_free(token->key.pkey);
    token->key.pkey = NULL;
    return APR_SUCCESS;
}

apr_status_t mdm_token_open(mdm_token_t *token, mdm_ctx_t *ctx)
{
    const char *why = NULL;
    EVP_PKEY *pkey;

    ERR_clear_error();
    if (from_provider(&pkey, token))
        why = pkey ? NULL : reason(ctx);
    else
        pkey = from_engine(&why, ctx, token);
    ERR_clear_error();
    if (!pkey)
        return mdm_fail(ctx, MDM_ECONFIG, "the key %s cannot be opened: %s", token->uri, why);
    token->key.pkey = pkey;
    apr_pool_cleanup_register(ctx->pool, token, close_token, apr_pool_cleanup_null);
    return APR_SUCCESS;
}
