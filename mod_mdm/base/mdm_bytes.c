/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes and their texts. Called from every floor, in any thread; holds no state but the last id given out.
 */
#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "mdm_bytes.h"

/* 2020-01-01T00:00:00Z, the zero of our ids. */
#define ID_EPOCH APR_INT64_C(1577836800000000)
#define ID_RANDOM_BITS 12

mdm_bytes_t mdm_bytes_of(const char *text)
{
    mdm_bytes_t bytes = { (const unsigned char *)text, text ? strlen(text) : 0 };

    return bytes;
}

const char *mdm_base64_encode(mdm_bytes_t bytes, apr_pool_t *p)
{
    char *text = apr_palloc(p, 4 * ((bytes.len + 2) / 3) + 1);

    text[0] = '\0';
    if (bytes.len)
        EVP_EncodeBlock((unsigned char *)text, bytes.data, (int)bytes.len);
    return text;
}

const char *mdm_base64url_encode(mdm_bytes_t bytes, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, mdm_base64_encode(bytes, p)), *c;

    for (c = text; *c && *c != '='; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    *c = '\0';
    return text;
}

static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

apr_status_t mdm_base64_decode(mdm_bytes_t *out, const char *text, apr_size_t len, apr_pool_t *p)
{
    unsigned char *data = apr_palloc(p, len / 4 * 3 + 4);
    apr_size_t n = 0, digits = 0, pads = 0, i;
    unsigned int group = 0;

    for (i = 0; i < len; i++) {
        int value;

        if (is_space(text[i]))
            continue;
        if (text[i] == '=') {
            pads++;
            continue;
        }
        value = base64_value((unsigned char)text[i]);
        if (value < 0 || pads)
            return MDM_EINPUT;
        group = (group << 6 | (unsigned int)value) & 0xffffff;
        if (++digits % 4 == 0) {
            data[n++] = (unsigned char)(group >> 16);
            data[n++] = (unsigned char)(group >> 8);
            data[n++] = (unsigned char)group;
        }
    }
    if (digits % 4 == 1 || (digits + pads) % 4 || pads > 2)
        return MDM_EINPUT;
    if (digits % 4 >= 2)
        data[n++] = (unsigned char)(group >> (digits % 4 == 2 ? 4 : 10));
    if (digits % 4 == 3)
        data[n++] = (unsigned char)(group >> 2);
    out->data = data;
    out->len = n;
    return APR_SUCCESS;
}

const char *mdm_hex_encode(mdm_bytes_t bytes, apr_pool_t *p)
{
    static const char digits[] = "0123456789abcdef";
    char *text = apr_palloc(p, 2 * bytes.len + 1);
    apr_size_t i;

    for (i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    text[2 * bytes.len] = '\0';
    return text;
}

apr_status_t mdm_hex_decode(mdm_bytes_t *out, const char *text, apr_size_t len, apr_pool_t *p)
{
    unsigned char *data = apr_palloc(p, len / 2 + 1);
    apr_size_t n = 0;

    if (len % 2 || apr_unescape_hex(data, text, (apr_ssize_t)len, 0, &n) != APR_SUCCESS || n != len / 2)
        return MDM_EINPUT;
    out->data = data;
    out->len = n;
    return APR_SUCCESS;
}

const char *mdm_sha256_hex(mdm_bytes_t bytes, apr_pool_t *p)
{
    unsigned char digest[MDM_SHA256_LEN];
    mdm_bytes_t result = { digest, sizeof(digest) };

    if (!EVP_Digest(bytes.data, bytes.len, digest, NULL, EVP_sha256(), NULL))
        return NULL;
    return mdm_hex_encode(result, p);
}

apr_status_t mdm_hmac_sha256(unsigned char out[MDM_SHA256_LEN], mdm_bytes_t key, mdm_bytes_t data)
{
    unsigned int len = 0;

    /* OpenSSL takes no NULL for an empty key. */
    if (!HMAC(EVP_sha256(), key.len ? key.data : out, (int)key.len, data.data, data.len, out, &len))
        return MDM_ECRYPTO;
    return len == MDM_SHA256_LEN ? APR_SUCCESS : MDM_ECRYPTO;
}

apr_status_t mdm_random(unsigned char *out, apr_size_t len)
{
    return RAND_bytes(out, (int)len) == 1 ? APR_SUCCESS : MDM_ECRYPTO;
}

static const char *uuid_text(unsigned char bytes[16], int version, apr_pool_t *p)
{
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    return apr_psprintf(p, "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X", bytes[0],
                        bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8],
                        bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]);
}

