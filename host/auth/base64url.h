/* base64url without padding (RFC 7515, appendix C). */
#ifndef TRAMMEL_HOST_AUTH_BASE64URL_H
#define TRAMMEL_HOST_AUTH_BASE64URL_H

#include <stddef.h>

#include "sdk/base/strbuf.h"

/* Bytes that `length` characters decode to, at most. */
#define BASE64URL_BYTES(length) ((length) / 4 * 3 + 3)

void base64url_append(struct strbuf *out, const void *data, size_t length);

/* Strict, so that no two texts mean the same bytes: no padding, no white space, no character of plain base64, and the
 * bits that belong to no byte are zero. `ret_data` has room for BASE64URL_BYTES(length). 0 or -EINVAL. */
int base64url_decode(const char *text, size_t length, unsigned char *ret_data, size_t *ret_length);

#endif
