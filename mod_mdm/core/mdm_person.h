/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of persons, and every way it changes: their sign-in, a file, the API, the directory. A change is
 * merged with what there is; when that makes a difference, the record, an event and the marks on the person's
 * enrollments are written in one transaction. Any thread.
 */
#ifndef MDM_PERSON_H
#define MDM_PERSON_H

#include <jansson.h>

#include "mdm_store_user.h"

#define MDM_PERSON_LOGIN_MAX 255      /* bytes */
#define MDM_PERSON_NAME_MAX 64        /* bytes of the name of an attribute */
#define MDM_PERSON_TEXT_MAX 1024      /* bytes of one value */
#define MDM_PERSON_VALUES_MAX 256     /* values of one attribute */
#define MDM_PERSON_BYTES_MAX 32768    /* of all attributes of a person, as JSON */

/** What somebody says of a person. Start with mdm_person_change. */
typedef struct mdm_person_change_t {
    const char *login;
    const char *display_name, *email; /* NULL: stays; "": goes */
    int disabled;                     /* 1, 0; -1: stays */
    json_t *attributes;               /* name -> text or array of texts; empty or null: goes. NULL: all stay */
    int replace;                      /* what is not named goes */
    int synced;                       /* has been found in the directory */
    int restore;                      /* with synced: enabled, if it was the directory that disabled one it lost */
    int made, changed;                /* out: there was none; the record is other than it was */
    int turned;                       /* out: 1: has become disabled; -1: is so no longer */
} mdm_person_change_t;

/** Who says it. */
typedef struct mdm_person_by_t {
    const char *source;               /* sign-in, api, csv, mdmctl, directory */
    const char *actor, *source_ip;    /* may be NULL */
} mdm_person_by_t;

/** A change that changes nothing yet. */
mdm_person_change_t mdm_person_change(const char *login);

/**
 * The forms of a login that LOWER(TRIM(login)) of its other cases may have: small letters, and capitals beyond ASCII,
 * which databases leave as they are. Logins that mix both beyond ASCII are found only as they are written.
 */
void mdm_person_fold(const char *folded[MDM_USER_FOLDED], const char *login, apr_pool_t *p);

/** Whether two logins are those of one person: a directory takes either, in any case and with spaces around it. */
int mdm_person_is_same(const char *one, const char *two, apr_pool_t *p);

/** Whether a login can be one. @return MDM_EINPUT */
apr_status_t mdm_person_check_login(mdm_ctx_t *ctx, const char *login);

/**
 * Whether an attribute can have this name: letters, digits and _ . - after a letter. Names of the record's own
 * members, such as "login", are none.
 * @return MDM_EINPUT with what is allowed
 */
apr_status_t mdm_person_check_name(mdm_ctx_t *ctx, const char *name);

/** Whether a text can be a value: UTF-8 without control characters. @return MDM_EINPUT naming `name`; MDM_ETOOBIG */
apr_status_t mdm_person_check_text(mdm_ctx_t *ctx, const char *name, const char *text);

/**
 * Say one thing of a person by its name: display_name, email (or mail), disabled (yes, no), or an attribute.
 * @param text "": it goes; for disabled: it stays
 * @return MDM_EINPUT, MDM_ETOOBIG
 */
apr_status_t mdm_person_say(mdm_ctx_t *ctx, mdm_person_change_t *change, const char *name, const char *text);

/** The same of a list: an attribute takes all of it, the others the first. */
apr_status_t mdm_person_say_list(mdm_ctx_t *ctx, mdm_person_change_t *change, const char *name,
                                 const apr_array_header_t *texts);

/**
 * Read a change from JSON {"display_name", "email", "disabled", "attributes"}; null takes away.
 * @param replace nonzero: what is not named goes, and the person is not disabled
 * @return MDM_EINPUT naming the member
 */
apr_status_t mdm_person_read(mdm_person_change_t *change, mdm_ctx_t *ctx, const json_t *json, int replace);

/** The record as JSON, for answers; the caller owns it. */
json_t *mdm_person_json(const mdm_user_t *user, apr_pool_t *p);

/**
 * Merge changes into the records. Inside the caller's transaction: one statement for every 64, and for each person
 * whose record becomes another one for it and one for each event, and one for the marks of every 64.
 * @param changes each login once
 * @return MDM_ETOOBIG naming the login whose attributes grow beyond MDM_PERSON_BYTES_MAX
 */
apr_status_t mdm_person_write(mdm_store_t *st, mdm_person_change_t *changes, int count, const mdm_person_by_t *by);

/** The same in a transaction of its own: all or none. */
apr_status_t mdm_person_save(mdm_store_t *st, mdm_person_change_t *changes, int count, const mdm_person_by_t *by);

/**
 * Somebody has signed in to enroll a device. Inside the caller's transaction; one statement when nothing changes.
 * @param change what the sign-in said of the person, or NULL; empty values change nothing
 * @return MDM_EDENIED when the person is disabled, also under a login that only case and spaces tell from this one:
 *         nothing is written
 */
apr_status_t mdm_person_sign_in(mdm_store_t *st, const char *login, mdm_person_change_t *change,
                                const char *source_ip);

/** The same in a transaction of its own, for a sign-in that opens no session. */
apr_status_t mdm_person_signed_in(mdm_store_t *st, const char *login, mdm_person_change_t *change,
                                  const char *source_ip);

#endif
