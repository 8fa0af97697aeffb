/* Tokens that are what they say, and all the ways in which they are not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "host/auth/base64url.h"
#include "host/auth/jws.h"
#include "host/auth/jwt.h"

#define NOW INT64_C(1800000000)
#define ISSUER "https://trammel.example"
#define AUDIENCE "trammeld"
#define TYPE "at+jwt"

struct fixture {
  struct jwk key;
  struct jwk_set set; /* borrows the key */
};

static int set_up(void **state) {
  struct fixture *fixture = calloc(1, sizeof(*fixture));
  if (!fixture || jwk_generate(&fixture->key, NULL) < 0)
    return -1;
  fixture->set.keys[0] = fixture->key;
  fixture->set.count = 1;
  *state = fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  jwk_finish(&fixture->key);
  free(fixture);
  return 0;
}

static json_t *claims_now(void) {
  return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "iss", ISSUER, "aud", AUDIENCE, "sub", "alice", "iat",
                   (json_int_t)NOW, "nbf", (json_int_t)NOW, "exp", (json_int_t)NOW + 300, "role", "viewer", "jti", "1");
}

static char *sign(const struct fixture *fixture, json_t *claims) {
  char *token = NULL;
  assert_int_equal(jwt_sign(&fixture->key, TYPE, claims, &token, NULL), 0);
  json_decref(claims);
  return token;
}

static int verify_bytes(const struct fixture *fixture, const char *token, size_t length, int64_t now_s) {
  const struct jwt_expected expected = {.keys = &fixture->set,
                                        .algorithms = JWT_EDDSA | JWT_ES256,
                                        .type = TYPE,
                                        .issuer = ISSUER,
                                        .audience = AUDIENCE,
                                        .now_s = now_s};
  _cleanup_error_ struct error *err = NULL;
  json_t *claims = NULL;
  int r = jwt_verify(token, length, &expected, &claims, &err);
  if (r == 0) {
    assert_string_equal(json_string_value(json_object_get(claims, "sub")), "alice");
    json_decref(claims);
  } else {
    assert_null(claims);
    assert_int_equal(error_code(err), -r);
    assert_true(*error_message(err) != '\0');
  }
  return r;
}

static int verify(const struct fixture *fixture, const char *token) {
  return verify_bytes(fixture, token, strlen(token), NOW + 10);
}

/* Signs, verifies and frees. */
static int outcome(const struct fixture *fixture, json_t *claims) {
  char *token = sign(fixture, claims);
  int r = verify(fixture, token);
  free(token);
  return r;
}

static json_t *with(const char *name, json_t *value) {
  json_t *claims = claims_now();
  if (value)
    assert_int_equal(json_object_set_new(claims, name, value), 0);
  else
    assert_int_equal(json_object_del(claims, name), 0);
  return claims;
}

/* "HEADER.CLAIMS" in base64url, out of texts. */
static void put_input(struct strbuf *out, const char *header, const char *claims) {
  base64url_append(out, header, strlen(header));
  strbuf_putc(out, '.');
  base64url_append(out, claims, strlen(claims));
}

/* Signed with the fixture's key, whatever the header says. */
static int outcome_of_texts(const struct fixture *fixture, const char *header, const char *claims) {
  _cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf signature = STRBUF_INIT;
  put_input(&token, header, claims);
  assert_int_equal(jws_sign(&fixture->key, token.data, token.length, &signature, NULL), 0);
  strbuf_printf(&token, ".%s", signature.data);
  return verify(fixture, token.data);
}

#define CLAIMS                                                                                                         \
  "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"alice\",\"iat\":1800000000,\"exp\":1800000300}"

static char *header_with(const struct fixture *fixture, const char *alg, const char *more) {
  char *header = NULL;
  assert_true(asprintf(&header, "{\"typ\":\"" TYPE "\",\"alg\":\"%s\",\"kid\":\"%s\"%s}", alg, fixture->key.id, more) >
              0);
  return header;
}

static int outcome_of_header(const struct fixture *fixture, const char *alg, const char *more) {
  char *header = header_with(fixture, alg, more);
  int r = outcome_of_texts(fixture, header, CLAIMS);
  free(header);
  return r;
}

