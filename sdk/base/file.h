/* Files that are written whole or not at all. */
#ifndef TRAMMEL_SDK_BASE_FILE_H
#define TRAMMEL_SDK_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "sdk/base/error.h"

#define FILE_PARTIAL ".partial-" /* what the names of files begin with that an end left unfinished */

/* Writes all of it, also where one write takes less. -errno. */
int file_write_all(int fd, const void *data, size_t length);

/* Puts a new content in a file's place, or makes the file, with the rights of `mode` that the umask leaves: an end at
 * any moment, also by a cut of power, leaves the content before or this one, and at most a FILE_PARTIAL beside it.
 * Of several writers at the same time one is the last, as a whole. On an error the file is as before, but when its
 * directory cannot be synced it has the new content. */
int file_replace(const char *path, mode_t mode, const void *data, size_t length, struct error **err);

/* Whether file_replace() has a place for a file, as far as can be known before: makes one beside `path`, and removes
 * it. */
int file_replace_try(const char *path, struct error **err);

/* Waits until the name of a file or directory is on the disk: names are in their directory, and there when that is. */
int file_sync_name(const char *path, struct error **err);

#endif
