/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP Digest for network users of Macs. Called by the check-in, any thread, and by the parent for the file's check.
 * MD5 is what the protocol has; it comes from APR, which has it also where OpenSSL refuses it. A response is good for
 * its nonce's five minutes, on TLS, from the device with its own certificate. Never logs.
 */
#include <ctype.h>
#include <string.h>

#include <apr_md5.h>
#include <apr_strings.h>

#include "mdm_user_digest.h"

#define NONCE_LIFETIME apr_time_from_sec(5 * 60)
#define NONCE_SKEW apr_time_from_sec(60)        /* of another node's clock */
#define MAC_LEN 16
#define HA1_LEN (2 * APR_MD5_DIGESTSIZE)
#define RESPONSE_MAX 4096

typedef struct {
    const char *user, *realm, *ha1;
} entry_t;

static const char *md5_hex(apr_pool_t *p, const char *text)
{
    unsigned char digest[APR_MD5_DIGESTSIZE];

    apr_md5(digest, text, strlen(text));
    return mdm_hex_encode((mdm_bytes_t){ digest, sizeof(digest) }, p);
}

/* ---- the file */

/* Cut the next line off. @return 0 at the end; *entry has no user for a line that is none */
static int next_entry(entry_t *entry, mdm_bytes_t *rest, apr_pool_t *p)
{
    const char *start = (const char *)rest->data, *end = rest->len ? memchr(start, '\n', rest->len) : NULL;
    apr_size_t len = end ? (apr_size_t)(end - start) : rest->len;
    char *line, *realm, *ha1;

    memset(entry, 0, sizeof(*entry));
    if (!rest->len)
        return 0;
    rest->data += len + (end != NULL);
    rest->len -= len + (end != NULL);
    line = apr_pstrmemdup(p, start, len && start[len - 1] == '\r' ? len - 1 : len);
    realm = strchr(line, ':');
    ha1 = realm ? strchr(realm + 1, ':') : NULL;
    if (!ha1 || realm == line || strlen(ha1 + 1) != HA1_LEN || strspn(ha1 + 1, "0123456789abcdefABCDEF") != HA1_LEN)
        return 1;
    *realm++ = *ha1++ = '\0';
    entry->user = line;
    entry->realm = realm;
    entry->ha1 = ha1;
    return 1;
}

static int is_blank(const mdm_bytes_t *before, const mdm_bytes_t *after)
{
    apr_size_t i, len = before->len - after->len;

    for (i = 0; i < len; i++) {
        if (!isspace(before->data[i]))
            return before->data[i] == '#';
    }
    return 1;
}

apr_status_t mdm_user_digest_check(mdm_ctx_t *ctx, const char *file, mdm_bytes_t bytes)
{
    const char *realm = NULL;
    mdm_bytes_t before = bytes;
    entry_t entry;
    int line = 0;

    while (line++, next_entry(&entry, &bytes, ctx->pool)) {
        if (!entry.user && !is_blank(&before, &bytes))
            return mdm_fail(ctx, MDM_ECONFIG, "%s, line %d is not user:realm:digest: make the file with htdigest", file,
                            line);
        if (entry.user && realm && strcmp(realm, entry.realm))
            return mdm_fail(ctx, MDM_ECONFIG, "%s, line %d has another realm than those before it: one site has one "
                            "realm", file, line);
        if (entry.user && strpbrk(entry.realm, "\"\\"))
            return mdm_fail(ctx, MDM_ECONFIG, "%s, line %d: a realm with quotes or backslashes does not work", file,
                            line);
        realm = entry.user ? entry.realm : realm;
        before = bytes;
    }
    return realm ? APR_SUCCESS : mdm_fail(ctx, MDM_ECONFIG, "%s names nobody: make the file with htdigest", file);
}

static const char *realm_of(const mdm_site_t *site, apr_pool_t *p)
{
    mdm_bytes_t rest = site->user_digests;
    entry_t entry;

    while (next_entry(&entry, &rest, p)) {
        if (entry.user)
            return entry.realm;
    }
    return NULL;
}

