/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of SCEP: requests, and what they are made of. The first byte of an input says where the rest
 * goes in, so that signature and decryption, which no mutation survives, can be passed: M a whole message,
 * L the same for a server that takes old algorithms, E the envelope of a well signed message, C, P and N the
 * contents of the good envelope of a PKCSReq, a CertPoll and a GetCert, F and B changes (two bytes offset,
 * one byte to flip) to a good message in DER and BER, R a certification request, X a certificate, T the text
 * of a GET. Keys are made at the start. Whatever opens must be answerable. Built with libFuzzer, or with
 * t/fuzz/replay.c for "make check".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <openssl/err.h>

#include "../unit/der_surgery.h"
#include "../unit/scep_maker.h"
#include "mdm_pki_ossl.h"
#include "mdm_scep.h"
#include "seeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *root;
static mdm_key_t *ca_key;
static mdm_cert_t *ca;
static maker_t good;
static maker_bytes_t good_der, good_ber;

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Leak checkers do not look into APR's pools. */
static void finish(void)
{
    apr_pool_destroy(root);
}

static void start(void)
{
    static const apr_interval_time_t day = APR_TIME_C(86400) * APR_USEC_PER_SEC;
    mdm_ctx_t *ctx;

    check(apr_initialize() == APR_SUCCESS && apr_pool_create(&root, NULL) == APR_SUCCESS);
    atexit(finish);
    ctx = mdm_ctx_create(root, NULL);
    check(mdm_key_generate(&ca_key, ctx, 2048) == APR_SUCCESS);
    check(mdm_cert_make_ca(&ca, ctx, ca_key, NULL, "Fuzz CA", 0, day) == APR_SUCCESS);
    good.key = maker_key(2048);
    good.signer = maker_cert(good.key, "client", 0);
    good.recipient = ca->x509;
    good.message_type = "19";
    good.transaction_id = "transaction";
    good.nonce = "0123456789abcdef";
    good.nonce_len = 16;
    good.content = maker_csr(good.key, "device", "challenge", NULL);
    good_der = maker_message(&good);
    good.how = MAKER_BER;
    good_ber = maker_message(&good);
    good.how = 0;
}

static void look_at_cert(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    const char *pem;

    check(mdm_cert_subject(ctx, cert) && mdm_cert_serial(ctx, cert));
    check(strlen(mdm_cert_fingerprint(ctx, cert)) == 64);
    mdm_cert_common_name(ctx, cert);
    mdm_cert_uid(ctx, cert);
    mdm_cert_is_ca(cert);
    mdm_cert_is_self_signed(cert);
    check(!mdm_cert_has_key(cert, ca_key));
    check(mdm_cert_to_pem(&pem, ctx, cert) == APR_SUCCESS);
}

static mdm_cert_t *issue(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    apr_time_t now = apr_time_now();
    mdm_issue_t how = { csr, ca, ca_key, now, now + apr_time_from_sec(60), NULL, NULL };
    mdm_cert_t *cert;
    const char *challenge = mdm_csr_challenge(ctx, csr);

    check(!challenge || strlen(challenge) <= 256);
    check(mdm_csr_subject(ctx, csr) != NULL);
    mdm_csr_common_name(ctx, csr);
    check(mdm_cert_issue(&cert, ctx, &how) == APR_SUCCESS);
    check(mdm_csr_same_key(csr, cert) && mdm_csr_same_subject(csr, cert));
    return cert;
}

static void answer(mdm_ctx_t *ctx, const mdm_scep_request_t *request)
{
    const mdm_bytes_t crl = mdm_bytes_of("0\0");
    mdm_bytes_t reply;

    if (request->message_type == MDM_SCEP_PKCS_REQ || request->message_type == MDM_SCEP_RENEWAL_REQ) {
        check(mdm_scep_reply_success(&reply, ctx, request, issue(ctx, request->csr)) == APR_SUCCESS);
        return;
    }
    check(!request->csr && request->issuer.len);
    if (request->message_type == MDM_SCEP_CERT_POLL) {
        check(request->subject.len && !request->serial);
        check(mdm_scep_reply_pending(&reply, ctx, request) == APR_SUCCESS);
        return;
    }
    check(!request->subject.len && strlen(request->serial) <= 40);
    check(mdm_scep_reply_crl(&reply, ctx, request, crl) == APR_SUCCESS);
}

