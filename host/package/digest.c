#include "host/package/digest.h"

#include <errno.h>
#include <openssl/evp.h>

#include "sdk/base/hex.h"

int digest_of(const void *data, size_t length, char ret_text[DIGEST_SIZE], struct error **err) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(data, length, bytes, &size, EVP_sha256(), NULL) != 1 || size != (DIGEST_SIZE - 1) / 2)
    return error_set(err, EIO, "SHA-256 failed");
  hex_write(bytes, size, ret_text);
  return 0;
}