/* ---- what holds */

static void a_token_of_ours_holds(void **state) {
  assert_int_equal(outcome(*state, claims_now()), 0);
  assert_int_equal(outcome_of_header(*state, "EdDSA", ""), 0);
  assert_int_equal(outcome(*state, with("aud", json_pack("[s, s]", "another", AUDIENCE))), 0);
  assert_int_equal(outcome(*state, with("nbf", NULL)), 0);
  assert_int_equal(outcome(*state, with("exp", json_real((double)NOW + 20.5))), 0);
}

static void what_a_header_brings_along_is_not_looked_at(void **state) {
  assert_int_equal(outcome_of_header(*state, "EdDSA", ",\"jku\":\"https://evil.example\",\"jwk\":{\"kty\":\"oct\"}"),
                   0);
}

static void times_hold_within_the_skew(void **state) {
  char *token = sign(*state, claims_now());
  size_t length = strlen(token);
  assert_int_equal(verify_bytes(*state, token, length, NOW - JWT_SKEW_S), 0);
  assert_int_equal(verify_bytes(*state, token, length, NOW - JWT_SKEW_S - 1), -EAGAIN);
  assert_int_equal(verify_bytes(*state, token, length, NOW + 300 + JWT_SKEW_S - 1), 0);
  assert_int_equal(verify_bytes(*state, token, length, NOW + 300 + JWT_SKEW_S), -EKEYEXPIRED);
  free(token);
}

/* ---- claims */

static void claims_that_do_not_fit_are_refused(void **state) {
  assert_int_equal(outcome(*state, with("iss", json_string("https://evil.example"))), -EACCES);
  assert_int_equal(outcome(*state, with("iss", NULL)), -EACCES);
  assert_int_equal(outcome(*state, with("iss", json_pack("[s]", ISSUER))), -EACCES);
  assert_int_equal(outcome(*state, with("aud", json_string("another"))), -EACCES);
  assert_int_equal(outcome(*state, with("aud", json_string(AUDIENCE " "))), -EACCES);
  assert_int_equal(outcome(*state, with("aud", json_array())), -EACCES);
  assert_int_equal(outcome(*state, with("aud", NULL)), -EACCES);
  assert_int_equal(outcome(*state, with("aud", json_pack("{s:s}", AUDIENCE, AUDIENCE))), -EACCES);
  assert_int_equal(outcome(*state, with("sub", NULL)), -EACCES);
  assert_int_equal(outcome(*state, with("sub", json_string(""))), -EACCES);
  assert_int_equal(outcome(*state, with("sub", json_integer(1))), -EACCES);
}

static void times_that_are_none_are_refused(void **state) {
  static const char *const names[] = {"exp", "iat", "nbf"};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(outcome(*state, with(names[i], json_string("1800000300"))), -EACCES);
    assert_int_equal(outcome(*state, with(names[i], json_integer(-1))), -EACCES);
    assert_int_equal(outcome(*state, with(names[i], json_real(1e300))), -EACCES);
    assert_int_equal(outcome(*state, with(names[i], json_integer(INT64_MAX))), -EACCES);
    assert_int_equal(outcome(*state, with(names[i], json_true())), -EACCES);
    assert_int_equal(outcome(*state, with(names[i], json_null())), -EACCES);
  }
  assert_int_equal(outcome(*state, with("exp", NULL)), -EACCES);
  assert_int_equal(outcome(*state, with("iat", NULL)), -EACCES);
  assert_int_equal(outcome(*state, with("exp", json_integer(NOW - 100))), -EKEYEXPIRED);
  assert_int_equal(outcome(*state, with("nbf", json_integer(NOW + 100))), -EAGAIN);
  assert_int_equal(outcome(*state, with("iat", json_integer(NOW + 100))), -EAGAIN);
}

/* ---- signatures and keys */

