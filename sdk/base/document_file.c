#include "sdk/base/document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sdk/base/error.h"

#define READ_FIRST_BYTES ((size_t)16 << 10)

/* A buffer for all of the file if its size is known, else a first one; never more than limit + 1 bytes and a NUL. */
static size_t first_capacity(const struct stat *status, size_t limit) {
  size_t most = limit < SIZE_MAX - 2 ? limit + 1 : limit;
  size_t wanted = S_ISREG(status->st_mode) && status->st_size > 0 ? (size_t)status->st_size + 1 : READ_FIRST_BYTES;

  return wanted < most ? wanted : most;
}

static int refuse_size(struct error **err, const char *name, const char *size, size_t limit) {
  return error_set(err, E2BIG, "%s has %s bytes, the limit is %zu; split the input", name, size, limit);
}

/* Reads until the end or until one byte more than `limit` has come. */
static int read_all(int fd, const char *name, size_t capacity, size_t limit, char **ret_data, size_t *ret_length,
                    struct error **err) {
  _cleanup_free_ char *data = malloc(capacity + 1);
  size_t length = 0;

  if (!data)
    return error_set(err, ENOMEM, "out of memory for %zu bytes of %s", capacity, name);
  for (;;) {
    ssize_t got = read(fd, data + length, capacity - length);

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return error_set(err, errno, "cannot read %s: %s", name, strerror(errno));
    if (got == 0)
      break;
    length += (size_t)got;
    if (length > limit)
      return refuse_size(err, name, "more", limit);
    if (length == capacity) {
      size_t grown = capacity > limit / 2 ? limit + 1 : capacity * 2;
      char *moved = realloc(data, grown + 1);

      if (!moved)
        return error_set(err, ENOMEM, "out of memory for %zu bytes of %s", grown, name);
      data = moved;
      capacity = grown;
    }
  }
  data[length] = '\0';
  *ret_data = take(data);
  *ret_length = length;
  return 0;
}

int file_read(const char *path, size_t limit, char **ret_data, size_t *ret_length, struct error **err) {
  bool standard_input = strcmp(path, "-") == 0;
  const char *name = standard_input ? "standard input" : path;
  _cleanup_close_ int opened = -1;
  struct stat status;
  char size[32];

  if (limit > FILE_READ_MAX)
    limit = FILE_READ_MAX;
  if (!standard_input) {
    opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (opened < 0)
      return error_set(err, errno, "cannot open %s: %s", name, strerror(errno));
  }
  if (fstat(standard_input ? STDIN_FILENO : opened, &status) < 0)
    return error_set(err, errno, "cannot read %s: %s", name, strerror(errno));
  if (S_ISDIR(status.st_mode))
    return error_set(err, EISDIR, "%s is a directory; name a file, or - for standard input", name);
  if (S_ISREG(status.st_mode) && status.st_size > 0 && (uintmax_t)status.st_size > limit) {
    (void)snprintf(size, sizeof(size), "%jd", (intmax_t)status.st_size);
    return refuse_size(err, name, size, limit);
  }
  return read_all(standard_input ? STDIN_FILENO : opened, name, first_capacity(&status, limit), limit, ret_data,
                  ret_length, err);
}
