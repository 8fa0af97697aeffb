/* Files from a directory or from a web site, bounded in size and time. */
#ifndef TRAMMEL_HOST_PACKAGE_FETCH_H
#define TRAMMEL_HOST_PACKAGE_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"

#define FETCH_SECONDS_MAX 120
#define FETCH_REDIRECTS_MAX 5u /* never from https to http */
#define FETCH_URL_MAX ((size_t)2000)

/* Whether it is an address on the web and no path. */
bool fetch_is_url(const char *place);

/* -EINVAL for a URL with a name, a password, a query or a fragment, or one that is too long: what is written down and
 * shown must hold no secret, and names of files are appended to it. */
int fetch_check_url(const char *url, struct error **err);

/* Reads a file or gets a URL: at most `max` bytes, a heap string that ends with NUL. -E2BIG or -EFBIG beyond, -ENOENT
 * when it is not there, -EIO and others when it could not be asked. */
int fetch(const char *place, size_t max, char **ret_data, size_t *ret_length, struct error **err);

/* `name` in the directory or below the URL. A heap string; NULL without memory. */
char *fetch_place(const char *base, const char *name);

#endif