static void a_forged_token_is_refused(void **state) {
  const struct fixture *fixture = *state;
  char *token = sign(fixture, claims_now());
  size_t claims = strcspn(token, ".") + 1;
  size_t signature = claims + strcspn(token + claims, ".") + 1;
  size_t length = strlen(token);
  for (size_t at = 0; at < length; at++) { /* any other character at any place */
    char kept = token[at];
    token[at] = kept == 'A' ? 'B' : 'A';
    assert_true(verify(fixture, token) < 0);
    token[at] = kept;
  }
  assert_int_equal(verify(fixture, token), 0);
  token[claims + 4] = token[claims + 4] == 'A' ? 'B' : 'A';
  assert_int_equal(verify(fixture, token), -EBADMSG); /* the signature comes before the claims */
  token[signature] = '\0';
  assert_int_equal(verify(fixture, token), -EBADMSG); /* without one */
  free(token);
}

static void a_key_of_another_is_refused(void **state) {
  const struct fixture *fixture = *state;
  struct fixture other = {0};
  assert_int_equal(jwk_generate(&other.key, NULL), 0);
  char *token = sign(&other, claims_now());
  assert_int_equal(verify(fixture, token), -ENOKEY); /* by its own name */
  free(token);
  (void)memcpy(other.key.id, fixture->key.id, sizeof(other.key.id));
  token = sign(&other, claims_now());
  assert_int_equal(verify(fixture, token), -EBADMSG); /* by the name of ours */
  free(token);
  jwk_finish(&other.key);
}

static void no_algorithm_at_all_is_refused(void **state) {
  const struct fixture *fixture = *state;
  static const char *const names[] = {"none", "None", "NONE", "nOnE", "", "eddsa", "HS256", "HS512", "RS256", "PS256"};
  for (size_t i = 0; i < ARRAY_COUNT(names); i++)
    assert_int_equal(outcome_of_header(fixture, names[i], ""), -ENOKEY);
  char *header = header_with(fixture, "none", "");
  _cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
  put_input(&token, header, CLAIMS);
  assert_int_equal(verify(fixture, token.data), -EINVAL); /* two parts */
  strbuf_putc(&token, '.');
  assert_int_equal(verify(fixture, token.data), -ENOKEY);
  free(header);
  assert_int_equal(outcome_of_texts(fixture, "{}", CLAIMS), -ENOKEY);
  assert_int_equal(outcome_of_texts(fixture, "{\"alg\":null}", CLAIMS), -ENOKEY);
  assert_int_equal(outcome_of_texts(fixture, "{\"alg\":[\"EdDSA\"]}", CLAIMS), -ENOKEY);
}

static void put_hmac(struct strbuf *token, const void *secret, size_t length) {
  unsigned char mac[32];
  unsigned int size = sizeof(mac);
  assert_non_null(
      HMAC(EVP_sha256(), secret, (int)length, (const unsigned char *)token->data, token->length, mac, &size));
  strbuf_putc(token, '.');
  base64url_append(token, mac, size);
}

/* The public key is known to all: as a secret of HS256 it would let anybody sign. */
static void the_public_key_is_no_secret(void **state) {
  const struct fixture *fixture = *state;
  unsigned char raw[32];
  size_t length = sizeof(raw);
  char *pem = NULL;
  BIO *memory = BIO_new(BIO_s_mem());
  assert_int_equal(EVP_PKEY_get_raw_public_key(fixture->key.key, raw, &length), 1);
  assert_int_equal(PEM_write_bio_PUBKEY(memory, fixture->key.key), 1);
  long pem_length = BIO_get_mem_data(memory, &pem);
  static const char *const names[] = {"HS256", "EdDSA", "ES256"};
  for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
    char *header = header_with(fixture, names[i], "");
    _cleanup_strbuf_ struct strbuf by_raw = STRBUF_INIT;
    _cleanup_strbuf_ struct strbuf by_pem = STRBUF_INIT;
    put_input(&by_raw, header, CLAIMS);
    put_input(&by_pem, header, CLAIMS);
    put_hmac(&by_raw, raw, length);
    put_hmac(&by_pem, pem, (size_t)pem_length);
    assert_int_equal(verify(fixture, by_raw.data), i == 1 ? -EBADMSG : -ENOKEY);
    assert_int_equal(verify(fixture, by_pem.data), i == 1 ? -EBADMSG : -ENOKEY);
    free(header);
  }
  BIO_free(memory);
}

