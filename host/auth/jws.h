/* Signatures of JSON Web Tokens (RFC 7515, 7518, 8037). */
#ifndef TRAMMEL_HOST_AUTH_JWS_H
#define TRAMMEL_HOST_AUTH_JWS_H

#include "host/auth/jwk.h"
#include "sdk/base/strbuf.h"

/* Appends the signature in base64url. Of Ed25519 keys. */
int jws_sign(const struct jwk *key, const char *input, size_t length, struct strbuf *out, struct error **err);

/* Whether `signature` (base64url) is that of the input by this key, in the key's own algorithm. */
bool jws_holds(const struct jwk *key, const char *input, size_t length, const char *signature, size_t signature_length);

#endif
