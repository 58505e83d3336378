/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets at rest. The key is read in the parent (or mdmctl) and then only used; sealing and opening run in
 * any thread. Nothing here logs.
 */
#include <ctype.h>
#include <pthread.h>
#include <string.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "mdm_file.h"
#include "mdm_seal.h"

#define NONCE_LEN 12
#define TAG_LEN 16
#define KEY_ID_LEN 8

struct mdm_seal_t {
    unsigned char key[MDM_SEAL_KEY_LEN];
    char id[KEY_ID_LEN + 1];     /* the start of the key's SHA-256: tells which key, not what it is */
};

static apr_status_t cleanse_seal(void *baton)
{
    mdm_cleanse(baton, sizeof(mdm_seal_t));
    return APR_SUCCESS;
}

static int hex_value(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

static int parse_key(unsigned char key[MDM_SEAL_KEY_LEN], mdm_bytes_t text)
{
    apr_size_t i;

    while (text.len && isspace(text.data[text.len - 1]))
        text.len--;
    if (text.len != 2 * MDM_SEAL_KEY_LEN)
        return 0;
    for (i = 0; i < MDM_SEAL_KEY_LEN; i++) {
        int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return 0;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return 1;
}

apr_status_t mdm_seal_read(mdm_seal_t **seal, mdm_ctx_t *ctx, const char *file)
{
    mdm_seal_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    mdm_bytes_t text, key;
    apr_status_t rv = mdm_file_read_secret(&text, ctx, file);

    if (rv != APR_SUCCESS)
        return rv;
    apr_pool_cleanup_register(ctx->pool, made, cleanse_seal, apr_pool_cleanup_null);
    if (!parse_key(made->key, text))
        return mdm_fail(ctx, MDM_ECONFIG, "%s is not a sealing key (%d hex digits): restore it from a backup",
                        file, 2 * MDM_SEAL_KEY_LEN);
    key.data = made->key;
    key.len = sizeof(made->key);
    apr_cpystrn(made->id, mdm_sha256_hex(key, ctx->pool), sizeof(made->id));
    *seal = made;
    return APR_SUCCESS;
}

apr_status_t mdm_seal_create(mdm_ctx_t *ctx, const char *file)
{
    unsigned char key[MDM_SEAL_KEY_LEN];
    mdm_bytes_t bytes = { key, sizeof(key) };
    mdm_bytes_t text = { NULL, 2 * sizeof(key) + 1 };
    char *hex;
    apr_status_t rv;

    if (mdm_random(key, sizeof(key)) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "no random bytes for the sealing key %s", file);
    /* The line end takes the place of the NUL: no second copy of the key is made. */
    hex = (char *)mdm_hex_encode(bytes, ctx->pool);
    hex[text.len - 1] = '\n';
    text.data = (unsigned char *)hex;
    rv = mdm_file_create(ctx, file, text, 1);
    mdm_cleanse(key, sizeof(key));
    mdm_cleanse(hex, text.len);
    return rv;
}

/* Looked up once: looking for it anew costs as much as opening a short value. */
static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *cipher_fetched;

static void fetch_cipher(void)
{
    cipher_fetched = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static const EVP_CIPHER *aes_256_gcm(void)
{
    pthread_once(&cipher_once, fetch_cipher);
    return cipher_fetched;
}

static int encrypt(unsigned char *out, const mdm_seal_t *seal, mdm_bytes_t plain, const char *where)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char *body = out + NONCE_LEN;
    int len = 0, ok;

    ok = cipher && EVP_EncryptInit_ex(cipher, aes_256_gcm(), NULL, seal->key, out)
        && EVP_EncryptUpdate(cipher, NULL, &len, (const unsigned char *)where, (int)strlen(where))
        && (!plain.len || EVP_EncryptUpdate(cipher, body, &len, plain.data, (int)plain.len))
        && EVP_EncryptFinal_ex(cipher, body + plain.len, &len)
        && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_LEN, body + plain.len);
    EVP_CIPHER_CTX_free(cipher);
    return ok;
}

apr_status_t mdm_seal(const char **sealed, mdm_ctx_t *ctx, const mdm_seal_t *seal, mdm_bytes_t plain,
                      const char *where)
{
    apr_size_t len = NONCE_LEN + plain.len + TAG_LEN;
    unsigned char *out = apr_palloc(ctx->pool, len);
    mdm_bytes_t bytes = { out, len };

    if (mdm_random(out, NONCE_LEN) != APR_SUCCESS || !encrypt(out, seal, plain, where))
        return mdm_fail(ctx, MDM_ECRYPTO, "sealing %s failed", where);
    *sealed = apr_pstrcat(ctx->pool, "1:", seal->id, ":", mdm_base64_encode(bytes, ctx->pool), NULL);
    return APR_SUCCESS;
}

static int decrypt(unsigned char *out, const mdm_seal_t *seal, mdm_bytes_t bytes, const char *where)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    apr_size_t n = bytes.len - NONCE_LEN - TAG_LEN;
    const unsigned char *body = bytes.data + NONCE_LEN;
    unsigned char tag[TAG_LEN];
    int len = 0, ok;

    memcpy(tag, body + n, TAG_LEN);
    ok = cipher && EVP_DecryptInit_ex(cipher, aes_256_gcm(), NULL, seal->key, bytes.data)
        && EVP_DecryptUpdate(cipher, NULL, &len, (const unsigned char *)where, (int)strlen(where))
        && (!n || EVP_DecryptUpdate(cipher, out, &len, body, (int)n))
        && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag)
        && EVP_DecryptFinal_ex(cipher, out + n, &len) > 0;
    EVP_CIPHER_CTX_free(cipher);
    return ok;
}

apr_status_t mdm_unseal(mdm_bytes_t *plain, mdm_ctx_t *ctx, const mdm_seal_t *seal, const char *sealed,
                        const char *where)
{
    const char *colon = sealed && !strncmp(sealed, "1:", 2) ? strchr(sealed + 2, ':') : NULL;
    mdm_bytes_t bytes;
    unsigned char *out;

    if (!colon)
        return mdm_fail(ctx, MDM_ECRYPTO, "%s is not a sealed value", where);
    if ((apr_size_t)(colon - sealed - 2) != KEY_ID_LEN || strncmp(sealed + 2, seal->id, KEY_ID_LEN))
        return mdm_fail(ctx, MDM_ECRYPTO, "%s was sealed with key %.*s, this site has %s: restore that key",
                        where, (int)(colon - sealed - 2), sealed + 2, seal->id);
    if (mdm_base64_decode(&bytes, colon + 1, strlen(colon + 1), ctx->pool) != APR_SUCCESS
        || bytes.len < NONCE_LEN + TAG_LEN)
        return mdm_fail(ctx, MDM_ECRYPTO, "%s is a damaged sealed value", where);
    out = apr_pcalloc(ctx->pool, bytes.len - NONCE_LEN - TAG_LEN + 1);
    if (!decrypt(out, seal, bytes, where)) {
        mdm_cleanse(out, bytes.len - NONCE_LEN - TAG_LEN);
        return mdm_fail(ctx, MDM_ECRYPTO, "%s does not open: wrong key, or moved from another row", where);
    }
    plain->data = out;
    plain->len = bytes.len - NONCE_LEN - TAG_LEN;
    return APR_SUCCESS;
}

apr_status_t mdm_seal_mac(unsigned char out[MDM_SHA256_LEN], const mdm_seal_t *seal, mdm_bytes_t data)
{
    mdm_bytes_t key = { seal->key, sizeof(seal->key) };

    return mdm_hmac_sha256(out, key, data);
}
