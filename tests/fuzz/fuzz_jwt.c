/* Bytes to a token, signed by nobody: nothing crashes, and none is taken. The first byte chooses whether the rest is a
 * token or a key set. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/auth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1800000000)
#define KEYS                                                                                                           \
  "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" \
  "\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"  \
  "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}"

static void read_keys(const char *text, size_t length) {
  struct jwk_set set;
  _cleanup_error_ struct error *err = NULL;
  int r = jwk_set_read(text, length, &set, &err);
  if ((r < 0) != (err != NULL) || set.count > JWK_SET_KEYS_MAX)
    abort();
  for (size_t i = 0; i < set.count; i++)
    if (!jwk_set_find(&set, set.keys[i].id, set.keys[i].algorithm))
      abort();
  jwk_set_finish(&set);
}

static void read_token(const char *text, size_t length) {
  struct jwk_set set;
  char kid[JWK_ID_MAX + 1];
  char *issuer = NULL;
  json_t *claims = NULL;
  _cleanup_error_ struct error *err = NULL;
  if (jwk_set_read(KEYS, strlen(KEYS), &set, NULL) < 0)
    abort();
  const struct jwt_expected expected = {.keys = &set,
                                        .algorithms = JWT_EDDSA | JWT_ES256,
                                        .issuer = "https://trammel.example",
                                        .audience = "trammeld",
                                        .now_s = NOW};
  if (jwt_verify(text, length, &expected, &claims, &err) == 0 || claims || !*error_message(err))
    abort();
  if (jwt_peek(text, length, &issuer, kid) == 0 && *issuer == '\0')
    abort();
  free(issuer);
  jwk_set_finish(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 0)
    (*data & 1 ? read_keys : read_token)((const char *)data + 1, size - 1);
  return 0;
}
