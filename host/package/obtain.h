/* The bytes of a package, from what people call it: a file, a directory, a URL or a name in an index. */
#ifndef TRAMMEL_HOST_PACKAGE_OBTAIN_H
#define TRAMMEL_HOST_PACKAGE_OBTAIN_H

#include <stddef.h>

#include "host/package/indexes.h"
#include "sdk/base/error.h"

#define OBTAIN_DIRECTORY_MAX 64u /* packages in a directory that one of them is taken from */

struct obtained {
  char *data;
  size_t length;
  char *source; /* an absolute path, a URL, or "INDEX/ID" */
};

void obtained_finish(struct obtained *obtained);
#define _cleanup_obtained_ _cleanup_(obtained_finish)

/* What begins with http:// or https:// is a URL; what reads as [INDEX/]NAME[@VERSION] is looked for in the indexes; all
 * else is a path, of a package or of a directory with exactly one package for this machine. -ENOENT when there is none,
 * -EINVAL when there are several, -EBADMSG when a package is not the one that its index names, else as fetch() and
 * indexes_fetch(). */
int obtain(const char *data_directory, const char *what, struct obtained *ret_obtained, struct error **err);

/* The package that an index names. */
int obtain_from_index(const struct known_index *known, const struct index_package *entry, struct obtained *ret_obtained,
                      struct error **err);

#endif
