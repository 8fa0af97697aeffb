#include "host/package/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

int digest_of(const void *data, size_t length, char ret_text[DIGEST_SIZE], struct error **err) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(data, length, bytes, &size, EVP_sha256(), NULL) != 1 || size != (DIGEST_SIZE - 1) / 2)
    return error_set(err, EIO, "SHA-256 failed");
  for (unsigned i = 0; i < size; i++)
    (void)snprintf(ret_text + (size_t)2 * i, 3, "%02x", bytes[i]);
  return 0;
}
