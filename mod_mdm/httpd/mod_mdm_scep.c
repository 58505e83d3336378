/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SCEP endpoint (RFC 8894 section 4): dispatch on the operation parameter, whatever the path below the
 * Location. Unauthenticated by nature; every answer costs at most one open, one issue and one signature.
 */
#include <apr_strings.h>

#include "mdm_pkioperation.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"

static const char *const methods[] = { "GET", "POST", NULL };

/* Plus signs stay, since base64 has them and clients send them raw. */
static const char *parameter(request_rec *r, const char *name)
{
    return mdm_io_query(r, name, 0);
}

static apr_status_t read_message(mdm_bytes_t *message, mdm_ctx_t *ctx, request_rec *r)
{
    const char *text;

    if (r->method_number == M_POST)
        return mdm_io_body(message, ctx, r, MDM_LIMIT_SCEP);
    /* HEAD has no answer to read, and this one would use a challenge up. */
    if (r->header_only)
        return mdm_fail(ctx, MDM_EINPUT, "PKIOperation is not served by HEAD");
    text = parameter(r, "message");
    if (!text || !*text)
        return mdm_fail(ctx, MDM_EINPUT, "PKIOperation by GET has no message parameter");
    if (strlen(text) > MDM_LIMIT_SCEP)
        return mdm_fail(ctx, MDM_ETOOBIG, "the message parameter is larger than %d bytes", MDM_LIMIT_SCEP);
    return mdm_scep_message_from_text(message, ctx, text);
}

static int pki_operation(request_rec *r, const mdm_conf_t *conf)
{
    mdm_ctx_t *ctx = mdm_io_ctx(r);
    mdm_store_t *st = NULL;
    mdm_bytes_t message, reply;
    apr_status_t rv;

    if ((rv = read_message(&message, ctx, r)) == APR_SUCCESS
        && (rv = mdm_dbd_request(&st, ctx, r)) == APR_SUCCESS)
        rv = mdm_pkioperation_handle(&reply, st, conf->site, message, r->useragent_ip);
    mdm_io_note(r, ctx, st);
    /* Input without a readable request inside is the client's fault, also when the fault is in its CMS. */
    if (rv == MDM_ECMS)
        rv = MDM_EINPUT;
    if (rv != APR_SUCCESS)
        return mdm_io_fail(r, ctx, rv);
    return mdm_io_send(r, HTTP_OK, "application/x-pki-message", reply);
}

static int get_ca_caps(request_rec *r, const mdm_conf_t *conf)
{
    return mdm_io_send(r, HTTP_OK, "text/plain",
                       mdm_bytes_of(mdm_pkioperation_caps(conf->site, apr_time_now(), r->pool)));
}

static int get_ca_cert(request_rec *r, const mdm_conf_t *conf)
{
    mdm_ctx_t *ctx = mdm_io_ctx(r);
    const char *type;
    mdm_bytes_t der;
    apr_status_t rv = mdm_pkioperation_ca(&der, &type, ctx, conf->site);

    return rv == APR_SUCCESS ? mdm_io_send(r, HTTP_OK, type, der) : mdm_io_fail(r, ctx, rv);
}

static int get_next_ca_cert(request_rec *r, const mdm_conf_t *conf)
{
    mdm_ctx_t *ctx = mdm_io_ctx(r);
    mdm_bytes_t der;
    apr_status_t rv = mdm_pkioperation_next_ca(&der, ctx, conf->site);

    return rv == APR_SUCCESS ? mdm_io_send(r, HTTP_OK, "application/x-x509-next-ca-cert", der)
                             : mdm_io_fail(r, ctx, rv);
}

static const struct {
    const char *name;
    int (*answer)(request_rec *r, const mdm_conf_t *conf);
    int by_post;
} operations[] = {
    { "GetCACaps", get_ca_caps, 0 },
    { "GetCACert", get_ca_cert, 0 },
    { "GetNextCACert", get_next_ca_cert, 0 },
    { "PKIOperation", pki_operation, 1 },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static int bad_operation(request_rec *r)
{
    mdm_ctx_t *ctx = mdm_io_ctx(r);

    return mdm_io_fail(r, ctx, mdm_fail(ctx, MDM_EINPUT, "the operation parameter must be GetCACaps, "
                                        "GetCACert, GetNextCACert or PKIOperation"));
}

int mdm_handle_scep(request_rec *r, const mdm_conf_t *conf)
{
    const char *operation;
    apr_size_t i;
    int answer;

    if (!mdm_io_method(&answer, r, methods))
        return answer;
    operation = parameter(r, "operation");
    for (i = 0; operation && i < OPERATIONS; i++) {
        if (!strcmp(operation, operations[i].name) && (operations[i].by_post || r->method_number == M_GET))
            return operations[i].answer(r, conf);
    }
    return bad_operation(r);
}
