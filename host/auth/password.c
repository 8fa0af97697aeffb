#include "host/auth/password.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/auth/base64url.h"

/* OWASP, Password Storage Cheat Sheet, for 32 MiB: N = 2^15, r = 8, p = 3. What is read back may be up to the limits:
 * they may be raised later, but not by who writes to the table to take all memory. */
#define LOG_N 15
#define BLOCK 8
#define PARALLEL 3
#define LOG_N_MAX 17
#define BLOCK_MAX 16
#define PARALLEL_MAX 8
#define SALT_BYTES 16
#define HASH_BYTES 32
#define SALT_CHARACTERS 22
#define HASH_CHARACTERS 43

struct hash {
  unsigned log_n, block, parallel;
  unsigned char salt[BASE64URL_BYTES(SALT_CHARACTERS)], hash[BASE64URL_BYTES(HASH_CHARACTERS)];
};

static int derive(const char *password, const struct hash *from, unsigned char ret_hash[HASH_BYTES]) {
  static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
  uint64_t n = UINT64_C(1) << from->log_n;
  uint64_t most = 128 * from->block * (n + from->parallel) + (1U << 20);
  pthread_mutex_lock(&one);
  int good = EVP_PBE_scrypt(password, strlen(password), from->salt, SALT_BYTES, n, from->block, from->parallel, most,
                            ret_hash, HASH_BYTES);
  pthread_mutex_unlock(&one);
  ERR_clear_error();
  return good == 1 ? 0 : -ENOMEM;
}

static int write_text(const struct hash *hash, char ret_text[PASSWORD_TEXT_MAX]) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "$scrypt$ln=%u,r=%u,p=%u$", hash->log_n, hash->block, hash->parallel);
  base64url_append(&text, hash->salt, SALT_BYTES);
  strbuf_putc(&text, '$');
  base64url_append(&text, hash->hash, HASH_BYTES);
  if (strbuf_failed(&text) || text.length >= PASSWORD_TEXT_MAX)
    return -ENOMEM;
  (void)memcpy(ret_text, text.data, text.length + 1);
  return 0;
}

int password_hash(const char *password, char ret_text[PASSWORD_TEXT_MAX], struct error **err) {
  struct hash hash = {.log_n = LOG_N, .block = BLOCK, .parallel = PARALLEL};
  size_t length = strlen(password);
  if (length < PASSWORD_MIN || length > PASSWORD_MAX)
    return error_set(err, EINVAL, "a password has %d to %d bytes, not %zu: a sentence is a good one", PASSWORD_MIN,
                     PASSWORD_MAX, length);
  if (RAND_bytes(hash.salt, SALT_BYTES) != 1)
    return error_set(err, EIO, "there are no random numbers to be had");
  int r = derive(password, &hash, hash.hash);
  if (r == 0)
    r = write_text(&hash, ret_text);
  OPENSSL_cleanse(&hash, sizeof(hash));
  return r < 0 ? error_set(err, ENOMEM, "no memory for a password") : 0;
}

static int read_text(const char *text, struct hash *ret_hash) {
  char salt[SALT_CHARACTERS + 1], hash[HASH_CHARACTERS + 1];
  int end = 0;
  size_t salt_length = 0, hash_length = 0;
  if (sscanf(text, "$scrypt$ln=%2u,r=%2u,p=%2u$%22[A-Za-z0-9_-]$%43[A-Za-z0-9_-]%n", &ret_hash->log_n, &ret_hash->block,
             &ret_hash->parallel, salt, hash, &end) != 5 ||
      text[end] != '\0')
    return -EBADMSG;
  if (ret_hash->log_n < 1 || ret_hash->log_n > LOG_N_MAX || ret_hash->block < 1 || ret_hash->block > BLOCK_MAX ||
      ret_hash->parallel < 1 || ret_hash->parallel > PARALLEL_MAX)
    return -EBADMSG;
  if (base64url_decode(salt, strlen(salt), ret_hash->salt, &salt_length) < 0 || salt_length != SALT_BYTES ||
      base64url_decode(hash, strlen(hash), ret_hash->hash, &hash_length) < 0 || hash_length != HASH_BYTES)
    return -EBADMSG;
  return 0;
}

int password_verify(const char *password, const char *text) {
  struct hash hash = {.log_n = LOG_N, .block = BLOCK, .parallel = PARALLEL};
  unsigned char made[HASH_BYTES];
  int r = text ? read_text(text, &hash) : 0;
  if (r < 0)
    return r;
  if (strlen(password) > PASSWORD_MAX)
    return 0;
  r = derive(password, &hash, made);
  if (r == 0)
    r = CRYPTO_memcmp(made, hash.hash, HASH_BYTES) == 0 && text ? 1 : 0;
  OPENSSL_cleanse(made, sizeof(made));
  OPENSSL_cleanse(&hash, sizeof(hash));
  return r;
}
