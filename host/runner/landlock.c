#include "host/runner/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sdk/base/memory.h"

/* struct landlock_ruleset_attr of version 6; the headers of Debian 12 know version 2. */
struct ruleset {
  uint64_t files;
  uint64_t network; /* since version 4: bind and connect of TCP */
  uint64_t scoped;  /* since version 6: abstract sockets and signals */
};

#define FILES_VERSION_1 ((1ULL << 13) - 1)
#define FILE_REFER (1ULL << 13)    /* since version 2 */
#define FILE_TRUNCATE (1ULL << 14) /* since version 3 */
#define FILE_IOCTL (1ULL << 15)    /* since version 5 */
#define NETWORK_ALL 3ULL
#define SCOPED_ALL 3ULL

int landlock_version(void) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? (int)version : 0;
}

static int create(int version) {
  const struct ruleset all = {
      .files = FILES_VERSION_1 | (version >= 2 ? FILE_REFER : 0) | (version >= 3 ? FILE_TRUNCATE : 0) |
               (version >= 5 ? FILE_IOCTL : 0),
      .network = version >= 4 ? NETWORK_ALL : 0,
      .scoped = version >= 6 ? SCOPED_ALL : 0,
  };
  /* A kernel refuses a size with fields that it doesn't know, unless they are 0. */
  return (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
}

static int allow_below(int ruleset, int fd, uint64_t access) {
  const struct landlock_path_beneath_attr below = {.allowed_access = access, .parent_fd = fd};
  return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
}

static int allow(int ruleset, const char *path, struct error **err) {
  _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
  struct stat status;
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    return 0;
  if (fd < 0 || fstat(fd, &status) < 0)
    return error_set(err, errno, "cannot open %s: %s", path, strerror(errno));
  uint64_t directory = S_ISDIR(status.st_mode) ? LANDLOCK_ACCESS_FS_READ_DIR : 0;
  if (allow_below(ruleset, fd, LANDLOCK_ACCESS_FS_READ_FILE | directory) < 0)
    return error_set(err, errno, "Landlock takes no rule for %s: %s", path, strerror(errno));
  return 0;
}

int landlock_read_only(const char *const *paths, int file, struct error **err) {
  int version = landlock_version();
  if (version == 0)
    return error_set(err, ENOSYS, "the kernel offers no Landlock");
  _cleanup_close_ int ruleset = create(version);
  if (ruleset < 0)
    return error_set(err, errno, "Landlock takes no rules: %s", strerror(errno));
  /* EBADFD: a file in memory, memfd_create(2), which Landlock does not look at. */
  if (allow_below(ruleset, file, LANDLOCK_ACCESS_FS_READ_FILE) < 0 && errno != EBADFD)
    return error_set(err, errno, "Landlock takes no rule for the adapter's file: %s", strerror(errno));
  for (; *paths; paths++) {
    int r = allow(ruleset, *paths, err);
    if (r < 0)
      return r;
  }
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
    return error_set(err, errno, "Landlock is not entered: %s", strerror(errno));
  return 0;
}
