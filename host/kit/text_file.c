#include "host/kit/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sdk/base/file.h"

static int failed(const char *path, int code, struct error **err) {
  return error_set(err, code, "writing %s: %s", path, strerror(code));
}

int text_file_create(const char *path, const void *data, size_t length, struct error **err) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0)
    return failed(path, errno, err);
  int r = file_write_all(fd, data, length);
  if (close(fd) < 0 && r == 0)
    r = -errno;
  if (r == 0)
    return 0;
  (void)unlink(path);
  return failed(path, -r, err);
}

int text_file_replace(const char *path, const char *text, struct error **err) {
  return file_replace(path, 0666, text, strlen(text), err);
}
