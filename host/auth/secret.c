#include "host/auth/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "host/auth/base64url.h"
#include "sdk/base/hex.h"

#define RANDOM_BYTES 32
#define RANDOM_CHARACTERS 43

int secret_make(const char *prefix, char ret_text[SECRET_TEXT_MAX], struct error **err) {
  unsigned char bytes[RANDOM_BYTES];
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1)
    return error_set(err, EIO, "there are no random numbers to be had");
  base64url_append(&text, bytes, sizeof(bytes));
  OPENSSL_cleanse(bytes, sizeof(bytes));
  if (strbuf_failed(&text))
    return error_set(err, ENOMEM, "no memory");
  (void)snprintf(ret_text, SECRET_TEXT_MAX, "%s%s", prefix, text.data);
  OPENSSL_cleanse(text.data, text.length);
  return 0;
}

int secret_make_id(char ret_id[SECRET_ID_BYTES], struct error **err) {
  unsigned char bytes[SECRET_ID_BYTES / 2];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1)
    return error_set(err, EIO, "there are no random numbers to be had");
  hex_write(bytes, sizeof(bytes), ret_id);
  return 0;
}

int secret_hash(const char *prefix, const char *text, char ret_hash[SECRET_HASH_MAX]) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  size_t length = strlen(text);
  if (strncmp(text, prefix, strlen(prefix)) != 0 || length != strlen(prefix) + RANDOM_CHARACTERS)
    return -EINVAL;
  SHA256((const unsigned char *)text, length, digest);
  hex_write(digest, sizeof(digest), ret_hash);
  return 0;
}