const char *mdm_uuid_random(apr_pool_t *p)
{
    unsigned char bytes[16];

    if (mdm_random(bytes, sizeof(bytes)) != APR_SUCCESS)
        return NULL;
    return uuid_text(bytes, 4, p);
}

const char *mdm_uuid_from(unsigned char bytes[16], apr_pool_t *p)
{
    return uuid_text(bytes, 8, p);
}

const char *mdm_uuid_of(const char *space, const char *name, apr_pool_t *p)
{
    unsigned char digest[MDM_SHA256_LEN];

    if (mdm_hmac_sha256(digest, mdm_bytes_of(space), mdm_bytes_of(name)) != APR_SUCCESS)
        return NULL;
    return uuid_text(digest, 8, p);
}

const char *mdm_time_text(apr_time_t at, apr_pool_t *p)
{
    apr_time_exp_t t;

    if (apr_time_exp_gmt(&t, at) != APR_SUCCESS)
        return NULL;
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                        t.tm_hour, t.tm_min, t.tm_sec);
}

/* So many digits, from 0 to `most`; -1: they are none. */
static int read_digits(const char **at, int count, int most)
{
    int value = 0;

    while (count--) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + *(*at)++ - '0';
    }
    return value <= most ? value : -1;
}

/* "Z" or "+01:00", up to the end of the text, in seconds. */
static int read_offset(int *seconds, const char *at)
{
    int sign = *at == '-' ? -1 : 1, hours, minutes;

    *seconds = 0;
    if (*at == 'Z' || *at == 'z')
        return !at[1];
    if (*at != '+' && *at != '-')
        return 0;
    at++;
    if ((hours = read_digits(&at, 2, 23)) < 0 || *at++ != ':' || (minutes = read_digits(&at, 2, 59)) < 0 || *at)
        return 0;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return 1;
}

apr_status_t mdm_time_read(apr_time_t *at, const char *text)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    apr_time_exp_t t;
    int offset, scale = 100000;

    memset(&t, 0, sizeof(t));
    if ((t.tm_year = read_digits(&text, 4, 9999) - 1900) < 70 || *text++ != '-'
        || (t.tm_mon = read_digits(&text, 2, 12) - 1) < 0 || *text++ != '-'
        || (t.tm_mday = read_digits(&text, 2, days[t.tm_mon])) < 1 || (*text != 'T' && *text != 't'))
        return MDM_EINPUT;
    if (t.tm_mon == 1 && t.tm_mday == 29
        && ((t.tm_year + 1900) % 4 || (!((t.tm_year + 1900) % 100) && (t.tm_year + 1900) % 400)))
        return MDM_EINPUT;
    text++;
    if ((t.tm_hour = read_digits(&text, 2, 23)) < 0 || *text++ != ':' || (t.tm_min = read_digits(&text, 2, 59)) < 0
        || *text++ != ':' || (t.tm_sec = read_digits(&text, 2, 59)) < 0)
        return MDM_EINPUT;
    if (*text == '.' && (text[1] < '0' || text[1] > '9'))
        return MDM_EINPUT;
    for (text += *text == '.'; *text >= '0' && *text <= '9'; text++, scale /= 10)
        t.tm_usec += (*text - '0') * scale;
    if (!read_offset(&offset, text))
        return MDM_EINPUT;
    t.tm_gmtoff = offset;
    return apr_time_exp_gmt_get(at, &t) == APR_SUCCESS ? APR_SUCCESS : MDM_EINPUT;
}

