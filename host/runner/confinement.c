#include "host/runner/confinement.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/runner/landlock.h"
#include "host/runner/sanitized.h"
#include "host/runner/syscalls.h"
#include "sdk/base/memory.h"

static const struct {
  __rlimit_resource_t resource;
  rlim_t limit;
} limits[] = {
    {RLIMIT_CORE, 0},
    {RLIMIT_FSIZE, 0},
    {RLIMIT_NOFILE, 64},
#if !TRAMMEL_SANITIZED
    {RLIMIT_AS, (rlim_t)1 << 30},
#endif
};

/* What root may do besides. */
static int drop_capabilities(struct error **err) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  if (syscall(SYS_capset, &header, none) < 0)
    return error_set(err, errno, "the runner cannot give up capabilities: %s", strerror(errno));
  return 0;
}

/* Where the dynamic linker finds what an adapter was linked with. */
static const char *const libraries[] = {"/lib",           "/lib64",           "/usr/lib", "/usr/lib64",
                                        "/usr/local/lib", "/etc/ld.so.cache", NULL};

/* Each of glibc's arenas reserves 64 MiB of addresses, and there may be eight for each processor: they alone would use
 * up the limit, whatever the adapter needs. */
#define ARENAS_MAX 4

static int set_limits(struct error **err) {
  (void)mallopt(M_ARENA_MAX, ARENAS_MAX);
  for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
    struct rlimit limit = {limits[i].limit, limits[i].limit};
    if (setrlimit(limits[i].resource, &limit) < 0 && errno != EPERM) /* EPERM: a tighter one holds already */
      return error_set(err, errno, "the runner cannot limit itself: %s", strerror(errno));
  }
  return 0;
}

struct confinement_offer confinement_offered(void) {
  return (struct confinement_offer){.landlock = landlock_version(), .seccomp = syscalls_offered()};
}

static int require_all(struct error **err) {
  static const char remedy[] = "an adapter that did not come with Trammel runs only where it can be confined, or with "
                               "--allow-unconfined; `trammel doctor` tells more";
  const struct confinement_offer offer = confinement_offered();
  if (offer.landlock == 0)
    return error_set(err, ENOSYS, "the kernel offers no Landlock; %s", remedy);
  if (!offer.seccomp)
    return error_set(err, ENOSYS, "the kernel filters no system calls (seccomp); %s", remedy);
  return 0;
}

int confinement_enter(int file, bool partly, struct error **err) {
  if (!partly && require_all(err) < 0)
    return -ENOSYS;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return error_set(err, errno, "the runner cannot confine itself: %s", strerror(errno));
  int r = set_limits(err);
  if (r == 0)
    r = drop_capabilities(err);
  if (r == 0 && landlock_version() > 0)
    r = landlock_read_only(libraries, file, err);
#if !TRAMMEL_SANITIZED
  if (r == 0 && syscalls_offered())
    r = syscalls_leave(SYSCALLS_LOAD, err);
#endif
  return r;
}

int confinement_seal(struct error **err) {
#if !TRAMMEL_SANITIZED
  if (syscalls_offered())
    return syscalls_leave(SYSCALLS_SERVE, err);
#endif
  (void)err;
  return 0;
}