/* A key is of its own algorithm, also when the token names another one that is allowed. */
static void an_allowed_algorithm_of_another_key_is_refused(void **state) {
  assert_int_equal(outcome_of_header(*state, "ES256", ""), -ENOKEY);
}

/* A token of one P-256 key, as it should be and with a curve that is not in the allow-list. */
static json_t *ec_jwk(EVP_PKEY *key, const char *crv, size_t bytes) {
  unsigned char point[1 + 2 * 66];
  size_t length = 0;
  _cleanup_strbuf_ struct strbuf x = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf y = STRBUF_INIT;
  assert_int_equal(EVP_PKEY_get_octet_string_param(key, "pub", point, sizeof(point), &length), 1);
  assert_int_equal(length, 1 + 2 * bytes);
  base64url_append(&x, point + 1, bytes);
  base64url_append(&y, point + 1 + bytes, bytes);
  return json_pack("{s:[{s:s, s:s, s:s, s:s, s:s}]}", "keys", "kty", "EC", "crv", crv, "x", x.data, "y", y.data, "kid",
                   "k");
}

static void sign_ec(EVP_PKEY *key, struct strbuf *token, int half) {
  unsigned char der[160], raw[132];
  const unsigned char *at = der;
  size_t size = sizeof(der);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
  assert_int_equal(EVP_DigestSign(context, der, &size, (const unsigned char *)token->data, token->length), 1);
  EVP_MD_CTX_free(context);
  ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &at, (long)size);
  assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(numbers), raw, half), half);
  assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(numbers), raw + half, half), half);
  ECDSA_SIG_free(numbers);
  strbuf_putc(token, '.');
  base64url_append(token, raw, 2 * (size_t)half);
}

static int outcome_of_curve(const char *group, const char *crv, int half) {
  struct fixture other = {0};
  EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
  json_t *set = ec_jwk(key, crv, (size_t)half);
  char *text = json_dumps(set, 0);
  int r = jwk_set_read(text, strlen(text), &other.set, NULL);
  if (r == 0) {
    _cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
    put_input(&token, "{\"typ\":\"" TYPE "\",\"alg\":\"ES256\",\"kid\":\"k\"}", CLAIMS);
    sign_ec(key, &token, half);
    r = verify(&other, token.data);
  }
  jwk_set_finish(&other.set);
  free(text);
  json_decref(set);
  EVP_PKEY_free(key);
  return r;
}

static void another_curve_is_refused(void **state) {
  (void)state;
  assert_int_equal(outcome_of_curve("P-256", "P-256", 32), 0);
  assert_int_equal(outcome_of_curve("P-384", "P-384", 48), -ENOKEY);
  assert_int_equal(outcome_of_curve("secp256k1", "secp256k1", 32), -ENOKEY);
  assert_int_equal(outcome_of_curve("secp256k1", "P-256", 32), -EINVAL); /* the point is not on the curve */
  assert_int_equal(outcome_of_curve("P-384", "P-256", 48), -EINVAL);
}

static void a_name_of_no_key_is_refused(void **state) {
  assert_int_equal(
      outcome_of_texts(*state, "{\"typ\":\"" TYPE "\",\"alg\":\"EdDSA\",\"kid\":\"../../dev/null\"}", CLAIMS), -ENOKEY);
  assert_int_equal(outcome_of_texts(*state, "{\"typ\":\"" TYPE "\",\"alg\":\"EdDSA\",\"kid\":1}", CLAIMS), -ENOKEY);
  assert_int_equal(outcome_of_texts(*state, "{\"typ\":\"" TYPE "\",\"alg\":\"EdDSA\"}", CLAIMS), -ENOKEY);
}

static void a_token_of_another_type_is_refused(void **state) {
  const struct fixture *fixture = *state;
  char *token = NULL;
  json_t *claims = claims_now();
  assert_int_equal(jwt_sign(&fixture->key, "JWT", claims, &token, NULL), 0);
  assert_int_equal(verify(fixture, token), -ENOKEY);
  free(token);
  json_decref(claims);
}

/* ---- the form */

