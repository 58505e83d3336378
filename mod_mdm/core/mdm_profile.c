/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrollment profile (Apple: TopLevel, com.apple.security.root, com.apple.security.scep, com.apple.mdm).
 * Called by the mdm-enroll handler in any thread. One RSA operation: the signature.
 */
#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_challenge.h"
#include "mdm_cms.h"
#include "mdm_plist.h"
#include "mdm_profile.h"

#define KEY_BITS 2048
#define KEY_USAGE_SIGN_ENCRYPT 5

static const char *identifier(const mdm_site_t *site, const char *suffix, apr_pool_t *p)
{
    return suffix ? apr_pstrcat(p, site->profile_identifier, ".", suffix, NULL) : site->profile_identifier;
}

/* Payload UUIDs are derived from the site and the payload's identifier: the same in each download. */
static mdm_plist_t *payload(const mdm_site_t *site, const char *type, const char *suffix, const char *name,
                            apr_pool_t *p)
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

static mdm_plist_t *scep_payload(mdm_ctx_t *ctx, const mdm_site_t *site, const char *common_name,
                                 const char *challenge)
{
    apr_pool_t *p = ctx->pool;
    const mdm_cert_t *recipient = site->ra ? site->ra : mdm_authority_present(site, mdm_ctx_now(ctx))->cert;
    mdm_plist_t *dict = payload(site, "com.apple.security.scep", "scep", "Device Identity", p);
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
    mdm_plist_t *dict = payload(site, "com.apple.mdm", "mdm", "Device Management", p);
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
    return dict;
}

static apr_status_t add_trust(mdm_plist_t *contents, mdm_ctx_t *ctx, const mdm_site_t *site,
                              const mdm_cert_t *cert, const char *suffix)
{
    const char *type = mdm_cert_is_self_signed(cert) ? "com.apple.security.root" : "com.apple.security.pkcs1";
    mdm_plist_t *dict = payload(site, type, suffix, mdm_cert_subject(ctx, cert), ctx->pool);
    mdm_bytes_t der;
    apr_status_t rv = mdm_cert_to_der(&der, ctx, cert);

    if (rv == APR_SUCCESS) {
        mdm_plist_set_data(dict, "PayloadContent", der, ctx->pool);
        mdm_plist_append(contents, dict);
    }
    return rv;
}

static apr_status_t build(mdm_bytes_t *text, mdm_ctx_t *ctx, const mdm_site_t *site, const char *topic,
                          const char *common_name, const char *challenge)
{
    apr_pool_t *p = ctx->pool;
    mdm_plist_t *root = payload(site, "Configuration", NULL,
                                apr_pstrcat(p, site->organization, " Device Management", NULL), p);
    mdm_plist_t *contents;
    apr_status_t rv = APR_SUCCESS;
    int i;

    mdm_plist_set_string(root, "PayloadDescription",
                         apr_psprintf(p, "Lets %s manage this device.", site->organization), p);
    mdm_plist_set_string(root, "PayloadScope", "System", p);
    contents = mdm_plist_set(root, "PayloadContent", mdm_plist_array(p), p);
    for (i = 0; rv == APR_SUCCESS && i < site->authorities->nelts; i++)
        rv = add_trust(contents, ctx, site, APR_ARRAY_IDX(site->authorities, i, mdm_authority_t *)->cert,
                       i ? apr_psprintf(p, "ca.%d", i + 1) : "ca");
    for (i = 0; rv == APR_SUCCESS && i < site->trust->nelts; i++)
        rv = add_trust(contents, ctx, site, APR_ARRAY_IDX(site->trust, i, mdm_cert_t *),
                       apr_psprintf(p, "trust.%d", i + 1));
    if (rv != APR_SUCCESS)
        return rv;
    mdm_plist_append(contents, scep_payload(ctx, site, common_name, challenge));
    mdm_plist_append(contents, mdm_payload(site, topic, p));
    return mdm_plist_write(text, ctx, root);
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

apr_status_t mdm_profile_enrollment(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                    const char *user)
{
    mdm_ctx_t *ctx = st->ctx;
    const char *topic = NULL, *challenge, *common_name = mdm_uuid_random(ctx->pool);
    mdm_bytes_t text;
    apr_status_t rv;

    if (!common_name)
        return mdm_fail(ctx, MDM_ECRYPTO, "no random bytes for an identity's name");
    if ((rv = find_topic(&topic, st, site)) != APR_SUCCESS
        || (rv = mdm_challenge_new(&challenge, st, user, common_name,
                                   site->challenge_lifetime)) != APR_SUCCESS
        || (rv = build(&text, ctx, site, topic, common_name, challenge)) != APR_SUCCESS)
        return rv;
    return mdm_cms_sign(der, ctx, text, site->signer, site->signer_key, site->signer_chain);
}
