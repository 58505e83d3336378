/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of groups: JSON of tests about a user and a device, joined by "all", "any" and "not". A rule is read once and
 * asked of many; it says why it holds or does not. What is asked of it is handed in, no database is looked at. A rule
 * is never changed after its making and may be shared by threads.
 *
 *   {"all": [{"user.title": "Nurse"}, {"fact": "device.OSVersion", "op": "at_least", "value": "17"}]}
 *
 * A test about what is not known is false, whatever its operator; "not" of it is therefore true. Of a list, a test is
 * true when it is true of any of its texts, is_not when it is true of all.
 */
#ifndef MDM_RULE_H
#define MDM_RULE_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <jansson.h>

#include "mdm_bytes.h"
#include "mdm_ctx.h"

#define MDM_RULE_BYTES_MAX 16384
#define MDM_RULE_DEPTH_MAX 16
#define MDM_RULE_TESTS_MAX 64       /* as many facts as one statement takes */
#define MDM_RULE_VALUES_MAX 256     /* of an "in" */
#define MDM_RULE_TEXT_MAX 512       /* bytes of one value */
#define MDM_RULE_REASON_MAX 400     /* bytes of a reason */

typedef struct mdm_rule_t mdm_rule_t;

/** The enrollment's own columns that rules know; for a user channel those of its device, but for the first three. */
typedef enum {
    MDM_RULE_ENROLLMENT_ID = 0,
    MDM_RULE_TYPE,
    MDM_RULE_STATE,
    MDM_RULE_SERIAL_NUMBER,
    MDM_RULE_MODEL,
    MDM_RULE_MODEL_NAME,
    MDM_RULE_PRODUCT_NAME,
    MDM_RULE_DEVICE_NAME,
    MDM_RULE_OS_VERSION,
    MDM_RULE_BUILD_VERSION,
    MDM_RULE_IMEI,
    MDM_RULE_COLUMNS
} mdm_rule_column_e;

/** Of whom it is asked. What is not known is NULL. */
typedef struct mdm_rule_values_t {
    const char *login;                      /* NULL: the enrollment is nobody's */
    int known;                              /* there is a record of this user: the next four are its */
    const char *display_name, *email;
    const json_t *attributes;               /* object: texts, or arrays of texts */
    int disabled;
    const char *columns[MDM_RULE_COLUMNS];
    apr_hash_t *facts;                      /* of the device: name -> const char *, JSON as in mdm_fact_t.value */
} mdm_rule_values_t;

/**
 * Make a rule of JSON.
 * @param out lives in ctx->pool; keeps nothing of `json`
 * @return MDM_EINPUT naming the path of what is wrong ("all[1].op") and what is allowed; MDM_ETOOBIG
 */
apr_status_t mdm_rule_of(mdm_rule_t **out, mdm_ctx_t *ctx, const json_t *json);

/** The same from text. @return also MDM_EINPUT when it is no JSON */
apr_status_t mdm_rule_read(mdm_rule_t **out, mdm_ctx_t *ctx, mdm_bytes_t text);

/** As compact JSON, as it is stored; equal texts are equal rules. */
const char *mdm_rule_text(const mdm_rule_t *rule);

/** Apple's names of the facts that `values` have to have, each once: array of const char *. */
const apr_array_header_t *mdm_rule_facts(const mdm_rule_t *rule);

/** Those, and the facts that columns follow: when one of them changes, the rule has to be asked again. */
const apr_array_header_t *mdm_rule_watches(const mdm_rule_t *rule);

/** Whether it looks at attributes of users, so that those have to be read. */
int mdm_rule_wants_attributes(const mdm_rule_t *rule);

/** Whether it holds. @param scratch for values on their way, little */
int mdm_rule_holds(const mdm_rule_t *rule, const mdm_rule_values_t *values, apr_pool_t *scratch);

/**
 * Why it holds or does not, in one sentence of at most MDM_RULE_REASON_MAX bytes, from the tests that decided:
 * "because user.title is Nurse and device.OSVersion 17.2 is at least 17".
 */
const char *mdm_rule_reason(const mdm_rule_t *rule, const mdm_rule_values_t *values, apr_pool_t *p);

#endif
