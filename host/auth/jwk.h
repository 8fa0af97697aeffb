/* Keys of JSON Web Tokens (RFC 7517, 7518, 8037). A key is of one algorithm, which its kind says; a token's header has
 * no say in it, so that a public key can never be taken for the secret of another algorithm. */
#ifndef TRAMMEL_HOST_AUTH_JWK_H
#define TRAMMEL_HOST_AUTH_JWK_H

#include <jansson.h>
#include <openssl/types.h>
#include <stdbool.h>

#include "sdk/base/error.h"

/* Bits: an allow-list is several of them. Others are never taken, above all not "none" and the HS family. */
enum jwt_algorithm {
  JWT_EDDSA = 1, /* Ed25519 */
  JWT_ES256 = 2, /* P-256, SHA-256 */
  JWT_RS256 = 4, /* RSA of 2048 to 8192 bits, SHA-256; of keys of others only */
};

#define JWK_ID_MAX 128 /* bytes of a `kid` */
#define JWK_SET_BYTES_MAX ((size_t)1 << 18)
#define JWK_SET_KEYS_MAX 64

struct jwk {
  EVP_PKEY *key;
  enum jwt_algorithm algorithm;
  char id[JWK_ID_MAX + 1];
};

struct jwk_set {
  struct jwk keys[JWK_SET_KEYS_MAX];
  size_t count;
};

/* "EdDSA", …; NULL for what is none. */
const char *jwt_algorithm_name(enum jwt_algorithm algorithm);
/* 0, or -EINVAL. */
int jwt_algorithm_parse(const char *name, enum jwt_algorithm *ret_algorithm);

/* A new key pair of Ed25519; its id is the thumbprint (RFC 7638) of the public key. */
int jwk_generate(struct jwk *ret_key, struct error **err);
/* A key pair of Ed25519 as PKCS #8 in DER, and back. `*ret_der` is heap: overwrite it before it is freed. */
int jwk_private_write(const struct jwk *key, unsigned char **ret_der, size_t *ret_length, struct error **err);
int jwk_private_read(const unsigned char *der, size_t length, struct jwk *ret_key, struct error **err);
/* The public key as a JWK with kty, crv, x, kid, alg and use; of Ed25519. NULL without memory. */
json_t *jwk_public(const struct jwk *key);
void jwk_finish(struct jwk *key);

/* Reads a key set, {"keys": […]}. Keys that are not for signatures, of another kind, or without an id are passed over,
 * as RFC 7517, 5, says; one that is wrong in itself, say a point that is not on its curve, refuses the set: -EINVAL.
 * The set is to be finished, also after an error. */
int jwk_set_read(const char *text, size_t length, struct jwk_set *ret_set, struct error **err);
void jwk_set_finish(struct jwk_set *set);
/* NULL when there is none of that id and algorithm. */
const struct jwk *jwk_set_find(const struct jwk_set *set, const char *id, enum jwt_algorithm algorithm);

#endif
