#include "host/load/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "host/load/transport.h"

static int refuse(const char *what, const char *file, struct error **err) {
  char reason[256];
  ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
  ERR_clear_error();
  return error_set(err, EINVAL, "%s %s cannot be used: %s", what, file, reason);
}

static int trust(SSL_CTX *context, const struct tls_options *options, struct error **err) {
  if (options->insecure) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    return 0;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (!options->trust_file)
    return SSL_CTX_set_default_verify_paths(context) == 1 ? 0 : error_set(err, ENOMEM, "no memory for TLS");
  if (SSL_CTX_load_verify_file(context, options->trust_file) != 1)
    return refuse("the certificates to trust,", options->trust_file, err);
  return 0;
}

static int identify(SSL_CTX *context, const struct tls_options *options, struct error **err) {
  if (!options->certificate_file && !options->key_file)
    return 0;
  if (!options->certificate_file || !options->key_file)
    return error_set(err, EINVAL, "a certificate and its key are given together");
  if (SSL_CTX_use_certificate_chain_file(context, options->certificate_file) != 1)
    return refuse("the certificate", options->certificate_file, err);
  if (SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1)
    return refuse("the key", options->key_file, err);
  return 0;
}

static bool is_address(const char *text) {
  unsigned char bytes[sizeof(struct in6_addr)];
  return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* RFC 7301, 3.1: a list of names, each after its length. */
static bool offer(SSL_CTX *context, const char *protocol) {
  unsigned char list[32];
  size_t length = strlen(protocol);
  list[0] = (unsigned char)length;
  memcpy(list + 1, protocol, length);
  return SSL_CTX_set_alpn_protos(context, list, (unsigned)length + 1) == 0; /* which is 0 for success */
}

int tls_create(const struct tls_options *options, const char *protocol, struct tls **ret_tls, struct error **err) {
  _cleanup_(tls_destroy_p) struct tls *tls = calloc(1, sizeof(*tls));
  if (!tls || !(tls->server_name = strdup(options->server_name)) ||
      !(tls->context = SSL_CTX_new(TLS_client_method())) || !(tls->method = transport_method_create()) ||
      !offer(tls->context, protocol))
    return error_set(err, ENOMEM, "no memory for TLS");
  (void)SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
  (void)SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION);
  (void)SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
  (void)SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(tls->context, 1); /* a record takes one receive, not two */
  tls->protocol = protocol;
  tls->named = !is_address(options->server_name);
  int r = trust(tls->context, options, err);
  if (r == 0)
    r = identify(tls->context, options, err);
  if (r == 0)
    *ret_tls = take(tls);
  return r;
}

void tls_destroy(struct tls *tls) {
  if (!tls)
    return;
  SSL_CTX_free(tls->context);
  BIO_meth_free(tls->method);
  free(tls->server_name);
  free(tls);
}

SSL *tls_open(const struct tls *tls, BIO *bio) {
  SSL *ssl = SSL_new(tls->context);
  if (!ssl) {
    BIO_free(bio);
    return NULL;
  }
  SSL_set_bio(ssl, bio, bio);
  SSL_set_connect_state(ssl);
  bool told = tls->named ? SSL_set1_host(ssl, tls->server_name) && SSL_set_tlsext_host_name(ssl, tls->server_name)
                         : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->server_name) == 1;
  if (told)
    return ssl;
  SSL_free(ssl);
  return NULL;
}
