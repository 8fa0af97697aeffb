/* Header fields of HTTP: comparing their names, and handing them to nghttp2. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_HEADER_H
#define TRAMMEL_HOST_LAB_WORKLOAD_HEADER_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether `name`, of `length` bytes, is `wanted` in any case. */
bool header_name_is(const char *name, size_t length, const char *wanted);

/* Borrows both, which must be there until nghttp2 has copied them. */
nghttp2_nv header_nv(const char *name, const char *value);

#endif
