/* Directories of files on disk, made and removed whole. */
#ifndef TRAMMEL_HOST_PACKAGE_FILES_H
#define TRAMMEL_HOST_PACKAGE_FILES_H

#include <stdbool.h>

#include "host/package/tarball.h"
#include "sdk/base/error.h"
#include "sdk/base/memory.h"

/* mkdir -p; what is made is the user's alone, and on the disk when this returns. */
int files_make_directories(const char *path, struct error **err);

/* Writes all files into a directory that is not there yet, and waits until they are on the disk. On an error what was
 * made is removed. */
int files_write(const char *directory, const struct tarball *tarball, struct error **err);

/* Puts a directory in the place of another one, which is removed: an end at any moment leaves one of them there. Only
 * where the file system cannot exchange names may it leave none. Both are in the same file system. */
int files_put(const char *directory, const char *place, struct error **err);

/* Reads all files below a directory: no links are followed, and what is no regular file is -EINVAL. */
int files_read(const char *directory, struct tarball *ret_tarball, struct error **err);

/* Removes the directory `name` in the one that is open at `parent` (AT_FDCWD: the current one), with all that is in it.
 * Links are not followed, other file systems are not entered. An absent one is fine; -ENOTDIR for what is none, also
 * for a link to one, -ELOOP beyond FILES_DEPTH_MAX. */
#define FILES_DEPTH_MAX 128u /* directories in one another; a path in a package has at most TARBALL_PATH_MAX bytes */
int files_remove(int parent, const char *name, struct error **err);

/* Puts a whole new content in the place of a file that is the user's alone, as file_replace(). */
int files_replace(const char *path, const void *data, size_t length, struct error **err);

/* The same for a file that others may read, as far as the umask lets them. */
int files_publish(const char *path, const void *data, size_t length, struct error **err);

/* The names of a directory's entries that end with `suffix` and don't begin with a dot, in order: a NULL-terminated
 * list for files_names_free(). -E2BIG for more than `max`. */
int files_list(const char *directory, const char *suffix, size_t max, char ***ret_names, struct error **err);
void files_names_free(char **names);
DEFINE_CLEANUP(char **, files_names_free);
#define _cleanup_names_ _cleanup_(files_names_free_p)

/* Keeps a directory, which is made when it is not there, from all other programs until the descriptor is closed. With
 * `wait` it waits for the one that has it, for changes that take moments; without it that is -EBUSY. */
int files_lock(const char *directory, bool wait, int *ret_fd, struct error **err);

#endif
