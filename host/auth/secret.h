/* Secrets that stand for somebody: refresh tokens and API tokens. 256 random bits behind a prefix that says what it is,
 * also to programs that look for secrets in what is published. Kept is only their SHA-256: who reads it can do nothing
 * with it, and such a secret cannot be guessed, so that a slow hash would add nothing. */
#ifndef TRAMMEL_HOST_AUTH_SECRET_H
#define TRAMMEL_HOST_AUTH_SECRET_H

#include <stdbool.h>

#include "sdk/base/error.h"

#define SECRET_REFRESH "trammel_refresh_"
#define SECRET_API "trammel_api_"
#define SECRET_TEXT_MAX 64 /* bytes of one, with the NUL */
#define SECRET_HASH_MAX 65 /* 64 hexadecimal digits and the NUL */
#define SECRET_ID_BYTES 17 /* 16 hexadecimal digits and the NUL */

/* A new one. -EIO without random numbers. */
int secret_make(const char *prefix, char ret_text[SECRET_TEXT_MAX], struct error **err);
/* A random name for what is no secret. */
int secret_make_id(char ret_id[SECRET_ID_BYTES], struct error **err);
/* What is kept of it. -EINVAL for what cannot be one with that prefix. */
int secret_hash(const char *prefix, const char *text, char ret_hash[SECRET_HASH_MAX]);

#endif
