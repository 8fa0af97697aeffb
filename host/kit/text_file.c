#include "host/kit/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sdk/base/file.h"

static bool write_all(int fd, const char *data, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, data, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    data += n;
    length -= (size_t)n;
  }
  return true;
}

static int failed(const char *path, struct error **err) {
  int code = errno ? errno : EIO;
  return error_set(err, code, "writing %s: %s", path, strerror(code));
}

int text_file_create(const char *path, const void *data, size_t length, struct error **err) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0)
    return failed(path, err);
  bool written = write_all(fd, data, length);
  int r = written ? 0 : failed(path, err);
  if (close(fd) < 0 && r == 0)
    r = failed(path, err);
  if (r < 0)
    (void)unlink(path);
  return r;
}

int text_file_replace(const char *path, const char *text, struct error **err) {
  return file_replace(path, 0666, text, strlen(text), err);
}