static void open_by(mdm_ctx_t *ctx, mdm_bytes_t message, unsigned legacy)
{
    mdm_scep_request_t *request = NULL;
    mdm_scep_fail_info_e fail_info = MDM_SCEP_BAD_REQUEST;
    const mdm_scep_party_t party = { ca, ca_key };
    const mdm_scep_server_t server = { &party, 1, legacy };
    apr_status_t rv = mdm_scep_open(&request, &fail_info, ctx, message, &server);
    mdm_bytes_t reply;

    check(ERR_peek_error() == 0);
    if (rv != APR_SUCCESS) {
        check((rv == MDM_EINPUT || rv == MDM_ECMS) && ctx->detail);
        if (request)
            check(mdm_scep_reply_failure(&reply, ctx, request, fail_info, "text") == APR_SUCCESS);
        return;
    }
    look_at_cert(ctx, request->signer);
    check(request->transaction_id[0] && request->sender_nonce.len && request->message_type >= 17);
    answer(ctx, request);
}

static void open_message(mdm_ctx_t *ctx, mdm_bytes_t message)
{
    open_by(ctx, message, 0);
}

static void open_made(mdm_ctx_t *ctx, const maker_t *maker)
{
    maker_bytes_t made = maker_message(maker);
    mdm_bytes_t message = { made.data, made.len };

    open_message(ctx, message);
    OPENSSL_free(made.data);
}

static void open_changed(mdm_ctx_t *ctx, maker_bytes_t from, mdm_bytes_t changes)
{
    unsigned char *copy = apr_palloc(ctx->pool, from.len);
    mdm_bytes_t message = { copy, from.len };

    memcpy(copy, from.data, from.len);
    for (; changes.len >= 3; changes.data += 3, changes.len -= 3)
        copy[((size_t)changes.data[0] << 8 | changes.data[1]) % from.len] ^= changes.data[2];
    open_message(ctx, message);
}

static void read_csr(mdm_ctx_t *ctx, mdm_bytes_t der)
{
    mdm_csr_t *csr;
    int weak;

    if (mdm_csr_from_der(&csr, &weak, ctx, der) == APR_SUCCESS)
        issue(ctx, csr);
}

static void read_cert(mdm_ctx_t *ctx, mdm_bytes_t der)
{
    mdm_cert_t *cert;

    if (mdm_cert_from_der(&cert, ctx, der) == APR_SUCCESS)
        look_at_cert(ctx, cert);
}

static void read_text(mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    char *text = apr_palloc(ctx->pool, bytes.len + 1);
    mdm_bytes_t message;

    memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';
    if (mdm_scep_message_from_text(&message, ctx, text) == APR_SUCCESS)
        open_message(ctx, message);
}

static void dispatch(mdm_ctx_t *ctx, int where, mdm_bytes_t rest)
{
    maker_t maker = good;
    maker_bytes_t bytes = { (unsigned char *)rest.data, rest.len };

    switch (where) {
    case 'M':
        open_message(ctx, rest);
        break;
    case 'L':
        open_by(ctx, rest, MDM_SCEP_LEGACY_DES | MDM_SCEP_LEGACY_DES3 | MDM_SCEP_LEGACY_SHA1);
        break;
    case 'E':
        maker.envelope = bytes;
        open_made(ctx, &maker);
        break;
    case 'C':
    case 'P':
    case 'N':
        maker.message_type = where == 'C' ? "19" : where == 'P' ? "20" : "21";
        maker.content = bytes;
        open_made(ctx, &maker);
        break;
    case 'F':
        open_changed(ctx, good_der, rest);
        break;
    case 'B':
        open_changed(ctx, good_ber, rest);
        break;
    case 'R':
        read_csr(ctx, rest);
        break;
    case 'X':
        read_cert(ctx, rest);
        break;
    case 'T':
        read_text(ctx, rest);
        break;
    default:
        break;
    }
}

