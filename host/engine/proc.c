#include "host/engine/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes of an environment that are looked at. The kernel's own limit for one variable is 128 KiB. */
#define ENVIRON_MAX (256 * 1024)

/* Reads at most `size - 1` bytes and ends them with NUL. The number of bytes or -errno. */
static ssize_t read_text(const char *path, char *buffer, size_t size) {
  _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t length = 0;

  if (fd < 0)
    return -errno;
  while (length < size - 1) {
    ssize_t n = read(fd, buffer + length, size - 1 - length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    if (n == 0)
      break;
    length += (size_t)n;
  }
  buffer[length] = '\0';
  return (ssize_t)length;
}

int boot_id(char ret_id[BOOT_ID_SIZE], struct error **err) {
  static const char path[] = "/proc/sys/kernel/random/boot_id";
  ssize_t n = read_text(path, ret_id, BOOT_ID_SIZE);

  if (n < 0)
    return error_set(err, (int)-n, "reading %s: %s", path, strerror((int)-n));
  ret_id[strcspn(ret_id, "\n")] = '\0';
  return 0;
}

int process_start_time(pid_t pid, uint64_t *ret_start) {
  char path[64];
  char text[1024];
  char state;
  uint64_t start;

  (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
  if (read_text(path, text, sizeof(text)) <= 0)
    return -ESRCH;
  const char *rest = strrchr(text, ')'); /* the program's name before it may hold anything */
  if (!rest || sscanf(rest, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
                      &state, &start) != 2)
    return -ESRCH;
  if (state == 'Z' || state == 'X')
    return -ESRCH;
  *ret_start = start;
  return 0;
}

bool process_has_variable(pid_t pid, const char *name, const char *value) {
  char path[64];
  struct stat status;
  size_t name_length = strlen(name);

  (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
  if (stat(path, &status) < 0 || status.st_uid != geteuid())
    return false;
  (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
  _cleanup_free_ char *text = malloc(ENVIRON_MAX);
  ssize_t length = text ? read_text(path, text, ENVIRON_MAX) : -ENOMEM;
  for (ssize_t i = 0; i < length; i += (ssize_t)strlen(text + i) + 1)
    if (strncmp(text + i, name, name_length) == 0 && text[i + (ssize_t)name_length] == '=' &&
        strcmp(text + i + name_length + 1, value) == 0)
      return true;
  return false;
}
