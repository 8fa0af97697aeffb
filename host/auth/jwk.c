#include "host/auth/jwk.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

#include "host/auth/base64url.h"

#define ED25519_BYTES 32
#define P256_BYTES 32
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define NUMBER_CHARACTERS_MAX (RSA_BITS_MAX / 6 + 2) /* of a number in a key */
#define DER_MAX 4096

static const struct {
  enum jwt_algorithm algorithm;
  const char *name;
} algorithms[] = {{JWT_EDDSA, "EdDSA"}, {JWT_ES256, "ES256"}, {JWT_RS256, "RS256"}};

const char *jwt_algorithm_name(enum jwt_algorithm algorithm) {
  for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
    if (algorithms[i].algorithm == algorithm)
      return algorithms[i].name;
  return NULL;
}

int jwt_algorithm_parse(const char *name, enum jwt_algorithm *ret_algorithm) {
  for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
    if (strcmp(algorithms[i].name, name) == 0) {
      *ret_algorithm = algorithms[i].algorithm;
      return 0;
    }
  return -EINVAL;
}

void jwk_finish(struct jwk *key) {
  EVP_PKEY_free(key->key);
  *key = (struct jwk){0};
}

/* ---- our own keys */

static char *public_text(const struct jwk *key) {
  unsigned char raw[ED25519_BYTES];
  size_t length = sizeof(raw);
  struct strbuf text = STRBUF_INIT;
  if (EVP_PKEY_get_raw_public_key(key->key, raw, &length) != 1 || length != sizeof(raw))
    return NULL;
  base64url_append(&text, raw, sizeof(raw));
  return strbuf_steal(&text);
}

/* RFC 7638, 3: the required members in the order of their names, without white space. */
static int identify(struct jwk *key, struct error **err) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  _cleanup_free_ char *x = public_text(key);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf id = STRBUF_INIT;
  strbuf_printf(&text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x ? x : "");
  if (!x || strbuf_failed(&text))
    return error_set(err, ENOMEM, "a key has no thumbprint: no memory");
  SHA256((const unsigned char *)text.data, text.length, digest);
  base64url_append(&id, digest, sizeof(digest));
  if (strbuf_failed(&id))
    return error_set(err, ENOMEM, "a key has no thumbprint: no memory");
  (void)memcpy(key->id, id.data, id.length + 1);
  return 0;
}

/* Takes `pkey`. */
static int adopt(EVP_PKEY *pkey, struct jwk *ret_key, struct error **err) {
  struct jwk key = {.key = pkey, .algorithm = JWT_EDDSA};
  if (!pkey || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
    jwk_finish(&key);
    ERR_clear_error();
    return error_set(err, EINVAL, "a signing key is no Ed25519 key pair");
  }
  int r = identify(&key, err);
  if (r < 0)
    jwk_finish(&key);
  else
    *ret_key = key;
  return r;
}

int jwk_generate(struct jwk *ret_key, struct error **err) {
  return adopt(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), ret_key, err);
}

int jwk_private_write(const struct jwk *key, unsigned char **ret_der, size_t *ret_length, struct error **err) {
  PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->key);
  unsigned char *made = NULL;
  int length = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &made) : -1;
  unsigned char *der = length > 0 ? malloc((size_t)length) : NULL;
  if (der) {
    (void)memcpy(der, made, (size_t)length);
    *ret_der = der;
    *ret_length = (size_t)length;
  }
  if (made)
    OPENSSL_clear_free(made, (size_t)length);
  PKCS8_PRIV_KEY_INFO_free(info);
  return der ? 0 : error_set(err, ENOMEM, "a signing key could not be written");
}

int jwk_private_read(const unsigned char *der, size_t length, struct jwk *ret_key, struct error **err) {
  const unsigned char *at = der;
  EVP_PKEY *pkey = length <= DER_MAX ? d2i_PrivateKey(EVP_PKEY_ED25519, NULL, &at, (long)length) : NULL;
  return adopt(pkey, ret_key, err);
}

json_t *jwk_public(const struct jwk *key) {
  _cleanup_free_ char *x = public_text(key);
  return x ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "x", x, "kid", key->id, "alg",
                       "EdDSA", "use", "sig")
           : NULL;
}

/* ---- keys of others */

static const char *text_at(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text ? text : "";
}

/* A number of a key: -EINVAL when it is missing or too long. */
static int number_at(const json_t *jwk, const char *name, unsigned char *ret_bytes, size_t *ret_length) {
  const char *text = text_at(jwk, name);
  size_t length = strlen(text);
  if (length == 0 || length > NUMBER_CHARACTERS_MAX)
    return -EINVAL;
  return base64url_decode(text, length, ret_bytes, ret_length);
}

#define NUMBER_ROOM BASE64URL_BYTES(NUMBER_CHARACTERS_MAX)

static EVP_PKEY *read_ed25519(const json_t *jwk) {
  unsigned char x[NUMBER_ROOM];
  size_t length = 0;
  if (number_at(jwk, "x", x, &length) < 0 || length != ED25519_BYTES)
    return NULL;
  return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, length);
}

/* Takes `params`. What OpenSSL finds to be no key is none: among others a point that is not on its curve. */
static EVP_PKEY *make_key(const char *kind, OSSL_PARAM *params) {
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
  bool good = params && context && EVP_PKEY_fromdata_init(context) == 1 &&
              EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  context = good ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
  good = context && EVP_PKEY_public_check(context) == 1;
  EVP_PKEY_CTX_free(context);
  if (good)
    return key;
  EVP_PKEY_free(key);
  return NULL;
}

