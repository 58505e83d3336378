/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity CA's files in a state folder: ca.pem, ca.key and seal.key; around a roll-over next-ca.pem and
 * next-ca.key; with an RA ra.pem and ra.key. A key file holds a PEM key, or the pkcs11: URI of one in a
 * token. Made and moved by mdmctl; read by httpd's parent. Nothing that exists is ever overwritten.
 */
#ifndef MDM_CA_H
#define MDM_CA_H

#include "mdm_ctx.h"
#include "mdm_pki_token.h"

#define MDM_CA_PEM "ca.pem"
#define MDM_CA_KEY "ca.key"
#define MDM_NEXT_CA_PEM "next-ca.pem"
#define MDM_NEXT_CA_KEY "next-ca.key"
#define MDM_RA_PEM "ra.pem"
#define MDM_RA_KEY "ra.key"

/* What mdmctl was told. */
typedef struct mdm_ca_plan_t {
    const char *state_dir;
    const char *organization;       /* NULL: "MDM", or that of the present CA */
    apr_interval_time_t lifetime;   /* of the certificate */
    apr_time_t not_before;          /* of the next CA: the switch */
    const char *key_uri;            /* pkcs11: URI of a key that is there; NULL: a new key in a file */
    mdm_bytes_t pin;                /* of the token */
} mdm_ca_plan_t;

/** A file of the state folder. */
const char *mdm_ca_path(mdm_ctx_t *ctx, const char *state_dir, const char *name);

/**
 * The certificates in a PEM file of the state folder, the CA or RA first (mdm_cert_t *). @return MDM_ECONFIG
 */
apr_status_t mdm_ca_read_certs(apr_array_header_t **certs, mdm_ctx_t *ctx, const char *state_dir,
                               const char *name);

/** Read a key file and open the key, in a token too: for mdmctl. @return MDM_ECONFIG */
apr_status_t mdm_ca_read_key(const mdm_key_t **key, mdm_ctx_t *ctx, const char *file, mdm_bytes_t pin);

/**
 * Make the folder (mode 0700) if need be, and in it each of the three files that is missing.
 * @return MDM_EEXIST when all three are there already; MDM_ECONFIG naming the file when one cannot
 *         be made, or when the CA's certificate is there without its key or the other way round
 */
apr_status_t mdm_ca_init(mdm_ctx_t *ctx, const mdm_ca_plan_t *plan);

/**
 * Put an existing CA in the folder, as the present CA, or as the next one. `certs` are the CA's certificate
 * and its chain in any order, mdm_cert_t *.
 * @param warning set to a sentence when the CA needs an RA to speak SCEP, else to NULL
 * @return MDM_EEXIST, MDM_ECONFIG when it is none that can issue identities
 */
apr_status_t mdm_ca_import(const char **warning, mdm_ctx_t *ctx, const mdm_ca_plan_t *plan,
                           const mdm_key_t *key,
                           const apr_array_header_t *certs, int next);

/** Make ra.pem and ra.key, signed by the CA that issues now. @return MDM_EEXIST, MDM_ECONFIG */
apr_status_t mdm_ca_make_ra(mdm_ctx_t *ctx, const mdm_ca_plan_t *plan);

/** Why `ra` cannot speak SCEP for one of `cas` (mdm_cert_t *); NULL when it can. */
const char *mdm_ca_ra_problem(const mdm_cert_t *ra, const apr_array_header_t *cas);

/**
 * Make next-ca.pem and next-ca.key, valid and issuing from plan->not_before on.
 * @return MDM_EEXIST when there is a next CA already, MDM_ECONFIG, MDM_EINPUT when the date is past, or
 * after the
 *         present CA's end
 */
apr_status_t mdm_ca_make_next(mdm_ctx_t *ctx, const mdm_ca_plan_t *plan);

/**
 * After the switch: keep ca.pem and ca.key as old-ca-DATE.*, and make the next CA the present one. Stopped
 * at any point it leaves files that httpd starts with, and it can be called again.
 * @param pin of the token that holds the keys, if any
 * @return MDM_ECONFIG when there is no next CA, its date has not come, or the RA is the old CA's
 */
apr_status_t mdm_ca_retire(mdm_ctx_t *ctx, const char *state_dir, mdm_bytes_t pin);

#endif
