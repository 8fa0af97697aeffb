/* The certificate authority, and what TLS needs of it: an identity per workload, and who is at the other end. */
#ifndef TRAMMEL_REFERENCE_MESH_AUTHORITY_H
#define TRAMMEL_REFERENCE_MESH_AUTHORITY_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/model.h"

struct error;
struct authority;

/* Makes a new key and a self-signed certificate. `trust_domain` is copied. */
int authority_create(const char *trust_domain, struct authority **ret_authority, struct error **err);
void authority_destroy(struct authority *authority);
const char *authority_trust_domain(const struct authority *authority);

/* A new key and a certificate for a workload, in a context for both ends of mutual TLS 1.3. The certificate carries the
 * SPIFFE ID of the account as its only URI, and `workload`.`namespace` as DNS name, by which metrics tell workloads
 * apart. */
int authority_enroll(struct authority *authority, const struct account *account, const char *workload,
                     SSL_CTX **ret_context, struct error **err);

/* Gives the context a fresh key and certificate; open connections keep theirs. */
int authority_renew(struct authority *authority, SSL_CTX *context, const struct account *account, const char *workload,
                    struct error **err);

/* A destination as a caller knows it: who must answer there, and the last session with it. */
struct tls_peer {
  char *identity; /* SPIFFE ID */
  SSL_SESSION *session;
};

/* A sidecar has its identity from the control plane's authority: it shows its public key, and adopts the certificate
 * that it gets for it, which every workload of this program then has. The key stays where it is. Texts are PEM, heap
 * strings. -EINVAL for what is no key or certificate, or for a certificate of another key. */
int authority_public_key(const struct authority *authority, char **ret_key, struct error **err);
int authority_certify(struct authority *authority, const char *public_key, const struct account *account,
                      const char *workload, char **ret_certificate, struct error **err);
int authority_certificate(const struct authority *authority, char **ret_certificate, struct error **err);
int authority_adopt(struct authority *authority, const char *issuer, const char *certificate, struct error **err);
bool authority_adopted(const struct authority *authority);

enum { SPIFFE_ID = 512 };
/* Writes the SPIFFE ID of an account; false when it is longer than SPIFFE_ID. */
bool authority_identity(const struct authority *authority, const struct account *account, char id[static SPIFFE_ID]);

/* One connection's TLS. A client borrows `peer` until tls_detach or its end. NULL without memory. */
SSL *tls_client(SSL_CTX *context, struct tls_peer *peer);
void tls_detach(SSL *tls);
SSL *tls_server(SSL_CTX *context);
/* Its session can be resumed, however the connection ended, unless TLS itself failed. NULL is fine. */
void tls_destroy(SSL *tls);

/* A connection between proxies carries datagrams when both ends say so in the handshake (by ALPN). A client offers it
 * before the handshake; after it, both ends can tell. */
bool tls_offer_datagrams(SSL *tls);
bool tls_carries_datagrams(const SSL *tls);

/* Who called, from the certificate that the handshake verified. */
struct caller {
  bool identified;
  int64_t until_s; /* wall clock: the certificate's notAfter */
  char namespace[LIMIT_NAMESPACE + 1];
  char account[LIMIT_NAME + 1];
  char workload[LIMIT_NAME + 1]; /* for metrics only; "" when it is not told */
};

/* False when the connection has no certificate of a workload. */
bool authority_caller(const struct authority *authority, const SSL *tls, struct caller *ret_caller);

/* Splits a SPIFFE ID of the trust domain into its account. */
bool spiffe_parse(const char *trust_domain, const char *id, size_t length, struct caller *ret_caller);

#endif
