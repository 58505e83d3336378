/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles with references in them: "${user.mail}", "${device.serial_number}", "${secret.wifi}", anywhere in a text,
 * and "${secret.certificate:data}" as a whole text, which becomes <data>. "$${" is a plain "${". A template is read
 * once and rendered many times: only nodes with references, and the containers above them, are made anew. Values are
 * handed in, no database is asked; they become texts of the tree, so none can become markup or a reference again.
 * A template is never changed after its making and may be shared by threads; a rendering belongs to its context.
 */
#ifndef MDM_TEMPLATE_H
#define MDM_TEMPLATE_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <jansson.h>

#include "mdm_plist.h"
#include "mdm_seal.h"
#include "mdm_store_enrollment.h"

#define MDM_TEMPLATE_REFERENCES_MAX 1000
#define MDM_TEMPLATE_NAME_MAX 127

typedef enum {
    MDM_REFERENCE_UNSET = 0,
    MDM_REFERENCE_USER,
    MDM_REFERENCE_DEVICE,
    MDM_REFERENCE_SECRET
} mdm_reference_e;

/* One reference, where it stands. */
typedef struct mdm_reference_t {
    mdm_reference_e kind;
    const char *name;             /* behind the first dot */
    int data;                     /* ":data": the value is base64 and becomes <data> */
    const char *path;             /* "PayloadContent[0].Password" */
} mdm_reference_t;

/* What a template asks for: arrays of const char *, each name once, in order of name. */
typedef struct mdm_template_uses_t {
    const apr_array_header_t *user;     /* as written: "mail", "department" */
    const apr_array_header_t *device;   /* as written: "serial", "WiFiMAC" */
    const apr_array_header_t *facts;    /* Apple's names of the facts that `device` looks at: "SerialNumber" */
    const apr_array_header_t *secrets;
} mdm_template_uses_t;

typedef struct mdm_template_t mdm_template_t;

/* For whom it is rendered. What is absent is NULL. */
typedef struct mdm_values_t {
    const mdm_seal_t *seal;             /* keys the PayloadUUID */
    const char *login;                  /* NULL: the enrollment is nobody's */
    const char *display_name, *email;
    const json_t *attributes;           /* object: texts, or arrays of texts, of which the first counts */
    const mdm_enrollment_t *enrollment;
    const mdm_enrollment_t *device;     /* of a user channel: that of its device; NULL: `enrollment` itself */
    apr_hash_t *facts;                  /* of the device: name -> const char *, JSON as in mdm_fact_t.value */
    apr_hash_t *secrets;                /* name -> const mdm_bytes_t *, the present values; one without
                                         * data does not open */
} mdm_values_t;

/**
 * Read a template from the body of a profile's version.
 * @param profile id of the profile, part of what its PayloadUUID is made of
 * @param body    a property list in either form; copied as far as it is kept
 * @param out     lives in ctx->pool
 * @return MDM_EPLIST; MDM_EINPUT naming the key path of a malformed reference, one of an unknown kind, one in a key
 *         of a dictionary, ":data" that is not the whole text
 */
apr_status_t mdm_template_read(mdm_template_t **out, mdm_ctx_t *ctx, apr_int64_t profile, mdm_bytes_t body);

/** The same of a tree, which has to stay as it is for as long as the template. */
apr_status_t mdm_template_of(mdm_template_t **out, mdm_ctx_t *ctx, apr_int64_t profile, const mdm_plist_t *tree);

/** All references in the order of the document, array of const mdm_reference_t *. */
const apr_array_header_t *mdm_template_references(const mdm_template_t *t);

const mdm_template_uses_t *mdm_template_uses(const mdm_template_t *t);

/** Whether the result depends on the user or the device at all; else one rendering is for everybody. */
int mdm_template_depends(const mdm_template_t *t);

/**
 * What only a save asks, since tables may change: whether every name can ever have a value, and whether each reference
 * stands where it may (no reference in types, identifiers and UUIDs; no secret where a ProfileList would show it).
 * @return MDM_EINPUT naming the key path, and what there is
 */
apr_status_t mdm_template_check(mdm_ctx_t *ctx, const mdm_template_t *t);

/**
 * The profile for these values, with the PayloadUUID that names exactly this content.
 * @param profile in ctx->pool; shares the nodes without references with the template, so it must not be changed and
 *                not outlive it
 * @param uuid    may be NULL
 * @return MDM_ENOTFOUND when a value is missing or cannot be put in: the detail is then the reason, as "user anna has
 *         no attribute mail", without any value; call mdm_ctx_clear before the next. MDM_ETOOBIG, MDM_ECRYPTO
 */
apr_status_t mdm_template_render(mdm_plist_t **profile, const char **uuid, mdm_ctx_t *ctx, const mdm_template_t *t,
                                 const mdm_values_t *values);

/**
 * The PayloadUUID of a rendered profile: a UUID (RFC 9562 version 8) of an HMAC under the sealing key over the
 * profile's id and its XML without the top-level PayloadUUID. Equal exactly when the content is; tells nothing of it.
 */
apr_status_t mdm_template_uuid(const char **uuid, mdm_ctx_t *ctx, const mdm_seal_t *seal, apr_int64_t profile,
                               const mdm_plist_t *rendered);

#endif