static void a_member_that_is_there_twice_is_refused(void **state) {
  const struct fixture *fixture = *state;
  char *header = header_with(fixture, "none", ",\"alg\":\"EdDSA\"");
  assert_int_equal(outcome_of_texts(fixture, header, CLAIMS), -EINVAL);
  free(header);
  header = header_with(fixture, "EdDSA", "");
  assert_int_equal(outcome_of_texts(fixture, header,
                                    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
                                    "\",\"sub\":\"bob\",\"sub\":\"alice\",\"iat\":1800000000,\"exp\":1800000300}"),
                   -EINVAL);
  assert_int_equal(outcome_of_texts(fixture, header, CLAIMS " x"), -EINVAL);
  assert_int_equal(outcome_of_texts(fixture, header, "[]"), -EINVAL);
  assert_int_equal(outcome_of_texts(fixture, header, "\"alice\""), -EINVAL);
  assert_int_equal(outcome_of_texts(fixture, header, ""), -EINVAL);
  free(header);
}

static void what_comes_before_and_behind_is_refused(void **state) {
  const struct fixture *fixture = *state;
  static const char *const tails[] = {".", ".x", " ", "\n", "=", "==", "\t", "A", "AA", "AAA", ",", "."};
  static const char *const heads[] = {" ", ".", "\n", "A"};
  char *token = sign(fixture, claims_now());
  char *text = NULL;
  for (size_t i = 0; i < ARRAY_COUNT(tails); i++) {
    assert_true(asprintf(&text, "%s%s", token, tails[i]) > 0);
    assert_true(verify(fixture, text) < 0);
    free(text);
  }
  for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
    assert_true(asprintf(&text, "%s%s", heads[i], token) > 0);
    assert_true(verify(fixture, text) < 0);
    free(text);
  }
  assert_true(verify_bytes(fixture, token, strlen(token) + 1, NOW) < 0); /* its NUL is none of it */
  for (size_t length = 0; length < strlen(token); length++)
    assert_true(verify_bytes(fixture, token, length, NOW) < 0);
  free(token);
}

static void what_is_too_long_is_refused(void **state) {
  json_t *claims = claims_now();
  char *filler = calloc(1, JWT_BYTES_MAX + 1);
  (void)memset(filler, 'x', JWT_BYTES_MAX);
  json_object_set_new(claims, "filler", json_string(filler));
  assert_int_equal(outcome(*state, claims), -EINVAL);
  assert_int_equal(verify(*state, filler), -EINVAL);
  free(filler);
}

static void extensions_that_must_be_understood_are_refused(void **state) {
  assert_int_equal(outcome_of_header(*state, "EdDSA", ",\"crit\":[\"b64\"],\"b64\":false"), -EINVAL);
}

static void peeking_tells_what_is_claimed(void **state) {
  const struct fixture *fixture = *state;
  char kid[JWK_ID_MAX + 1];
  char *issuer = NULL;
  char *token = sign(fixture, claims_now());
  assert_int_equal(jwt_peek(token, strlen(token), &issuer, kid), 0);
  assert_string_equal(issuer, ISSUER);
  assert_string_equal(kid, fixture->key.id);
  assert_int_equal(jwt_peek("a.b.c", 5, &issuer, kid), -EINVAL);
  free(issuer);
  free(token);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_token_of_ours_holds),
      TEST(what_a_header_brings_along_is_not_looked_at),
      TEST(times_hold_within_the_skew),
      TEST(claims_that_do_not_fit_are_refused),
      TEST(times_that_are_none_are_refused),
      TEST(a_forged_token_is_refused),
      TEST(a_key_of_another_is_refused),
      TEST(no_algorithm_at_all_is_refused),
      TEST(the_public_key_is_no_secret),
      TEST(an_allowed_algorithm_of_another_key_is_refused),
      TEST(another_curve_is_refused),
      TEST(a_name_of_no_key_is_refused),
      TEST(a_token_of_another_type_is_refused),
      TEST(a_member_that_is_there_twice_is_refused),
      TEST(what_comes_before_and_behind_is_refused),
      TEST(what_is_too_long_is_refused),
      TEST(extensions_that_must_be_understood_are_refused),
      TEST(peeking_tells_what_is_claimed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