int mdm_time_days_left(apr_time_t end, apr_time_t now)
{
    apr_interval_time_t day = apr_time_from_sec(86400), left = end - now;

    return (int)((left <= 0 ? left - day : left) / day);
}

const char *mdm_time_plain(apr_time_t at, const char *unset, apr_pool_t *p)
{
    apr_time_exp_t t;

    if (!at || apr_time_exp_gmt(&t, at) != APR_SUCCESS)
        return unset;
    return apr_psprintf(p, "%04d-%02d-%02d %02d:%02d:%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                        t.tm_hour, t.tm_min, t.tm_sec);
}

apr_interval_time_t mdm_time_span(const char *text)
{
    static const struct {
        const char *unit;
        apr_int64_t seconds;
    } units[] = { { "", 1 }, { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
    char *end;
    apr_int64_t number = apr_strtoi64(text, &end, 10);
    apr_size_t i;

    for (i = 0; number > 0 && number <= 100000000 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (!strcmp(end, units[i].unit))
            return apr_time_from_sec(number * units[i].seconds);
    }
    return 0;
}

apr_size_t mdm_utf8_step(const unsigned char *bytes, apr_size_t len)
{
    unsigned char first = len ? bytes[0] : 0, low = 0x80, high = 0xbf;
    apr_size_t n, i;

    if (first < 0x80)
        return first != 0;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (n > len || bytes[1] < low || bytes[1] > high)
        return 0;
    for (i = 2; i < n; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

apr_size_t mdm_utf8_fit(const char *text, apr_size_t most)
{
    apr_size_t len = strlen(text), at = 0;

    while (at < len) {
        apr_size_t step = mdm_utf8_step((const unsigned char *)text + at, len - at);

        if (!step)
            step = 1;
        if (at + step > most)
            break;
        at += step;
    }
    return at;
}

int mdm_utf8_valid(mdm_bytes_t text)
{
    const apr_uint64_t ones = APR_UINT64_C(0x0101010101010101), tops = ones << 7;
    apr_size_t i = 0;

    while (i < text.len) {
        apr_uint64_t word;
        apr_size_t n;

        /* Eight bytes at a time while all of them are ASCII and none is NUL. */
        while (text.len - i >= sizeof(word)) {
            memcpy(&word, text.data + i, sizeof(word));
            if ((word | (word - ones)) & tops)
                break;
            i += sizeof(word);
        }
        if (i == text.len)
            break;
        n = mdm_utf8_step(text.data + i, text.len - i);
        if (!n)
            return 0;
        i += n;
    }
    return 1;
}

int mdm_equal(const char *a, const char *b)
{
    apr_size_t len;

    if (!a || !b)
        return 0;
    len = strlen(a);
    return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}

apr_int64_t mdm_id_at(apr_time_t at)
{
    return at > ID_EPOCH ? (at - ID_EPOCH) << ID_RANDOM_BITS : 0;
}

apr_int64_t mdm_id_next(void)
{
    static apr_int64_t last;
    apr_int64_t id, seen = __atomic_load_n(&last, __ATOMIC_RELAXED);
    unsigned char noise[2] = { 0, 0 };

    (void)mdm_random(noise, sizeof(noise));
    do {
        /* A clock that has not been set yet still gives ids, one after the other. */
        id = mdm_id_at(apr_time_now()) | ((noise[0] << 8 | noise[1]) & ((1 << ID_RANDOM_BITS) - 1));
        if (id <= seen)
            id = seen + 1;
    } while (!__atomic_compare_exchange_n(&last, &seen, id, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return id;
}

int mdm_id_compare(const void *a, const void *b)
{
    apr_int64_t one = *(const apr_int64_t *)a, two = *(const apr_int64_t *)b;

    return one < two ? -1 : one > two;
}

void mdm_cleanse(void *data, apr_size_t len)
{
    OPENSSL_cleanse(data, len);
}
