/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push certificates: check one that an administrator uploads, and keep it with its key sealed.
 */
#ifndef MDM_PUSHCERT_H
#define MDM_PUSHCERT_H

#include "mdm_store.h"

/**
 * Check and store a push certificate: PEM of certificate and unencrypted key in any order, also without a
 * line break between the blocks. Replaces the one of the same topic. The topic is the subject's UID.
 * @param stored what is now in force, without the key
 * @return MDM_EINPUT with the reason; MDM_EDB
 */
apr_status_t mdm_pushcert_store(mdm_push_topic_t **stored, mdm_store_t *st, mdm_bytes_t pem,
                                const char *actor, const char *source);

/** An upload by somebody who may not know which topics are in use. */
typedef struct mdm_pushcert_upload_t {
    mdm_bytes_t pem;
    const char *confirm;         /* the certificate's topic: it is meant; or NULL */
    const char *configured;      /* MDMPushTopic; a difference is warned of; or NULL */
    const char *actor, *source;
} mdm_pushcert_upload_t;

/**
 * As mdm_pushcert_store, unless the topic is new here while enrolled devices use others: then it has to be confirmed,
 * since it is nearly always a certificate that was made anew in place of renewed, and would strand them; or unless a
 * certificate of the same topic that ends later is stored: then it has to be confirmed, too. Two statements more.
 * @return MDM_EEXIST naming how many devices use which topics, or both ends
 */
apr_status_t mdm_pushcert_upload(mdm_push_topic_t **stored, mdm_store_t *st, const mdm_pushcert_upload_t *upload);

/** A topic that has a certificate, or that enrolled devices use. */
typedef struct mdm_pushcert_t {
    const char *topic;
    const mdm_push_topic_t *certificate;   /* NULL: there is none */
    apr_int64_t devices;                   /* enrolled */
} mdm_pushcert_t;

/** All of them, newest upload first, those without a certificate last: array of mdm_pushcert_t. Two statements. */
apr_status_t mdm_pushcert_list(apr_array_header_t **out, mdm_store_t *st);

#endif
