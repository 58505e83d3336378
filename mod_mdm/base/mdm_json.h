/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over jansson: values that belong to a pool, and texts in the form that clients of NanoMDM know.
 * Called by the API and the status page; a value belongs to one thread.
 */
#ifndef MDM_JSON_H
#define MDM_JSON_H

#include <jansson.h>

#include "mdm_bytes.h"
#include "mdm_ctx.h"

/* A property list of MDM_PLIST_MAX_DEPTH levels, and what an answer of the API puts around it. */
#define MDM_JSON_MAX_DEPTH 72

/** A new empty object; the pool holds the only reference, so callers never decref it. NULL: no memory. */
json_t *mdm_json_object(apr_pool_t *p);

/** Give one reference of `json` to the pool; returns `json`. NULL stays NULL. */
json_t *mdm_json_own(json_t *json, apr_pool_t *p);

/**
 * Set a member to a text, unless that is NULL. Bytes that are no UTF-8 are kept: each becomes U+FFFD when it
 * is written.
 */
void mdm_json_set_text(json_t *object, const char *name, const char *value);

/**
 * Parse a JSON object (RFC 8259); the pool of `ctx` owns it. Duplicate keys, NUL in texts and anything
 * after the object are refused.
 * @return MDM_EINPUT with the line and what is wrong
 */
apr_status_t mdm_json_read(json_t **object, mdm_ctx_t *ctx, mdm_bytes_t text);

/**
 * The text of any value, keys in the order they were set: one tab per level, "key": value, a line feed at
 * the end; < > & U+2028 U+2029 and control characters are escaped, so that the text is harmless within HTML.
 * @return NULL when it is nested deeper than MDM_JSON_MAX_DEPTH
 */
const char *mdm_json_pretty(const json_t *json, apr_pool_t *p);

/** The same without white space and without the line feed at the end. */
const char *mdm_json_compact(const json_t *json, apr_pool_t *p);

#endif
