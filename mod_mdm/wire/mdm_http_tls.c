/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of TLS by OpenSSL. Called by mdm_http_link.c in the client's thread.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "mdm_http_tls.h"

#define H2 "\x02h2"

struct mdm_http_tls_t {
    SSL_CTX *context;
    SSL *ssl;
    int wants_write;
    char error[256];
};

/* ---- sockets without SIGPIPE */

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static int send_quietly(BIO *bio, const char *data, int len)
{
    ssize_t count;
    int fd = -1;

    BIO_get_fd(bio, &fd);
    count = send(fd, data, (size_t)len, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (count <= 0 && BIO_sock_should_retry((int)count))
        BIO_set_retry_write(bio);
    return (int)count;
}

static void make_method(void)
{
    const BIO_METHOD *socket_method = BIO_s_socket();

    method = BIO_meth_new(BIO_TYPE_SOCKET, "socket");
    if (!method)
        return;
    BIO_meth_set_write(method, send_quietly);
    BIO_meth_set_read(method, BIO_meth_get_read(socket_method));
    BIO_meth_set_ctrl(method, BIO_meth_get_ctrl(socket_method));
    BIO_meth_set_create(method, BIO_meth_get_create(socket_method));
    BIO_meth_set_destroy(method, BIO_meth_get_destroy(socket_method));
}

/* ---- certificates */

/* A key with a pass phrase is not asked for it. */
static int no_passphrase(char *out, int room, int writing, void *baton)
{
    (void)out;
    (void)room;
    (void)writing;
    (void)baton;
    return -1;
}

static int use_certificate(SSL_CTX *context, mdm_bytes_t pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
    int good = cert && SSL_CTX_use_certificate(context, cert) == 1;

    X509_free(cert);
    while (good && (cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        good = SSL_CTX_add1_chain_cert(context, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    return good;
}

static int use_key(SSL_CTX *context, mdm_bytes_t pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    int good = key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;

    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

static int trust(SSL_CTX *context, mdm_bytes_t pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    BIO *bio;
    X509 *cert;
    int count = 0;

    if (!pem.len)
        return SSL_CTX_set_default_verify_paths(context) == 1;
    bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    while ((cert = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    return count > 0;
}

static int expect_host(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
        return 1;
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static apr_status_t destroy(void *baton)
{
    mdm_http_tls_t *tls = baton;

    SSL_free(tls->ssl);
    SSL_CTX_free(tls->context);
    return APR_SUCCESS;
}

apr_status_t mdm_http_tls_create(mdm_http_tls_t **tls, mdm_ctx_t *ctx, const char *host, mdm_bytes_t cert_pem,
                                 mdm_bytes_t key_pem, mdm_bytes_t ca_pem)
{
    mdm_http_tls_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    SSL_CTX *context;

    ERR_clear_error();
    pthread_once(&method_once, make_method);
    apr_pool_cleanup_register(ctx->pool, made, destroy, apr_pool_cleanup_null);
    made->context = context = SSL_CTX_new(TLS_client_method());
    if (!method || !context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        || SSL_CTX_set_alpn_protos(context, (const unsigned char *)H2, sizeof(H2) - 1))
        return mdm_fail(ctx, MDM_ECRYPTO, "OpenSSL gives no TLS context");
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    if (cert_pem.len && (!use_certificate(context, cert_pem) || !use_key(context, key_pem)))
        return mdm_fail(ctx, MDM_ECRYPTO, "the client certificate or its key cannot be used");
    if (!trust(context, ca_pem))
        return mdm_fail(ctx, MDM_ECRYPTO, "there is no CA certificate to trust");
    made->ssl = SSL_new(context);
    if (!made->ssl || !expect_host(made->ssl, host))
        return mdm_fail(ctx, MDM_ECRYPTO, "OpenSSL gives no TLS connection to %s", host);
    ERR_clear_error();
    *tls = made;
    return APR_SUCCESS;
}

apr_status_t mdm_http_tls_attach(mdm_http_tls_t *tls, mdm_ctx_t *ctx, int fd)
{
    BIO *bio = BIO_new(method);

    if (!bio)
        return mdm_fail(ctx, MDM_ECRYPTO, "OpenSSL gives no TLS connection");
    BIO_set_fd(bio, fd, BIO_NOCLOSE);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_connect_state(tls->ssl);
    return APR_SUCCESS;
}

/* ---- octets */

/* What a call that did not succeed means: 0 to wait, else -1. */
static int judge(mdm_http_tls_t *tls, int result, int problem)
{
    int kind = SSL_get_error(tls->ssl, result);
    long verified = SSL_get_verify_result(tls->ssl);
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    tls->wants_write = kind == SSL_ERROR_WANT_WRITE;
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return 0;
    if (kind == SSL_ERROR_SSL && verified != X509_V_OK)
        apr_snprintf(tls->error, sizeof(tls->error), "the server's certificate is not trusted: %s",
                     X509_verify_cert_error_string(verified));
    else if (kind == SSL_ERROR_SSL && reason && ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
        apr_snprintf(tls->error, sizeof(tls->error), "TLS: %s", reason);
    else if (kind == SSL_ERROR_SYSCALL && problem)
        apr_strerror(APR_FROM_OS_ERROR(problem), tls->error, sizeof(tls->error));
    else
        apr_cpystrn(tls->error, "the server closed the connection", sizeof(tls->error));
    ERR_clear_error();
    return -1;
}

int mdm_http_tls_handshake(mdm_http_tls_t *tls)
{
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(tls->ssl);
    return result == 1 ? 1 : judge(tls, result, errno);
}

int mdm_http_tls_read(mdm_http_tls_t *tls, unsigned char *data, int room)
{
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_read(tls->ssl, data, room);
    return result > 0 ? result : judge(tls, result, errno);
}

int mdm_http_tls_write(mdm_http_tls_t *tls, const unsigned char *data, int len)
{
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_write(tls->ssl, data, len);
    return result > 0 ? result : judge(tls, result, errno);
}

int mdm_http_tls_wants_write(const mdm_http_tls_t *tls)
{
    return tls->wants_write;
}

int mdm_http_tls_is_h2(const mdm_http_tls_t *tls)
{
    const unsigned char *name = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return len == 2 && !memcmp(name, &H2[1], 2);
}

const char *mdm_http_tls_error(const mdm_http_tls_t *tls)
{
    return tls->error[0] ? tls->error : "the connection failed";
}

void mdm_http_tls_end(mdm_http_tls_t *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}
