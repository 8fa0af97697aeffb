/* The files of a package: a gzip-compressed tar of regular files, held in memory, so that all of it is checked before
 * any of it is written anywhere. POSIX.1-2001 pax, read and written by libarchive. */
#ifndef TRAMMEL_HOST_PACKAGE_TARBALL_H
#define TRAMMEL_HOST_PACKAGE_TARBALL_H

#include <stddef.h>

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

#define TARBALL_PACKED_MAX ((size_t)64 << 20) /* bytes, compressed */
#define TARBALL_BYTES_MAX ((size_t)128 << 20) /* bytes of all files */
#define TARBALL_FILES_MAX 256u
#define TARBALL_PATH_MAX 200u /* bytes */
/* Bytes of all that is decompressed: the files, what the tar says of each, and its padding. */
#define TARBALL_UNPACKED_MAX (TARBALL_BYTES_MAX + ((size_t)4 << 20))

struct tarball_file {
  char *path; /* relative: names of A-Z a-z 0-9 . _ + -, none of which begins with a dot, between single slashes */
  void *data;
  size_t length;
};

/* Owns its files; they are in the order of their paths, each of which is there once and none of which is a directory of
 * another. */
struct tarball {
  struct tarball_file *files;
  size_t count;
  size_t capacity;
  size_t bytes; /* of all files */
};

void tarball_finish(struct tarball *tarball);
#define _cleanup_tarball_ _cleanup_(tarball_finish)

/* Adds a copy of the data. -EINVAL for a path that is none or fits no other, -EEXIST for one that is there, -E2BIG
 * beyond the limits, -ENOMEM. */
int tarball_add(struct tarball *tarball, const char *path, const void *data, size_t length, struct error **err);

/* Puts the data in place of the file's, or adds the file. */
int tarball_put(struct tarball *tarball, const char *path, const void *data, size_t length, struct error **err);

/* NULL when there is none; borrowed until the next change. */
const struct tarball_file *tarball_find(const struct tarball *tarball, const char *path);

/* Reads all of a package. -EINVAL for what is no such tar: links, devices, directories, other paths, one path twice, an
 * end too early; -E2BIG beyond the limits, which hold while it is decompressed; -ENOMEM. On an error `*ret_tarball` is
 * empty. */
int tarball_read(const void *data, size_t length, struct tarball *ret_tarball, struct error **err);

/* Appends the package: the same files give the same bytes. */
int tarball_write(const struct tarball *tarball, struct strbuf *out, struct error **err);

#endif
