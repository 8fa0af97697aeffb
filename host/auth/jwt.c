#include "host/auth/jwt.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "host/auth/base64url.h"
#include "host/auth/jws.h"

#define SECONDS_MAX 9007199254740992.0 /* 2^53: what numbers of JSON are exact to */

/* ---- making */

static int append_part(struct strbuf *out, const json_t *value) {
  _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
  if (!text)
    return -ENOMEM;
  base64url_append(out, text, strlen(text));
  return 0;
}

int jwt_sign(const struct jwk *key, const char *type, const json_t *claims, char **ret_token, struct error **err) {
  _cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf signature = STRBUF_INIT;
  json_auto_t *header =
      json_pack("{s:s, s:s, s:s}", "typ", type, "alg", jwt_algorithm_name(key->algorithm), "kid", key->id);
  int r = append_part(&token, header);
  strbuf_putc(&token, '.');
  if (r == 0)
    r = append_part(&token, claims);
  if (r < 0 || strbuf_failed(&token))
    return error_set(err, ENOMEM, "making a token: no memory");
  r = jws_sign(key, token.data, token.length, &signature, err);
  if (r < 0)
    return r;
  strbuf_printf(&token, ".%s", strbuf_text(&signature));
  *ret_token = strbuf_steal(&token);
  return *ret_token ? 0 : error_set(err, ENOMEM, "making a token: no memory");
}

/* ---- its form */

struct part {
  const char *text;
  size_t length;
};

static int no_token(struct error **err, const char *what) {
  return error_set(err, EINVAL, "this is no token: %s", what);
}

/* Three parts between two dots. */
static int split(const char *token, size_t length, struct part parts[3], struct error **err) {
  size_t count = 0;
  const char *end = token + length;
  if (length > JWT_BYTES_MAX)
    return no_token(err, "it is too long");
  for (const char *at = token; count < 3; count++) {
    const char *dot = memchr(at, '.', (size_t)(end - at));
    const char *stop = dot ? dot : end;
    parts[count] = (struct part){at, (size_t)(stop - at)};
    if (!dot || count == 2)
      return dot || count < 2 ? no_token(err, "it has to have three parts") : 0;
    at = dot + 1;
  }
  return 0;
}

static json_t *part_json(struct part part) {
  _cleanup_free_ unsigned char *data = malloc(BASE64URL_BYTES(part.length));
  size_t length = 0;
  if (!data || base64url_decode(part.text, part.length, data, &length) < 0)
    return NULL;
  json_t *value = json_loadb((const char *)data, length, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object(value))
    return value;
  json_decref(value);
  return NULL;
}

/* ---- its header */

static const char *text_at(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text ? text : "";
}

/* The key that it was to be signed with: one of ours, by its name, and of its own algorithm. What else a header brings
 * along ("jwk", "jku", "x5c", "x5u") is not looked at. */
static int find_key(const json_t *header, const struct jwt_expected *expected, const struct jwk **ret_key,
                    struct error **err) {
  enum jwt_algorithm algorithm;
  if (json_object_get(header, "crit"))
    return no_token(err, "it asks for extensions that there are none of");
  if (jwt_algorithm_parse(text_at(header, "alg"), &algorithm) < 0 || !(algorithm & expected->algorithms))
    return error_set(err, ENOKEY, "the token's algorithm is not taken");
  if (expected->type && strcmp(text_at(header, "typ"), expected->type) != 0)
    return error_set(err, ENOKEY, "the token is of another type than %s", expected->type);
  *ret_key = jwk_set_find(expected->keys, text_at(header, "kid"), algorithm);
  return *ret_key ? 0 : error_set(err, ENOKEY, "the token was signed with a key that is not known, or no longer");
}

/* ---- its claims */

static bool is_for(const json_t *audience, const char *name) {
  if (json_is_string(audience))
    return strcmp(json_string_value(audience), name) == 0;
  for (size_t i = 0; i < json_array_size(audience); i++) {
    const char *text = json_string_value(json_array_get(audience, i));
    if (text && strcmp(text, name) == 0)
      return true;
  }
  return false;
}

/* RFC 7519, 2, NumericDate: seconds, also in parts. 0, -ENOENT without it, -EACCES. */
static int seconds_at(const json_t *claims, const char *name, int64_t *ret_seconds) {
  const json_t *value = json_object_get(claims, name);
  if (!value)
    return -ENOENT;
  double seconds = json_number_value(value);
  if (!json_is_number(value) || !(seconds >= 0 && seconds <= SECONDS_MAX))
    return -EACCES;
  *ret_seconds = json_is_integer(value) ? json_integer_value(value) : (int64_t)seconds;
  return 0;
}

static int check_times(const json_t *claims, int64_t now_s, struct error **err) {
  int64_t expires = 0, issued = 0, before = 0;
  int has_before = seconds_at(claims, "nbf", &before);
  if (seconds_at(claims, "exp", &expires) < 0 || seconds_at(claims, "iat", &issued) < 0 || has_before == -EACCES)
    return error_set(err, EACCES, "the token's exp, iat or nbf is missing or no time");
  if (issued > now_s + JWT_SKEW_S || (has_before == 0 && before > now_s + JWT_SKEW_S))
    return error_set(err, EAGAIN, "the token is not valid yet: are the clocks right?");
  if (expires <= now_s - JWT_SKEW_S)
    return error_set(err, EKEYEXPIRED, "the token has expired");
  return 0;
}

static int check_claims(const json_t *claims, const struct jwt_expected *expected, struct error **err) {
  if (strcmp(text_at(claims, "iss"), expected->issuer) != 0)
    return error_set(err, EACCES, "the token is of another issuer");
  if (!is_for(json_object_get(claims, "aud"), expected->audience))
    return error_set(err, EACCES, "the token is for another audience");
  if (*text_at(claims, "sub") == '\0')
    return error_set(err, EACCES, "the token says not whose it is");
  return check_times(claims, expected->now_s, err);
}

int jwt_verify(const char *token, size_t length, const struct jwt_expected *expected, json_t **ret_claims,
               struct error **err) {
  struct part parts[3];
  const struct jwk *key = NULL;
  int r = split(token, length, parts, err);
  if (r < 0)
    return r;
  json_auto_t *header = part_json(parts[0]);
  if (!header)
    return no_token(err, "its header is no JSON object in base64url");
  r = find_key(header, expected, &key, err);
  if (r < 0)
    return r;
  size_t signed_length = (size_t)(parts[2].text - token) - 1;
  if (!jws_holds(key, token, signed_length, parts[2].text, parts[2].length))
    return error_set(err, EBADMSG, "the token's signature does not fit");
  json_auto_t *claims = part_json(parts[1]);
  if (!claims)
    return no_token(err, "its claims are no JSON object in base64url");
  r = check_claims(claims, expected, err);
  if (r == 0)
    *ret_claims = json_incref(claims);
  return r;
}

int jwt_peek(const char *token, size_t length, char **ret_issuer, char *ret_kid) {
  struct part parts[3];
  if (split(token, length, parts, NULL) < 0)
    return -EINVAL;
  json_auto_t *header = part_json(parts[0]);
  json_auto_t *claims = part_json(parts[1]);
  const char *kid = text_at(header, "kid"), *issuer = text_at(claims, "iss");
  if (*issuer == '\0' || strlen(kid) > JWK_ID_MAX)
    return -EINVAL;
  *ret_issuer = strdup(issuer);
  if (!*ret_issuer)
    return -ENOMEM;
  (void)memcpy(ret_kid, kid, strlen(kid) + 1);
  return 0;
}
