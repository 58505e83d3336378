/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles that this server makes itself (Apple: TopLevel, com.apple.security.root and .pkcs1,
 * com.apple.security.scep, com.apple.mdm), as trees. Called by the enrollment pages, the Profile Service and
 * the delivery of renewals, any thread. Signs and encrypts nothing.
 */
#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_challenge.h"
#include "mdm_profile.h"

#define KEY_BITS 2048
#define KEY_USAGE_SIGN_ENCRYPT 5

static const char *identifier(const mdm_site_t *site, const char *suffix, apr_pool_t *p)
{
    return suffix ? apr_pstrcat(p, site->profile_identifier, ".", suffix, NULL) : site->profile_identifier;
}

/* Payload UUIDs are derived from the site and the payload's identifier: the same in each download. */
mdm_plist_t *mdm_profile_payload(const mdm_site_t *site, const char *type, const char *suffix,
                                 const char *name, apr_pool_t *p)
{
    mdm_plist_t *dict = mdm_plist_dict(p);
    const char *id = identifier(site, suffix, p);

    mdm_plist_set_string(dict, "PayloadType", type, p);
    mdm_plist_set_integer(dict, "PayloadVersion", 1, p);
    mdm_plist_set_string(dict, "PayloadIdentifier", id, p);
    mdm_plist_set_string(dict, "PayloadUUID", mdm_uuid_of(site->server_url, id, p), p);
    mdm_plist_set_string(dict, "PayloadDisplayName", name, p);
    mdm_plist_set_string(dict, "PayloadOrganization", site->organization, p);
    return dict;
}

static mdm_plist_t *rdn(const char *type, const char *value, apr_pool_t *p)
{
    mdm_plist_t *outer = mdm_plist_array(p), *pair = mdm_plist_append(outer, mdm_plist_array(p));

    mdm_plist_append(pair, mdm_plist_string(type, p));
    mdm_plist_append(pair, mdm_plist_string(value, p));
    return outer;
}

static mdm_plist_t *scep_payload(mdm_ctx_t *ctx, const mdm_site_t *site, const char *suffix,
                                 const char *common_name, const char *challenge)
{
    apr_pool_t *p = ctx->pool;
    const mdm_cert_t *recipient = site->ra ? site->ra : mdm_authority_present(site, mdm_ctx_now(ctx))->cert;
    mdm_plist_t *dict = mdm_profile_payload(site, "com.apple.security.scep", suffix, "Device Identity", p);
    mdm_plist_t *content = mdm_plist_set(dict, "PayloadContent", mdm_plist_dict(p), p);
    mdm_plist_t *subject;

    mdm_plist_set_string(content, "URL", site->scep_url, p);
    mdm_plist_set_string(content, "Name", "mdm", p);
    subject = mdm_plist_set(content, "Subject", mdm_plist_array(p), p);
    mdm_plist_append(subject, rdn("O", site->organization, p));
    mdm_plist_append(subject, rdn("CN", common_name, p));
    mdm_plist_set_string(content, "Challenge", challenge, p);
    mdm_plist_set_integer(content, "Keysize", KEY_BITS, p);
    mdm_plist_set_string(content, "Key Type", "RSA", p);
    mdm_plist_set_integer(content, "Key Usage", KEY_USAGE_SIGN_ENCRYPT, p);
    mdm_plist_set_integer(content, "Retries", 3, p);
    mdm_plist_set_integer(content, "RetryDelay", 10, p);
    mdm_plist_set_boolean(content, "KeyIsExtractable", 0, p);
    mdm_plist_set_data(content, "CAFingerprint", mdm_cert_sha1(ctx, recipient), p);
    return dict;
}

