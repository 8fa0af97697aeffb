/* What the connections of a target share of TLS: whom they trust, who they are, what they offer. Made once, before the
 * run; then only read, by any thread. A session is never resumed: each connection shows and proves its certificates. */
#ifndef TRAMMEL_HOST_LOAD_TLS_H
#define TRAMMEL_HOST_LOAD_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "sdk/base/error.h"

struct tls_options {
  const char *trust_file;                  /* PEM: who may have signed the target's; NULL: whom the system trusts */
  const char *certificate_file, *key_file; /* PEM: one's own, with its chain; NULL: none. Both or neither */
  const char *server_name;                 /* what the target's has to be for, and is asked for: a name or an address */
  bool insecure;                           /* whatever the target shows is taken */
};

struct tls {
  SSL_CTX *context;
  BIO_METHOD *method; /* of transports */
  char *server_name;
  const char *protocol; /* that is offered by ALPN (RFC 7301), static: "http/1.1" */
  bool named;           /* the server's name is no address */
};

/* -EINVAL says which file is wrong, and why. */
int tls_create(const struct tls_options *options, const char *protocol, struct tls **ret_tls, struct error **err);
void tls_destroy(struct tls *tls);
DEFINE_CLEANUP(struct tls *, tls_destroy);

/* The client's side of a connection, that sends and receives by `bio`, which is its own from then on. NULL without
 * memory; then `bio` is freed. */
SSL *tls_open(const struct tls *tls, BIO *bio);

#endif
