/* JSON Web Tokens (RFC 7519), made and checked as RFC 8725 wants it. */
#ifndef TRAMMEL_HOST_AUTH_JWT_H
#define TRAMMEL_HOST_AUTH_JWT_H

#include "host/auth/jwk.h"

#define JWT_BYTES_MAX ((size_t)8 << 10)
#define JWT_SKEW_S 30 /* how far clocks may be apart */

/* A token in the compact form, with "typ", "alg" and "kid" in its header. Heap. */
int jwt_sign(const struct jwk *key, const char *type, const json_t *claims, char **ret_token, struct error **err);

/* What a token has to be. */
struct jwt_expected {
  const struct jwk_set *keys;
  unsigned algorithms;  /* bits of enum jwt_algorithm */
  const char *type;     /* of the header; NULL: any */
  const char *issuer;   /* "iss" */
  const char *audience; /* one of "aud" */
  int64_t now_s;        /* CLOCK_REALTIME */
};

/* Checks all of it, the signature before any claim: 0 with the claims, which the caller releases. Else, with what is
 * wrong for the one who sent it:
 *   -EINVAL       no token in its form: more or less than three parts, no strict base64url, no JSON object, a member
 *                 twice, longer than JWT_BYTES_MAX, "crit"
 *   -ENOKEY       "alg" or "typ" that is not taken, or a "kid" that is not known
 *   -EBADMSG      the signature does not fit
 *   -EACCES       another "iss" or "aud"; "sub", "exp" or "iat" missing, or of a wrong form
 *   -EAGAIN       "nbf" or "iat" is more than JWT_SKEW_S ahead
 *   -EKEYEXPIRED  "exp" is JWT_SKEW_S ago
 *   -ENOMEM */
int jwt_verify(const char *token, size_t length, const struct jwt_expected *expected, json_t **ret_claims,
               struct error **err);

/* The "iss" and "kid" that a token claims, to find keys by: nothing of it has been checked. `kid` has room for
 * JWK_ID_MAX + 1. 0 with a heap text, or -EINVAL. */
int jwt_peek(const char *token, size_t length, char **ret_issuer, char *ret_kid);

#endif
