#include "sdk/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define NAMES_TRIED_MAX 16 /* one is enough unless somebody makes them all */

static int failed(struct error **err, const char *doing, const char *path) {
  int code = errno ? errno : EIO;
  return error_set(err, code, "%s %s: %s", doing, path, strerror(code));
}

int file_write_all(int fd, const void *data, size_t length) {
  const char *next = data;
  while (length > 0) {
    ssize_t n = write(fd, next, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? -errno : -EIO;
    next += n;
    length -= (size_t)n;
  }
  return 0;
}

/* How much of a path is its directory, with the slash. */
static int directory_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (int)(slash - path) + 1 : 0;
}

int file_sync_name(const char *path, struct error **err) {
  _cleanup_free_ char *directory = NULL;
  int length = directory_length(path);
  if (asprintf(&directory, "%.*s", length > 0 ? length : 1, length > 0 ? path : ".") < 0)
    return error_set(err, ENOMEM, "out of memory");
  _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 || fsync(fd) < 0 ? failed(err, "syncing", directory) : 0;
}

/* A new file beside the one at `path`, under a name that nobody else has, however long that of `path` is. */
static int create_beside(const char *path, mode_t mode, char **ret_beside, int *ret_fd, struct error **err) {
  for (int i = 0; i < NAMES_TRIED_MAX; i++) {
    _cleanup_free_ char *beside = NULL;
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
      return failed(err, "no random number for a file beside", path);
    if (asprintf(&beside, "%.*s" FILE_PARTIAL "%016" PRIx64, directory_length(path), path, number) < 0)
      return error_set(err, ENOMEM, "out of memory");
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST)
      continue;
    if (fd < 0)
      return failed(err, "writing", path);
    *ret_beside = take(beside);
    *ret_fd = fd;
    return 0;
  }
  return error_set(err, EEXIST, "writing %s: no name is free for a file beside it", path);
}

int file_replace_try(const char *path, struct error **err) {
  _cleanup_free_ char *beside = NULL;
  _cleanup_close_ int fd = -1;
  int r = create_beside(path, 0600, &beside, &fd, err);
  if (r == 0)
    (void)unlink(beside);
  return r;
}

int file_replace(const char *path, mode_t mode, const void *data, size_t length, struct error **err) {
  _cleanup_free_ char *beside = NULL;
  _cleanup_close_ int fd = -1;
  int r = create_beside(path, mode, &beside, &fd, err);
  if (r < 0)
    return r;
  r = file_write_all(fd, data, length);
  if (r == 0 && (fsync(fd) < 0 || rename(beside, path) < 0))
    r = -errno;
  if (r == 0)
    return file_sync_name(path, err);
  (void)unlink(beside);
  return error_set(err, -r, "writing %s: %s", path, strerror(-r));
}