/* All lines are read whoever is asked for; nobody has a digest that matches nothing. */
static const char *ha1_of(int *known, const mdm_site_t *site, const char *user, const char *realm, apr_pool_t *p)
{
    mdm_bytes_t rest = site->user_digests;
    const char *found = NULL;
    char *lower, *c;
    entry_t entry;

    while (next_entry(&entry, &rest, p)) {
        if (entry.user && !found && mdm_equal(entry.user, user) && !strcmp(entry.realm, realm))
            found = entry.ha1;
    }
    *known = found != NULL;
    lower = apr_pstrdup(p, found ? found : "00000000000000000000000000000000");
    for (c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return lower;
}

/* ---- nonces */

static const char *nonce_at(mdm_ctx_t *ctx, const mdm_site_t *site, const char *when, const char *realm,
                            const char *enrollment_id)
{
    const char *text = apr_pstrcat(ctx->pool, "UserAuthenticate nonce\n", when, "\n", realm, "\n", enrollment_id, NULL);
    unsigned char mac[MDM_SHA256_LEN];

    if (mdm_seal_mac(mac, site->seal, mdm_bytes_of(text)) != APR_SUCCESS)
        return NULL;
    return apr_pstrcat(ctx->pool, when, "-", mdm_hex_encode((mdm_bytes_t){ mac, MAC_LEN }, ctx->pool), NULL);
}

static int is_nonce(mdm_ctx_t *ctx, const mdm_site_t *site, const char *nonce, const char *realm,
                    const char *enrollment_id)
{
    const char *end = strchr(nonce, '-');
    apr_time_t age;

    if (!end || end == nonce || end - nonce > 18 || strspn(nonce, "0123456789") != (apr_size_t)(end - nonce))
        return 0;
    age = mdm_ctx_now(ctx) - apr_atoi64(nonce);
    return age >= -NONCE_SKEW && age <= NONCE_LIFETIME
        && mdm_equal(nonce, nonce_at(ctx, site, apr_pstrmemdup(ctx->pool, nonce, (apr_size_t)(end - nonce)), realm,
                                     enrollment_id));
}

const char *mdm_user_digest_challenge(mdm_ctx_t *ctx, const mdm_site_t *site, const char *enrollment_id)
{
    const char *realm = realm_of(site, ctx->pool), *nonce;

    if (!realm)
        return NULL;
    nonce = nonce_at(ctx, site, apr_psprintf(ctx->pool, "%" APR_TIME_T_FMT, mdm_ctx_now(ctx)), realm, enrollment_id);
    return nonce ? apr_pstrcat(ctx->pool, "Digest nonce=\"", nonce, "\",realm=\"", realm, "\"", NULL) : NULL;
}

/* ---- responses */

static const char *quoted(const char **at, apr_pool_t *p)
{
    const char *c = *at + 1;
    char *text = apr_palloc(p, strlen(c) + 1), *to = text;

    while (*c && *c != '"') {
        if (*c == '\\' && c[1])
            c++;
        *to++ = *c++;
    }
    *to = '\0';
    if (*c != '"')
        return NULL;
    *at = c + 1;
    return text;
}

/* "Digest name=value, name="value"..."; each name once. @return NULL when it is not */
static apr_table_t *parse(const char *text, apr_pool_t *p)
{
    apr_table_t *params = apr_table_make(p, 6);

    if (strlen(text) > RESPONSE_MAX || strncmp(text, "Digest ", 7))
        return NULL;
    for (text += 7; *text; ) {
        const char *name, *value;
        apr_size_t len;

        text += strspn(text, " \t,");
        len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
        if (!len)
            return *text ? NULL : params;
        name = apr_pstrmemdup(p, text, len);
        text += len;
        if (*text++ != '=' || apr_table_get(params, name))
            return NULL;
        if (*text == '"') {
            if (!(value = quoted(&text, p)))
                return NULL;
        } else {
            len = strcspn(text, " \t,");
            value = apr_pstrmemdup(p, text, len);
            text += len;
        }
        apr_table_setn(params, name, value);
    }
    return params;
}

int mdm_user_digest_verify(const char **user, mdm_ctx_t *ctx, const mdm_site_t *site, const char *enrollment_id,
                           const char *response)
{
    apr_pool_t *p = ctx->pool;
    apr_table_t *params = parse(response, p);
    const char *name, *realm, *nonce, *uri, *given, *ha1, *expected, *own = realm_of(site, p);
    int known;

    if (!params || !own)
        return 0;
    name = apr_table_get(params, "username");
    realm = apr_table_get(params, "realm");
    nonce = apr_table_get(params, "nonce");
    uri = apr_table_get(params, "uri");
    given = apr_table_get(params, "response");
    if (!name || !realm || !nonce || !uri || !given || strcmp(realm, own) || strcmp(uri, "/")
        || apr_table_get(params, "qop") || !is_nonce(ctx, site, nonce, realm, enrollment_id))
        return 0;
    ha1 = ha1_of(&known, site, name, realm, p);
    expected = md5_hex(p, apr_pstrcat(p, ha1, ":", nonce, ":", md5_hex(p, "PUT:/"), NULL));
    *user = name;
    return mdm_equal(expected, given) && known;
}
