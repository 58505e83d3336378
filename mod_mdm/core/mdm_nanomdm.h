/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking over from a NanoMDM server: its enrollments with their identities, tokens and open commands, and its push
 * certificates, so that no device enrolls anew. Called by mdmctl; one thread.
 */
#ifndef MDM_NANOMDM_H
#define MDM_NANOMDM_H

#include "mdm_site.h"
#include "mdm_store.h"

typedef struct mdm_nanomdm_counts_t {
    int topics;
    int enrollments;        /* taken over */
    int left;               /* of these: disabled there, so they have left here */
    int known;              /* were here already */
    int updated;            /* of these: heard of later there, so brought up to date */
    int without_identity;   /* of those taken over: no certificate there; they need MDMRetroactiveIdentity */
    int commands, waiting;  /* open commands, and the enrollments that they wait for */
    int ended;              /* commands of an earlier import that an enrollment has answered there since */
    int refused;            /* of anything: logged with the reason, and left out */
} mdm_nanomdm_counts_t;

/*
 * The three steps, in this order. All may be repeated: what is here already stays as it is, but for enrollments that
 * were heard of there later than here, and for commands of an earlier import that have been answered there. Each
 * enrollment and each command is one transaction of its own. Nothing is written there.
 *   counts  is added to
 *   from    a store over NanoMDM's PostgreSQL database
 *   actor   who asks, for the record
 * They return MDM_EDB; what one object cannot do is logged and counted.
 */
apr_status_t mdm_nanomdm_topics(mdm_nanomdm_counts_t *counts, mdm_store_t *st, mdm_store_t *from, const char *actor);

/**
 * A page of enrollments. It uses as much memory of the stores' pools as the page is large.
 * @param cursor "" at first; set to where the next page starts, NULL after the last; in from->ctx->pool
 */
apr_status_t mdm_nanomdm_enrollments(mdm_nanomdm_counts_t *counts, const char **cursor, mdm_store_t *st,
                                     mdm_store_t *from, const char *actor);

apr_status_t mdm_nanomdm_commands(mdm_nanomdm_counts_t *counts, mdm_store_t *st, mdm_store_t *from, const char *actor);

#endif
