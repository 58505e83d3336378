/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes and their texts: base64, hex, digests, random values, identifiers. Pure functions, any thread.
 * Results are owned by the pool given.
 */
#ifndef MDM_BYTES_H
#define MDM_BYTES_H

#include <apr_pools.h>
#include <apr_time.h>

#include "mdm_err.h"

typedef struct {
    const unsigned char *data;
    apr_size_t len;
} mdm_bytes_t;

#define MDM_SHA256_LEN 32

/** The bytes of a NUL-terminated text, without the NUL; not copied. NULL gives no bytes. */
mdm_bytes_t mdm_bytes_of(const char *text);

/** Standard base64 (RFC 4648 section 4) with padding, without line breaks. */
const char *mdm_base64_encode(mdm_bytes_t bytes, apr_pool_t *p);

/* Its alphabet, for strspn. */
#define MDM_BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** Base64 for URLs and cookies (RFC 4648 section 5), without padding. */
const char *mdm_base64url_encode(mdm_bytes_t bytes, apr_pool_t *p);

/**
 * Decode base64. White space is skipped; anything else outside the alphabet, wrong padding or a cut group
 * is refused.
 * @return MDM_EINPUT when `text` is not base64
 */
apr_status_t mdm_base64_decode(mdm_bytes_t *out, const char *text, apr_size_t len, apr_pool_t *p);

/** Lower-case hex. */
const char *mdm_hex_encode(mdm_bytes_t bytes, apr_pool_t *p);

/** The bytes that hex digits of either case stand for. @return MDM_EINPUT for anything else, or an odd number */
apr_status_t mdm_hex_decode(mdm_bytes_t *out, const char *text, apr_size_t len, apr_pool_t *p);

/** SHA-256 (FIPS 180-4) of the bytes as lower-case hex. */
const char *mdm_sha256_hex(mdm_bytes_t bytes, apr_pool_t *p);

/** HMAC-SHA256 (RFC 2104) into `out`. @return MDM_ECRYPTO when OpenSSL fails */
apr_status_t mdm_hmac_sha256(unsigned char out[MDM_SHA256_LEN], mdm_bytes_t key, mdm_bytes_t data);

/** Fill `out` with `len` random bytes fit for keys. @return MDM_ECRYPTO when the generator fails */
apr_status_t mdm_random(unsigned char *out, apr_size_t len);

/** A random UUID (RFC 9562 version 4), upper case as Apple writes them; NULL when the generator fails. */
const char *mdm_uuid_random(apr_pool_t *p);

/** A UUID (RFC 9562 version 8) of 16 bytes, which are changed where version and variant stand; upper case. */
const char *mdm_uuid_from(unsigned char bytes[16], apr_pool_t *p);

/** A UUID (version 8) that is a function of the two texts alone, upper case; NULL when OpenSSL fails. */
const char *mdm_uuid_of(const char *space, const char *name, apr_pool_t *p);

/** A time in UTC as RFC 3339 has it, "2026-01-31T23:59:59Z"; NULL when there is no such date. */
const char *mdm_time_text(apr_time_t at, apr_pool_t *p);

/**
 * Read a time as RFC 3339 has it, with any offset: "2026-01-31T23:59:59Z", "2026-02-01T00:59:59.5+01:00". Years
 * 1970 to 9999.
 * @return MDM_EINPUT
 */
apr_status_t mdm_time_read(apr_time_t *at, const char *text);

/** The same for people, "2026-01-31 23:59:59"; `unset` for the time 0. */
const char *mdm_time_plain(apr_time_t at, const char *unset, apr_pool_t *p);

/** Whole days until `end`: 0 on the last one, negative when it is over. */
int mdm_time_days_left(apr_time_t end, apr_time_t now);

/** A span such as "90", "30min", "12h" or "365d" (no unit: seconds) in microseconds; 0 when it is none. */
apr_interval_time_t mdm_time_span(const char *text);

/**
 * The length (1 to 4) of the UTF-8 character (RFC 3629) at the start of `len` bytes, or 0 when there is
 * none: no bytes, a NUL, an overlong form, a surrogate, a cut or stray sequence.
 */
apr_size_t mdm_utf8_step(const unsigned char *bytes, apr_size_t len);

/** How many of the first `most` bytes of a text are whole characters; a byte that is no UTF-8 counts as one. */
apr_size_t mdm_utf8_fit(const char *text, apr_size_t most);

/** Whether bytes are UTF-8 text without NUL. */
int mdm_utf8_valid(mdm_bytes_t text);

/** Whether two texts are equal, in time that depends on their lengths only; NULL equals nothing. */
int mdm_equal(const char *a, const char *b);

/**
 * A new 63-bit id, above 0: microseconds since 2020 above twelve random bits. Ids of one process only grow;
 * those of several machines are ordered as well as their clocks agree.
 */
apr_int64_t mdm_id_next(void);

/** For qsort, of apr_int64_t: in the order of ids. */
int mdm_id_compare(const void *a, const void *b);

/** The lowest id that mdm_id_next may have given at this time; 0 before 2020. */
apr_int64_t mdm_id_at(apr_time_t at);

/** Overwrite a secret so that the compiler cannot leave it out. */
void mdm_cleanse(void *data, apr_size_t len);

#endif
