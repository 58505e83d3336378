/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library of profiles and the secrets that they name: what may be saved, and how it is. A profile comes as a
 * .mobileconfig (XML, binary, signed: a signature is taken off and not judged) or as JSON, is checked, brought into a
 * form in which equal content is equal text, and stored as a version that is never changed. Every change is one
 * transaction with its event and, where devices are concerned, a mdm_change row that the fan-out works off: its
 * callers wake that after they return. Any request thread.
 */
#ifndef MDM_LIBRARY_H
#define MDM_LIBRARY_H

#include "mdm_judge.h"
#include "mdm_site.h"
#include "mdm_store.h"
#include "mdm_template.h"

#define MDM_LIBRARY_NAME_MAX 100
#define MDM_LIBRARY_IDENTIFIER_MAX 255
#define MDM_LIBRARY_NOTE_MAX 1000

/* What is to be done, by whom. */
typedef struct mdm_library_request_t {
    const char *name;             /* of the profile or the secret */
    mdm_bytes_t body;             /* of a save: the file or the JSON; of a rotation: the value */
    int json;
    const char *note;
    int version;                  /* of a restore */
    const char *actor, *source_ip;
} mdm_library_request_t;

typedef enum {
    MDM_LIBRARY_SAME = 0,         /* it was so already: nothing was written */
    MDM_LIBRARY_CHANGED,          /* another version is current */
    MDM_LIBRARY_NEW               /* a profile that was not there */
} mdm_library_outcome_e;

typedef struct mdm_library_saved_t {
    mdm_library_outcome_e outcome;
    mdm_profile_row_t *profile;
    mdm_profile_version_t *version;
    apr_array_header_t *findings; /* mdm_finding_t; also of a refusal, as far as it came; NULL: not so far */
    int enrollments;              /* for which it should hold by now */
    int assignments;              /* that an archive ended */
    apr_array_header_t *notes;    /* mdm_judge_note_t: what devices will not do with it; not of an archive */
} mdm_library_saved_t;

/**
 * Whether a name is fit for a profile or secret.
 * @param what "profile" or "secret", for the sentence
 * @return MDM_EINPUT unless it has 1 to MDM_LIBRARY_NAME_MAX of A-Z a-z 0-9 . _ - and begins with a letter or digit
 */
apr_status_t mdm_library_name(mdm_ctx_t *ctx, const char *what, const char *name);

/**
 * Save a profile: a new one, a new version, or nothing when the current version is the same. One that was archived
 * with the same PayloadIdentifier comes back, with its versions.
 * @return MDM_EINPUT, MDM_EPLIST, MDM_ETOOBIG; MDM_EEXIST when its PayloadIdentifier is another profile's, or not the
 *         one that the profile has: with object, key and remedy, and nothing is stored
 */
apr_status_t mdm_library_save(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_site_t *site,
                              const mdm_library_request_t *request);

/** All that a save looks at, without writing anything. `saved->outcome` says what it would do. */
apr_status_t mdm_library_check(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_site_t *site,
                               const mdm_library_request_t *request);

/** Make an earlier version the current one. @return MDM_ENOTFOUND; MDM_EINPUT when a secret that it names is gone */
apr_status_t mdm_library_restore(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_library_request_t *request);

/** Archive a profile and end its assignments, so that devices lose it. @return MDM_ENOTFOUND */
apr_status_t mdm_library_archive(mdm_library_saved_t *saved, mdm_store_t *st, const mdm_library_request_t *request);

/* Who a download is rendered for, and of what. */
typedef struct mdm_library_download_t {
    const char *name;
    int version;                  /* 0: the current one */
    const char *user;             /* login, or NULL */
    const char *enrollment_id;    /* or NULL; its user counts unless `user` is given */
    const char *actor, *source_ip;
} mdm_library_download_t;

/**
 * The profile as a signed file for cable, mail or another tool, its secrets in it. An event tells who took it.
 * @return MDM_ENOTFOUND; MDM_EINPUT when a reference has no value, with the sentence that says which
 */
apr_status_t mdm_library_download(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                  const mdm_library_download_t *request);

typedef struct mdm_library_secret_t {
    int made;                     /* a new generation; 0: the value is the same */
    int generation;
    apr_array_header_t *uses;     /* mdm_secret_use_t: versions in use that name it */
    int enrollments;              /* for which such a version should hold */
} mdm_library_secret_t;

/**
 * A new value under a name: text, at most MDM_SECRET_VALUE_MAX bytes.
 * @return MDM_ETOOBIG; MDM_EINPUT, also when a profile takes it as base64 and it is none
 */
apr_status_t mdm_library_rotate(mdm_library_secret_t *out, mdm_store_t *st, const mdm_library_request_t *request);

/** @return MDM_ENOTFOUND; MDM_EEXIST naming a profile that uses it */
apr_status_t mdm_library_forget_secret(mdm_store_t *st, const mdm_library_request_t *request);

#endif
