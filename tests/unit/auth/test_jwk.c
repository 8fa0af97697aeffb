/* Keys and signatures, by the examples of the RFCs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/auth/base64url.h"
#include "host/auth/jws.h"

/* RFC 8037, A: a key of Ed25519, its thumbprint and a signature. */
#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_ID "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define ED_INPUT "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define ED_SIGNATURE "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

/* RFC 7515, A.3: P-256. */
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_INPUT                                                                                                       \
  "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf" \
  "Q"
#define EC_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

/* RFC 7515, A.2: RSA. */
#define RSA_N                                                                                                          \
  "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgN" \
  "MsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xs" \
  "mtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RSA_INPUT                                                                                                      \
  "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf" \
  "Q"
#define RSA_SIGNATURE                                                                                                  \
  "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1d" \
  "nZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwu" \
  "sC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

#define ED_KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"" ED_X "\"}"
#define EC_KEY "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"
#define RSA_KEY "{\"kty\":\"RSA\",\"kid\":\"rsa\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"

static int read_set(const char *text, struct jwk_set *ret_set) {
  _cleanup_error_ struct error *err = NULL;
  int r = jwk_set_read(text, strlen(text), ret_set, &err);
  assert_int_equal(error_code(err), -r);
  return r;
}

static void check(const struct jwk_set *set, const char *id, enum jwt_algorithm algorithm, const char *input,
                  const char *signature) {
  const struct jwk *key = jwk_set_find(set, id, algorithm);
  char changed[1024];
  assert_non_null(key);
  assert_true(jws_holds(key, input, strlen(input), signature, strlen(signature)));
  assert_false(jws_holds(key, input, strlen(input) - 1, signature, strlen(signature)));
  assert_false(jws_holds(key, input, strlen(input), signature, strlen(signature) - 1));
  assert_false(jws_holds(key, input, strlen(input), "", 0));
  (void)memcpy(changed, signature, strlen(signature) + 1);
  changed[8] = changed[8] == 'A' ? 'B' : 'A';
  assert_false(jws_holds(key, input, strlen(input), changed, strlen(changed)));
}

static void the_examples_hold(void **state) {
  (void)state;
  struct jwk_set set;
  assert_int_equal(read_set("{\"keys\":[" ED_KEY "," EC_KEY "," RSA_KEY "]}", &set), 0);
  assert_int_equal(set.count, 3);
  check(&set, "ed", JWT_EDDSA, ED_INPUT, ED_SIGNATURE);
  check(&set, "ec", JWT_ES256, EC_INPUT, EC_SIGNATURE);
  check(&set, "rsa", JWT_RS256, RSA_INPUT, RSA_SIGNATURE);
  assert_null(jwk_set_find(&set, "ed", JWT_ES256));
  assert_null(jwk_set_find(&set, "xx", JWT_EDDSA));
  jwk_set_finish(&set);
}

/* RFC 8037, A.1, in PKCS #8. */
static void our_keys_are_as_the_example(void **state) {
  (void)state;
  static const unsigned char d[] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                    0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                    0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
  unsigned char der[48] = {0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20};
  struct jwk key;
  _cleanup_strbuf_ struct strbuf signature = STRBUF_INIT;
  (void)memcpy(der + 16, d, sizeof(d));
  assert_int_equal(jwk_private_read(der, sizeof(der), &key, NULL), 0);
  assert_string_equal(key.id, ED_ID);
  assert_int_equal(jws_sign(&key, ED_INPUT, strlen(ED_INPUT), &signature, NULL), 0);
  assert_string_equal(signature.data, ED_SIGNATURE);
  unsigned char *written = NULL;
  size_t length = 0;
  assert_int_equal(jwk_private_write(&key, &written, &length, NULL), 0);
  assert_int_equal(length, sizeof(der));
  assert_memory_equal(written, der, sizeof(der));
  free(written);
  json_t *public = jwk_public(&key);
  assert_string_equal(json_string_value(json_object_get(public, "x")), ED_X);
  assert_null(json_object_get(public, "d"));
  json_decref(public);
  jwk_finish(&key);
  assert_int_equal(jwk_private_read(der, sizeof(der) - 1, &key, NULL), -EINVAL);
}

static void keys_for_something_else_are_passed_over(void **state) {
  (void)state;
  struct jwk_set set;
  assert_int_equal(
      read_set("{\"keys\":[{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"AAAA\"},{\"kty\":\"OKP\",\"crv\":\"X25519\","
               "\"kid\":\"x\",\"x\":\"" ED_X "\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"e\",\"use\":\"enc\","
               "\"x\":\"" ED_X "\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"},{\"kty\":\"RSA\","
               "\"kid\":\"r\",\"alg\":\"PS256\",\"n\":\"AQ\",\"e\":\"AQAB\"},7,\"\",null," ED_KEY "]}",
               &set),
      0);
  assert_int_equal(set.count, 1);
  jwk_set_finish(&set);
}

static void what_is_no_key_refuses_the_set(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      "[]",
      "{}",
      "{\"keys\":{}}",
      "{\"keys\":[],\"keys\":[]}",
      "{\"keys\":[]} x",
      "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"AAAA\"}]}",
      "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" ED_X "=\"}]}",
      "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"}]}",
      "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"" EC_X "\"}]}",
      "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
      "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}]}",
      "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"" RSA_N "\",\"e\":\"AAAA\"}]}",
  };
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
    struct jwk_set set;
    assert_int_equal(read_set(texts[i], &set), -EINVAL);
    jwk_set_finish(&set);
  }
}

static void too_many_keys_are_refused(void **state) {
  (void)state;
  struct jwk_set set;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_puts(&text, "{\"keys\":[" ED_KEY);
  for (int i = 0; i < JWK_SET_KEYS_MAX; i++)
    strbuf_puts(&text, "," ED_KEY);
  strbuf_puts(&text, "]}");
  assert_int_equal(read_set(text.data, &set), -EINVAL);
  assert_int_equal(set.count, 0);
  strbuf_clear(&text);
  for (size_t i = 0; i <= JWK_SET_BYTES_MAX; i++)
    strbuf_putc(&text, ' ');
  assert_int_equal(read_set(text.data, &set), -EINVAL);
}

static void base64url_is_strict(void **state) {
  (void)state;
  static const char *const bad[] = {"A", "AAAAA", "AA=", "AA==", "A A", "AA\n", "A+", "A/AA", "AB", "AAB", "\xc3\xa9"};
  unsigned char bytes[16];
  size_t length = 0;
  for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
    assert_int_equal(base64url_decode(bad[i], strlen(bad[i]), bytes, &length), -EINVAL);
  for (size_t size = 0; size <= 8; size++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    base64url_append(&text, "\xff\xfe\xfd\x00\x01\x7f\x80\xfb", size);
    assert_int_equal(base64url_decode(strbuf_text(&text), text.length, bytes, &length), 0);
    assert_int_equal(length, size);
    assert_memory_equal(bytes, "\xff\xfe\xfd\x00\x01\x7f\x80\xfb", size);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_examples_hold),
      cmocka_unit_test(our_keys_are_as_the_example),
      cmocka_unit_test(keys_for_something_else_are_passed_over),
      cmocka_unit_test(what_is_no_key_refuses_the_set),
      cmocka_unit_test(too_many_keys_are_refused),
      cmocka_unit_test(base64url_is_strict),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
