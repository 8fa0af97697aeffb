/* Base64 (RFC 4648, section 4), as inline certificates have it. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_BASE64_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_BASE64_H

#include <stddef.h>

/* Decodes a text with its padding; line ends and spaces between are skipped. A heap buffer, NUL-terminated.
 * -EINVAL when it is no base64, -ENOMEM. */
int base64_decode(const char *text, size_t length, char **ret_data, size_t *ret_length);

/* A heap string; NULL without memory. */
char *base64_encode(const void *data, size_t length);

#endif
