/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every refusal says: which object, which key, what to do. Whoever checks a value knows its key and what would
 * be right; whoever knows the object puts it before, once for all checks. Any thread.
 */
#ifndef MDM_REFUSAL_H
#define MDM_REFUSAL_H

#include "mdm_ctx.h"

/**
 * Put the object before the sentence of a failure: `user "alice": ...`. It stays as it is when it begins so already,
 * and when the server and not the request is the cause, or another object is in the way, which it names.
 * @param kind what it is, such as "user"
 * @param name long ones are cut; NULL: the kind says it all
 * @return rv
 */
apr_status_t mdm_refusal_of(mdm_ctx_t *ctx, apr_status_t rv, const char *kind, const char *name);

/**
 * Put the key before the sentence and the remedy behind it when a key names what is not there (MDM_ENOTFOUND):
 * "group: there is no group x: make it first".
 * @return rv
 */
apr_status_t mdm_refusal_missing(mdm_ctx_t *ctx, apr_status_t rv, const char *key, const char *remedy);

#endif
