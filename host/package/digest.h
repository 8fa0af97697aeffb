/* SHA-256 of what is in memory. */
#ifndef TRAMMEL_HOST_PACKAGE_DIGEST_H
#define TRAMMEL_HOST_PACKAGE_DIGEST_H

#include <stddef.h>

#include "sdk/base/error.h"

#define DIGEST_SIZE 65 /* 64 hex digits and the end */

/* 0, or -EIO when OpenSSL fails. */
int digest_of(const void *data, size_t length, char ret_text[DIGEST_SIZE], struct error **err);

#endif