static void use_bytes(fuzz_use_t *use, char where, maker_bytes_t bytes)
{
    const maker_bytes_t first = { (unsigned char *)&where, 1 };
    maker_bytes_t seed = der_join(first, bytes);

    use(seed.data, seed.len);
    free(seed.data);
}

static void use_made(fuzz_use_t *use, char where, const maker_t *maker)
{
    maker_bytes_t made = maker_message(maker);

    use_bytes(use, where, made);
    OPENSSL_free(made.data);
}

/* Right in all parts but the type and, for `how`, one more. */
static void seed_kinds(fuzz_use_t *use)
{
    static const char *const types[] = { "17", "18", "19", "20", "21", "22", "3", "019" };
    maker_t maker = good;
    size_t i;

    maker.second_key = maker_key(2048);
    maker.second = maker_cert(maker.second_key, "second", 0);
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        maker.message_type = types[i];
        use_made(use, 'M', &maker);
    }
    maker.message_type = "19";
    for (i = 0; i < 15; i++) {
        maker.how = 1u << i;
        use_made(use, 'M', &maker);
        use_made(use, 'L', &maker);
    }
    X509_free(maker.second);
    EVP_PKEY_free(maker.second_key);
}

static void seed_algorithms(fuzz_use_t *use)
{
    const EVP_MD *const digests[] = { EVP_md5(), EVP_sha1(), EVP_sha224(), EVP_sha384(), EVP_sha512() };
    const EVP_CIPHER *const ciphers[] = { EVP_des_ede3_cbc(), EVP_aes_256_cbc(), EVP_camellia_128_cbc() };
    maker_t maker = good;
    size_t i;

    for (i = 0; i < 5; i++) {
        maker.digest = digests[i];
        use_made(use, 'M', &maker);
        use_made(use, 'L', &maker);
    }
    maker.digest = NULL;
    for (i = 0; i < 3; i++) {
        maker.cipher = ciphers[i];
        use_made(use, 'M', &maker);
        use_made(use, 'L', &maker);
    }
}

/* A part at a time gone, empty, or of another type. */
static void seed_surgery(fuzz_use_t *use)
{
    static const der_path_t paths[] = { DER_DIGEST_ALGORITHMS, DER_CONTENT, DER_CERTIFICATE, DER_CERTIFICATES,
                                        DER_SIGNER_INFOS, DER_SIGNED_ATTRIBUTES, { 0, -1 }, { 1, -1 },
                                        { 1, 0, 2, -1 }, { 1, 0, 4, 0, 5, -1 } };
    static unsigned char set[] = { 0x31, 0 }, null[] = { 5, 0 }, open_sequence[] = { 0x30, 0x80, 0, 0 };
    static const maker_bytes_t with[] = { { set, 0 }, { set, 2 }, { null, 2 }, { open_sequence, 4 } };
    size_t i, j;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (j = 0; j < sizeof(with) / sizeof(with[0]); j++) {
            maker_bytes_t made = der_replace(good_der, paths[i], with[j]);

            use_bytes(use, 'M', made);
            free(made.data);
        }
    }
}

static void seed_contents(fuzz_use_t *use)
{
    static const char where[] = "CPNE";
    const X509_NAME *name = X509_get_subject_name(ca->x509);
    maker_bytes_t contents[3] = { good.content };
    size_t i, j;

    contents[1] = maker_poll(name, name);
    contents[2] = maker_number(name, X509_get0_serialNumber(ca->x509));
    for (i = 0; i < 3; i++)
        for (j = 0; j < 4; j++)
            use_bytes(use, where[j], contents[i]);
    OPENSSL_free(contents[1].data);
    OPENSSL_free(contents[2].data);
    use_bytes(use, 'M', good_ber);
    use_bytes(use, 'R', good.content);
}

void fuzz_seeds(fuzz_use_t *use)
{
    if (!root)
        start();
    seed_kinds(use);
    seed_algorithms(use);
    seed_surgery(use);
    seed_contents(use);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t rest = { data + 1, size - 1 };
    apr_pool_t *pool;

    if (!root)
        start();
    if (!size)
        return 0;
    check(apr_pool_create(&pool, root) == APR_SUCCESS);
    dispatch(mdm_ctx_create(pool, NULL), data[0], rest);
    apr_pool_destroy(pool);
    return 0;
}