static EVP_PKEY *read_p256(const json_t *jwk) {
  unsigned char x[NUMBER_ROOM], y[NUMBER_ROOM], point[1 + 2 * P256_BYTES] = {4}; /* uncompressed */
  size_t x_length = 0, y_length = 0;
  if (number_at(jwk, "x", x, &x_length) < 0 || number_at(jwk, "y", y, &y_length) < 0 || x_length != P256_BYTES ||
      y_length != P256_BYTES)
    return NULL;
  (void)memcpy(point + 1, x, P256_BYTES);
  (void)memcpy(point + 1 + P256_BYTES, y, P256_BYTES);
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  OSSL_PARAM *params = NULL;
  if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
    params = OSSL_PARAM_BLD_to_param(build);
  OSSL_PARAM_BLD_free(build);
  return make_key("EC", params);
}

static EVP_PKEY *read_rsa(const json_t *jwk) {
  unsigned char n[NUMBER_ROOM], e[NUMBER_ROOM];
  size_t n_length = 0, e_length = 0;
  if (number_at(jwk, "n", n, &n_length) < 0 || number_at(jwk, "e", e, &e_length) < 0 || e_length > 8)
    return NULL;
  BIGNUM *modulus = BN_bin2bn(n, (int)n_length, NULL);
  BIGNUM *exponent = BN_bin2bn(e, (int)e_length, NULL);
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  OSSL_PARAM *params = NULL;
  if (build && modulus && exponent && BN_num_bits(modulus) >= RSA_BITS_MIN && BN_num_bits(modulus) <= RSA_BITS_MAX &&
      BN_is_odd(exponent) && BN_num_bits(exponent) > 1 &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
    params = OSSL_PARAM_BLD_to_param(build);
  OSSL_PARAM_BLD_free(build);
  EVP_PKEY *key = make_key("RSA", params);
  BN_free(modulus);
  BN_free(exponent);
  return key;
}

static const struct kind {
  const char *kty, *crv; /* "" of RSA */
  enum jwt_algorithm algorithm;
  EVP_PKEY *(*read)(const json_t *jwk);
} kinds[] = {
    {"OKP", "Ed25519", JWT_EDDSA, read_ed25519},
    {"EC", "P-256", JWT_ES256, read_p256},
    {"RSA", "", JWT_RS256, read_rsa},
};

/* How a key is used, when it says so; NULL: not by us. */
static const struct kind *kind_of(const json_t *jwk) {
  const char *use = text_at(jwk, "use"), *alg = text_at(jwk, "alg"), *id = text_at(jwk, "kid");
  if (*id == '\0' || strlen(id) > JWK_ID_MAX || (*use && strcmp(use, "sig") != 0))
    return NULL;
  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
    if (strcmp(kinds[i].kty, text_at(jwk, "kty")) == 0 && strcmp(kinds[i].crv, text_at(jwk, "crv")) == 0)
      return *alg && strcmp(alg, jwt_algorithm_name(kinds[i].algorithm)) != 0 ? NULL : &kinds[i];
  return NULL;
}

static int add(struct jwk_set *set, const json_t *jwk, struct error **err) {
  const struct kind *kind = kind_of(jwk);
  if (!kind)
    return 0;
  EVP_PKEY *key = kind->read(jwk);
  ERR_clear_error();
  if (!key)
    return error_set(err, EINVAL, "a key set has a key that is none, of %s", jwt_algorithm_name(kind->algorithm));
  struct jwk *room = &set->keys[set->count++];
  *room = (struct jwk){.key = key, .algorithm = kind->algorithm};
  (void)memcpy(room->id, text_at(jwk, "kid"), strlen(text_at(jwk, "kid")) + 1);
  return 0;
}

int jwk_set_read(const char *text, size_t length, struct jwk_set *ret_set, struct error **err) {
  ret_set->count = 0;
  if (length > JWK_SET_BYTES_MAX)
    return error_set(err, EINVAL, "a key set of %zu bytes: at most %zu are taken", length, JWK_SET_BYTES_MAX);
  json_auto_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
  const json_t *keys = json_object_get(root, "keys");
  if (!json_is_array(keys))
    return error_set(err, EINVAL, "this is no key set: a JSON object with an array \"keys\" is");
  if (json_array_size(keys) > JWK_SET_KEYS_MAX)
    return error_set(err, EINVAL, "a key set of %zu keys: at most %d are taken", json_array_size(keys),
                     JWK_SET_KEYS_MAX);
  int r = 0;
  for (size_t i = 0; r == 0 && i < json_array_size(keys); i++)
    r = add(ret_set, json_array_get(keys, i), err);
  return r;
}

void jwk_set_finish(struct jwk_set *set) {
  for (size_t i = 0; i < set->count; i++)
    jwk_finish(&set->keys[i]);
  set->count = 0;
}

const struct jwk *jwk_set_find(const struct jwk_set *set, const char *id, enum jwt_algorithm algorithm) {
  for (size_t i = 0; i < set->count; i++)
    if (set->keys[i].algorithm == algorithm && strcmp(set->keys[i].id, id) == 0)
      return &set->keys[i];
  return NULL;
}
