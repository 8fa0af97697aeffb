#include "host/auth/jws.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "host/auth/base64url.h"

#define ED25519_BYTES 64
#define ES256_BYTES 64
#define SIGNATURE_MAX 1024 /* of RSA with 8192 bits */
#define SIGNATURE_CHARACTERS_MAX ((SIGNATURE_MAX * 4 + 2) / 3)

int jws_sign(const struct jwk *key, const char *input, size_t length, struct strbuf *out, struct error **err) {
  unsigned char bytes[ED25519_BYTES];
  size_t size = sizeof(bytes);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
              EVP_DigestSign(context, bytes, &size, (const unsigned char *)input, length) == 1 && size == sizeof(bytes);
  EVP_MD_CTX_free(context);
  if (!good)
    return error_set(err, EIO, "signing a token: OpenSSL refused");
  base64url_append(out, bytes, size);
  return strbuf_failed(out) ? error_set(err, ENOMEM, "signing a token: no memory") : 0;
}

static bool verify(const struct jwk *key, const EVP_MD *digest, const void *signature, size_t signature_length,
                   const char *input, size_t length) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context && EVP_DigestVerifyInit(context, NULL, digest, NULL, key->key) == 1 &&
              EVP_DigestVerify(context, signature, signature_length, (const unsigned char *)input, length) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return good;
}

/* RFC 7518, 3.4: two numbers of 32 bytes; OpenSSL takes them as ASN.1. */
static bool verify_es256(const struct jwk *key, const unsigned char *bytes, const char *input, size_t length) {
  ECDSA_SIG *numbers = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(bytes, ES256_BYTES / 2, NULL);
  BIGNUM *s = BN_bin2bn(bytes + ES256_BYTES / 2, ES256_BYTES / 2, NULL);
  unsigned char *der = NULL;
  if (!numbers || !r || !s || ECDSA_SIG_set0(numbers, r, s) != 1) {
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(numbers);
    return false;
  }
  int size = i2d_ECDSA_SIG(numbers, &der);
  bool good = size > 0 && verify(key, EVP_sha256(), der, (size_t)size, input, length);
  OPENSSL_free(der);
  ECDSA_SIG_free(numbers);
  return good;
}

bool jws_holds(const struct jwk *key, const char *input, size_t length, const char *signature,
               size_t signature_length) {
  unsigned char bytes[BASE64URL_BYTES(SIGNATURE_CHARACTERS_MAX)];
  size_t size = 0;
  if (signature_length > SIGNATURE_CHARACTERS_MAX || base64url_decode(signature, signature_length, bytes, &size) < 0)
    return false;
  switch (key->algorithm) {
  case JWT_EDDSA:
    return size == ED25519_BYTES && verify(key, NULL, bytes, size, input, length);
  case JWT_ES256:
    return size == ES256_BYTES && verify_es256(key, bytes, input, length);
  case JWT_RS256:
    return verify(key, EVP_sha256(), bytes, size, input, length);
  default:
    return false;
  }
}
