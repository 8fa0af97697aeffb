/* What a signing key is. For signature.c. */
#ifndef TRAMMEL_HOST_SIGNING_SIGNING_KEY_H
#define TRAMMEL_HOST_SIGNING_SIGNING_KEY_H

#include <openssl/types.h>

#include "host/signing/signature.h"

#define SIGNING_KEY_ID_LENGTH 64

struct signing_key {
  EVP_PKEY *key;
  char id[SIGNING_KEY_ID_LENGTH + 1];
  char *path;
};

#endif
