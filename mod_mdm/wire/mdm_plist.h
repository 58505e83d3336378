/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property lists as a tree: read from Apple's XML form (mdm_plist_read.c, over libxml2) or its binary form
 * (mdm_plist_binary.c, over libplist), built and looked into (mdm_plist.c), written in XML (mdm_plist_write.c). No
 * text template makes a plist, so no value can become markup. A tree lives in one pool and belongs to one thread.
 */
#ifndef MDM_PLIST_H
#define MDM_PLIST_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

#define MDM_PLIST_MAX_DEPTH 64
#define MDM_PLIST_MAX_NODES 200000
#define MDM_PLIST_MAX_BYTES 8388608

typedef enum {
    MDM_PLIST_UNSET = 0,
    MDM_PLIST_DICT,
    MDM_PLIST_ARRAY,
    MDM_PLIST_STRING,
    MDM_PLIST_DATA,
    MDM_PLIST_INTEGER,
    MDM_PLIST_REAL,
    MDM_PLIST_BOOLEAN,
    MDM_PLIST_DATE
} mdm_plist_type_e;

typedef struct mdm_plist_t mdm_plist_t;
struct mdm_plist_t {
    mdm_plist_type_e type;
    const char *key;           /* in a dictionary; else NULL */
    mdm_plist_t *next;         /* the next item of the same dictionary or array */
    mdm_plist_t *first, *last; /* items of a dictionary or array, in document order */
    apr_size_t count;          /* how many items */
    mdm_bytes_t bytes;         /* STRING (UTF-8, NUL after the end, none inside) and DATA */
    apr_int64_t integer;       /* INTEGER, BOOLEAN (0, 1) */
    double real;               /* REAL */
    apr_time_t date;           /* DATE, microseconds since 1970 UTC */
};

/** Prepare libxml2, before threads start (child_init, mdmctl). Reading does it too; twice does no harm. */
void mdm_plist_init(void);

/**
 * Parse Apple's XML property list (root element plist, version ignored; UTF-8 with or without BOM). Refused:
 * any internal DTD subset or entity declaration, more than MDM_PLIST_MAX_DEPTH containers within each other
 * or MDM_PLIST_MAX_NODES values, duplicate keys in a dictionary, unknown elements, attributes other than
 * plist's version, text between elements, malformed values, anything after the root. Or the binary form
 * (bplist00), with the same limits on the tree that comes out, where keys count as values too; refused are
 * references that lead nowhere or in a circle, types and texts that the XML form does not have. Never reads a
 * file or the network; does not keep `text`.
 * @return MDM_EPLIST with a sentence that says what is wrong and shows no values; MDM_ETOOBIG for more than
 *         MDM_PLIST_MAX_BYTES
 */
apr_status_t mdm_plist_read(mdm_plist_t **root, mdm_ctx_t *ctx, mdm_bytes_t text);

/**
 * Write the XML form with Apple's DOCTYPE, tab-indented, keys in the tree's order; byte-stable for equal
 * trees.
 * @return MDM_EPLIST for texts that XML cannot carry (not UTF-8, control characters), numbers that are not
 *         finite, dates outside of the years 1 to 9999, more than MDM_PLIST_MAX_DEPTH containers within
 *         each other
 */
apr_status_t mdm_plist_write(mdm_bytes_t *text, mdm_ctx_t *ctx, const mdm_plist_t *root);

/** Whether XML can carry a text: UTF-8 without control characters other than tab and line ends. */
int mdm_plist_is_text(mdm_bytes_t text);

/**
 * The text to keep of a list that came as `original` and was read as `root`: itself, or XML for a binary one.
 * @return as mdm_plist_write; MDM_ETOOBIG when it is larger than mdm_plist_read accepts
 */
apr_status_t mdm_plist_text_of(mdm_bytes_t *text, mdm_ctx_t *ctx, mdm_bytes_t original, const mdm_plist_t *root);

/** The item of a dictionary, or NULL when `dict` is NULL, no dictionary, or lacks the key. */
const mdm_plist_t *mdm_plist_get(const mdm_plist_t *dict, const char *key);

/** The text of a STRING item; NULL when missing or of another type. */
const char *mdm_plist_get_string(const mdm_plist_t *dict, const char *key);

/** The bytes of a DATA item. @return 1, or 0 when missing or of another type */
int mdm_plist_get_data(mdm_bytes_t *out, const mdm_plist_t *dict, const char *key);

/** The value of a BOOLEAN item, or `otherwise` when missing or of another type. */
int mdm_plist_get_boolean(const mdm_plist_t *dict, const char *key, int otherwise);

/** New containers and values, not yet in a tree. Texts and bytes are copied into `p`. */
mdm_plist_t *mdm_plist_dict(apr_pool_t *p);
mdm_plist_t *mdm_plist_array(apr_pool_t *p);
mdm_plist_t *mdm_plist_string(const char *text, apr_pool_t *p);
mdm_plist_t *mdm_plist_data(mdm_bytes_t bytes, apr_pool_t *p);
mdm_plist_t *mdm_plist_integer(apr_int64_t value, apr_pool_t *p);
mdm_plist_t *mdm_plist_boolean(int value, apr_pool_t *p);

/** Append `value` to an array; returns `value`. */
mdm_plist_t *mdm_plist_append(mdm_plist_t *array, mdm_plist_t *value);

/** Put `value` under `key` (copied), after the items already there; the key must be new. Returns `value`. */
mdm_plist_t *mdm_plist_set(mdm_plist_t *dict, const char *key, mdm_plist_t *value, apr_pool_t *p);

/** Shorthands for mdm_plist_set with a new value. A NULL text or no bytes sets nothing. */
void mdm_plist_set_string(mdm_plist_t *dict, const char *key, const char *text, apr_pool_t *p);
void mdm_plist_set_data(mdm_plist_t *dict, const char *key, mdm_bytes_t bytes, apr_pool_t *p);
void mdm_plist_set_integer(mdm_plist_t *dict, const char *key, apr_int64_t value, apr_pool_t *p);
void mdm_plist_set_boolean(mdm_plist_t *dict, const char *key, int value, apr_pool_t *p);

#endif