static mdm_plist_t *mdm_payload(const mdm_site_t *site, const char *topic, apr_pool_t *p)
{
    mdm_plist_t *dict = mdm_profile_payload(site, "com.apple.mdm", "mdm", "Device Management", p);
    const char *scep_id = identifier(site, "scep", p);
    mdm_plist_t *capabilities;

    mdm_plist_set_string(dict, "IdentityCertificateUUID", mdm_uuid_of(site->server_url, scep_id, p), p);
    mdm_plist_set_string(dict, "Topic", topic, p);
    mdm_plist_set_string(dict, "ServerURL", site->connect_url, p);
    mdm_plist_set_string(dict, "CheckInURL", site->checkin_url, p);
    mdm_plist_set_boolean(dict, "SignMessage", site->sign_message, p);
    mdm_plist_set_integer(dict, "AccessRights", site->access_rights, p);
    mdm_plist_set_boolean(dict, "CheckOutWhenRemoved", 1, p);
    capabilities = mdm_plist_set(dict, "ServerCapabilities", mdm_plist_array(p), p);
    mdm_plist_append(capabilities, mdm_plist_string("com.apple.mdm.per-user-connections", p));
    mdm_plist_append(capabilities, mdm_plist_string("com.apple.mdm.bootstraptoken", p));
    if (site->get_token_key && site->get_token_server_uuid)
        mdm_plist_append(capabilities, mdm_plist_string("com.apple.mdm.token", p));
    return dict;
}

static apr_status_t add_trust(mdm_plist_t *contents, mdm_ctx_t *ctx, const mdm_site_t *site,
                              const mdm_cert_t *cert, const char *suffix)
{
    const char *type = mdm_cert_is_self_signed(cert) ? "com.apple.security.root" : "com.apple.security.pkcs1";
    mdm_plist_t *dict = mdm_profile_payload(site, type, suffix, mdm_cert_subject(ctx, cert), ctx->pool);
    mdm_bytes_t der;
    apr_status_t rv = mdm_cert_to_der(&der, ctx, cert);

    if (rv == APR_SUCCESS) {
        mdm_plist_set_data(dict, "PayloadContent", der, ctx->pool);
        mdm_plist_append(contents, dict);
    }
    return rv;
}

static apr_status_t add_authorities(mdm_plist_t *contents, mdm_ctx_t *ctx, const mdm_site_t *site)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < site->authorities->nelts; i++)
        rv = add_trust(contents, ctx, site, APR_ARRAY_IDX(site->authorities, i, mdm_authority_t *)->cert,
                       i ? apr_psprintf(ctx->pool, "ca.%d", i + 1) : "ca");
    for (i = 0; rv == APR_SUCCESS && i < site->trust->nelts; i++)
        rv = add_trust(contents, ctx, site, APR_ARRAY_IDX(site->trust, i, mdm_cert_t *),
                       apr_psprintf(ctx->pool, "trust.%d", i + 1));
    return rv;
}

/* @param contents where its payloads go */
static mdm_plist_t *configuration(mdm_plist_t **contents, mdm_ctx_t *ctx, const mdm_site_t *site,
                                  const char *suffix, const char *name, const char *description)
{
    apr_pool_t *p = ctx->pool;
    mdm_plist_t *root = mdm_profile_payload(site, "Configuration", suffix,
                                            apr_pstrcat(p, site->organization, " ", name, NULL), p);

    mdm_plist_set_string(root, "PayloadDescription", description, p);
    mdm_plist_set_string(root, "PayloadScope", "System", p);
    *contents = mdm_plist_set(root, "PayloadContent", mdm_plist_array(p), p);
    return root;
}

static apr_status_t find_topic(const char **topic, mdm_store_t *st, const mdm_site_t *site)
{
    apr_array_header_t *topics;
    apr_status_t rv = mdm_store_push_topic_list(&topics, st);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    for (i = 0; i < topics->nelts; i++) {
        const mdm_push_topic_t *t = APR_ARRAY_IDX(topics, i, mdm_push_topic_t *);

        if (!site->push_topic || !strcmp(t->topic, site->push_topic)) {
            *topic = t->topic;
            return APR_SUCCESS;
        }
    }
    if (site->push_topic)
        return mdm_fail(st->ctx, MDM_ECONFIG, "there is no push certificate for MDMPushTopic %s: upload it "
                        "with PUT v1/pushcert of the API", site->push_topic);
    return mdm_fail(st->ctx, MDM_ECONFIG, "there is no push certificate yet, and no device can be managed "
                    "without: upload one with PUT v1/pushcert of the API");
}

