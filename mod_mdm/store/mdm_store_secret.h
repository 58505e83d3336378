/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named secrets that profiles refer to. A new value is a new generation; the value of a retired one is forgotten.
 * Called by the API, the fan-out and the delivery of profiles.
 */
#ifndef MDM_STORE_SECRET_H
#define MDM_STORE_SECRET_H

#include <apr_hash.h>

#include "mdm_store_unreadable.h"

#define MDM_SECRET_VALUE_MAX 65536

/* One generation, without its value. */
typedef struct mdm_secret_t {
    const char *name;
    int generation;
    const char *created_by;
    apr_time_t created_at;
    apr_time_t retired_at;        /* 0: the present one */
    int profiles;                 /* that name it in a version in use; of a list only */
} mdm_secret_t;

/* A version of a profile that names a secret and is in use: current, pinned, or rolled out. */
typedef struct mdm_secret_use_t {
    apr_int64_t profile;
    const char *name;             /* of the profile */
    int version;
    int current;                  /* it is the current one */
} mdm_secret_use_t;

/** The present generations of at most `limit` secrets after the name `cursor` (NULL: all). Array of mdm_secret_t. */
apr_status_t mdm_store_secret_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit);
/** All generations, the newest first. Array of mdm_secret_t. @return MDM_ENOTFOUND */
apr_status_t mdm_store_secret_generations(apr_array_header_t **out, mdm_store_t *st, const char *name);
/**
 * The present value.
 * @param generation may be NULL, and is told also of one that does not open
 * @return MDM_ENOTFOUND; MDM_ECRYPTO when it does not open
 */
apr_status_t mdm_store_secret_value(mdm_bytes_t *value, int *generation, mdm_store_t *st, const char *name);
/**
 * The present values of many: name -> const mdm_bytes_t *, as mdm_values_t.secrets takes them; those that do not
 * exist are left out, those that do not open are without data. One statement for 64.
 * @param closed array of mdm_unreadable_t: those that do not open
 */
apr_status_t mdm_store_secret_values(apr_hash_t **out, apr_array_header_t **closed, mdm_store_t *st,
                                     const char *const *names, int count);
/**
 * Keep secrets from being deleted until the transaction ends. One statement for 64.
 * @param names each once; @param held how many of them there are
 */
apr_status_t mdm_store_secret_hold(int *held, mdm_store_t *st, const char *const *names, int count);
/**
 * Put a new generation in the place of the present one, if there is one. Up to three statements, in a transaction.
 * @param generation its number
 */
apr_status_t mdm_store_secret_put(int *generation, mdm_store_t *st, const char *name, mdm_bytes_t value,
                                  const char *created_by);
/** All generations go; whether it is in use is the caller's question. @return MDM_ENOTFOUND */
apr_status_t mdm_store_secret_delete(mdm_store_t *st, const char *name);
/** Where it is in use. Array of mdm_secret_use_t, by name of the profile and version. */
apr_status_t mdm_store_secret_uses(apr_array_header_t **out, mdm_store_t *st, const char *name);
/** For how many enrollments something that names it should hold. */
apr_status_t mdm_store_secret_enrollments(int *count, mdm_store_t *st, const char *name);

#endif
