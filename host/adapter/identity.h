/* Who one side of a TLS connection is, and whose certificates it takes: read from files, in PEM, and checked. */
#ifndef TRAMMEL_HOST_ADAPTER_IDENTITY_H
#define TRAMMEL_HOST_ADAPTER_IDENTITY_H

#include <openssl/ssl.h>

#include "sdk/base/error.h"

#define IDENTITY_FILE_MAX ((size_t)1 << 20) /* bytes of each file */

struct identity_files {
  const char *certificate, *key, *ca;
};

struct identity {
  char *certificate, *key, *ca; /* the files' texts */
};

/* Reads the three files, and sees that they are what they should be, and that the key is the certificate's.
 * `*ret_identity` is to be finished, also after an error. */
int identity_read(const struct identity_files *files, struct identity *ret_identity, struct error **err);
/* Overwrites the key. */
void identity_finish(struct identity *identity);

/* A context that shows the certificate, wants one of the other side, and takes those that the CA signed. The caller's.
 */
int identity_context(const struct identity_files *files, const SSL_METHOD *method, SSL_CTX **ret_context,
                     struct error **err);

#endif