static apr_status_t make_challenge(const char **challenge, const char **common_name, mdm_store_t *st,
                                   const mdm_site_t *site, const mdm_profile_request_t *request)
{
    mdm_challenge_t wanted = { 0 };

    *common_name = request->common_name ? request->common_name : mdm_uuid_random(st->ctx->pool);
    if (!*common_name)
        return mdm_fail(st->ctx, MDM_ECRYPTO, "no random bytes for an identity's name");
    wanted.kind = MDM_CHALLENGE_SCEP;
    wanted.user = request->user;
    wanted.common_name = *common_name;
    wanted.session = request->session;
    wanted.invitation = request->invitation;
    wanted.enrollment = request->enrollment;
    return mdm_challenge_make(challenge, st, &wanted, site->challenge_lifetime);
}

apr_status_t mdm_profile_enrollment(mdm_plist_t **root, mdm_store_t *st, const mdm_site_t *site,
                                    const mdm_profile_request_t *request)
{
    mdm_ctx_t *ctx = st->ctx;
    const char *topic = request->topic, *challenge, *common_name;
    mdm_plist_t *made, *contents;
    apr_status_t rv = topic ? APR_SUCCESS : find_topic(&topic, st, site);

    if (rv != APR_SUCCESS)
        return rv;
    made = configuration(&contents, ctx, site, NULL, "Device Management",
                         apr_psprintf(ctx->pool, "Lets %s manage this device.", site->organization));
    if ((rv = add_authorities(contents, ctx, site)) != APR_SUCCESS
        || (rv = make_challenge(&challenge, &common_name, st, site, request)) != APR_SUCCESS)
        return rv;
    mdm_plist_append(contents, scep_payload(ctx, site, "scep", common_name, challenge));
    mdm_plist_append(contents, mdm_payload(site, topic, ctx->pool));
    *root = made;
    return APR_SUCCESS;
}

apr_status_t mdm_profile_identity(mdm_plist_t **root, mdm_store_t *st, const mdm_site_t *site,
                                  const mdm_profile_request_t *request)
{
    mdm_ctx_t *ctx = st->ctx;
    const char *challenge, *common_name;
    mdm_plist_t *contents, *made = configuration(&contents, ctx, site, "identity", "Device Identity",
                                                 "Gives this device an identity to enroll with.");
    apr_status_t rv = add_authorities(contents, ctx, site);

    if (rv == APR_SUCCESS)
        rv = make_challenge(&challenge, &common_name, st, site, request);
    if (rv != APR_SUCCESS)
        return rv;
    mdm_plist_append(contents, scep_payload(ctx, site, "identity.scep", common_name, challenge));
    *root = made;
    return APR_SUCCESS;
}

apr_status_t mdm_profile_configuration(mdm_plist_t **root, mdm_ctx_t *ctx, const mdm_site_t *site)
{
    mdm_plist_t *contents;
    int i;

    *root = configuration(&contents, ctx, site, NULL, "Configuration",
                          apr_psprintf(ctx->pool, "Configures this device for %s.", site->organization));
    for (i = 0; i < site->configuration->nelts; i++) {
        mdm_plist_t *payload = mdm_plist_dict(ctx->pool);

        /* The site's trees are shared by all threads: a node of our own is linked, not theirs. */
        *payload = *APR_ARRAY_IDX(site->configuration, i, const mdm_plist_t *);
        payload->next = NULL;
        mdm_plist_append(contents, payload);
    }
    return APR_SUCCESS;
}
