/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to values of property lists, for what is written by people: whatever is wrong is told with the path of
 * its key, and no value is shown, because it may be a password. Any thread.
 */
#ifndef MDM_JSON_PLIST_H
#define MDM_JSON_PLIST_H

#include <jansson.h>

#include "mdm_ctx.h"
#include "mdm_plist.h"

#define MDM_JSON_DEPTH_MAX 32

/** Where we are in a JSON text. */
typedef struct mdm_json_at_t {
    mdm_ctx_t *ctx;
    const char *whole;            /* what the whole is called */
    const char *path;             /* "Settings[1].DeviceName"; empty: the whole */
    int depth;
} mdm_json_at_t;

/** A member, or the n-th item from 0, of what is here. */
mdm_json_at_t mdm_json_member(const mdm_json_at_t *at, const char *name);
mdm_json_at_t mdm_json_item(const mdm_json_at_t *at, size_t n);

/** The path; of the whole, what it is called. */
const char *mdm_json_where(const mdm_json_at_t *at);

/** "a string", "an object", ... */
const char *mdm_json_kind(const json_t *json);

/** "PATH: expected WHAT, got KIND". @return MDM_EINPUT */
apr_status_t mdm_json_expected(const mdm_json_at_t *at, const char *what, const json_t *json);

/** Whether the XML of a property list can carry all characters of a text. */
int mdm_json_is_writable(const char *text);

/** A text that XML can carry; the bytes of a base64 text; the time of an RFC 3339 text. @return MDM_EINPUT */
apr_status_t mdm_json_string(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json);
apr_status_t mdm_json_data(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json);
apr_status_t mdm_json_date(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json);

/** A number with a fraction. */
mdm_plist_t *mdm_json_real(double value, apr_pool_t *p);

/**
 * A value of any kind; {"$data": base64} and {"$date": RFC 3339} become data and dates, null is refused, and so is
 * what is nested deeper than MDM_JSON_DEPTH_MAX levels.
 * @return MDM_EINPUT
 */
apr_status_t mdm_json_any(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json);

/** A dictionary of an object, whatever its names are; its values as above. @return MDM_EINPUT */
apr_status_t mdm_json_dict(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json);

#endif
