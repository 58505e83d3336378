/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library: profiles and their versions, which are never changed. Called by core/mdm_library.h, the fan-out and
 * the delivery of profiles.
 */
#ifndef MDM_STORE_PROFILE_H
#define MDM_STORE_PROFILE_H

#include "mdm_store_base.h"

typedef struct mdm_profile_row_t {
    apr_int64_t id;
    const char *name;
    const char *identifier;       /* PayloadIdentifier: the same for good */
    const char *scope;            /* "System", "User" */
    int version;                  /* the current one */
    const char *created_by;
    apr_time_t created_at, changed_at;
    apr_time_t archived_at;       /* 0: in the library */
    const char *detail;           /* of the current version, as below; of a list only */
    int assignments;              /* of a list only */
} mdm_profile_row_t;

typedef struct mdm_profile_version_t {
    apr_int64_t profile;
    int version;
    mdm_bytes_t body;             /* XML with references, without the top-level PayloadUUID; sealed in the table */
    const char *sha256;           /* HMAC of the body under the sealing key, in hex: a body holds what can be guessed */
    const char *detail;           /* JSON: "display_name", "types" (PayloadTypes in order), "single" (those of them of
                                     which a device holds one), "variables" ("user.mail", ...), "secrets",
                                     "warnings" ({"path", "text"}) */
    const char *note;
    const char *created_by;
    apr_time_t created_at;
} mdm_profile_version_t;

/** One that is not archived. @return MDM_ENOTFOUND naming it */
apr_status_t mdm_store_profile_get(mdm_profile_row_t **out, mdm_store_t *st, const char *name);
/** Archived or not. @return MDM_ENOTFOUND */
apr_status_t mdm_store_profile_by_id(mdm_profile_row_t **out, mdm_store_t *st, apr_int64_t id);
/** Archived or not. @return MDM_ENOTFOUND */
apr_status_t mdm_store_profile_by_identifier(mdm_profile_row_t **out, mdm_store_t *st, const char *identifier);
/** At most `limit` that are not archived after the name `cursor` (NULL: all). Array of mdm_profile_row_t *. */
apr_status_t mdm_store_profile_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit);
apr_status_t mdm_store_profile_insert(mdm_store_t *st, const mdm_profile_row_t *profile);
/**
 * Another current version, name and scope; not archived from now on.
 * @param as it was read so; @return MDM_ECONFLICT when it has another current version or was archived since
 */
apr_status_t mdm_store_profile_update(mdm_store_t *st, const mdm_profile_row_t *profile, const mdm_profile_row_t *as);
/**
 * Keep a profile from being archived until the transaction ends. One statement.
 * @return MDM_ENOTFOUND naming it, when it is archived by now
 */
apr_status_t mdm_store_profile_hold(mdm_store_t *st, apr_int64_t id, const char *name);
/**
 * Archive it; its versions stay. The watched facts go. Two statements. From then on until the transaction ends it is
 * kept from saves and holds, so that what belongs to it is looked for afterwards.
 * @return MDM_ENOTFOUND naming it
 */
apr_status_t mdm_store_profile_archive(mdm_store_t *st, apr_int64_t id, const char *name);

/** Without its body, so that it need not open. @return MDM_ENOTFOUND naming the version */
apr_status_t mdm_store_profile_version_facts(mdm_profile_version_t **out, mdm_store_t *st, apr_int64_t profile,
                                             int version);
/** With its body. @return MDM_ENOTFOUND naming the version; MDM_ECRYPTO when it does not open */
apr_status_t mdm_store_profile_version_get(mdm_profile_version_t **out, mdm_store_t *st, apr_int64_t profile,
                                           int version);
/**
 * At most `limit` versions without bodies, the newest first, those below `before` (0: from the newest). Array of
 * mdm_profile_version_t *.
 */
apr_status_t mdm_store_profile_version_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile,
                                            int before, int limit);
/** The highest version there is; 0: none. */
apr_status_t mdm_store_profile_version_last(int *version, mdm_store_t *st, apr_int64_t profile);
apr_status_t mdm_store_profile_version_insert(mdm_store_t *st, const mdm_profile_version_t *version);
/** The secrets that a version names. One statement for each. */
apr_status_t mdm_store_profile_secrets(mdm_store_t *st, apr_int64_t profile, int version, const char *const *names,
                                       int count);
/**
 * Facts that a version names are watched for the profile until it is archived, since any version may be pinned. One
 * statement for each.
 */
apr_status_t mdm_store_profile_watch(mdm_store_t *st, apr_int64_t profile, const char *const *facts, int count);

/** Whether any user has an attribute of this name; reads all users when none has. For a save alone. */
apr_status_t mdm_store_profile_attribute(int *known, mdm_store_t *st, const char *name);

/** Assignments of a profile end. @param ended how many; one statement */
apr_status_t mdm_store_profile_unassign(int *ended, mdm_store_t *st, apr_int64_t profile);
/** For how many enrollments it should hold. */
apr_status_t mdm_store_profile_enrollments(int *count, mdm_store_t *st, apr_int64_t profile);

#endif
