/* The system calls that are left to a process that runs an adapter. Linux: seccomp(2), by libseccomp. */
#ifndef TRAMMEL_HOST_RUNNER_SYSCALLS_H
#define TRAMMEL_HOST_RUNNER_SYSCALLS_H

#include <stdbool.h>

#include "sdk/base/error.h"

enum syscalls_stage {
  SYSCALLS_LOAD, /* what the dynamic linker needs, too: open files to read, map code that is in files */
  SYSCALLS_SERVE /* memory without code, threads, clocks, and the descriptors that are open */
};

/* Whether the kernel filters system calls. */
bool syscalls_offered(void);

/* Leaves all threads of the process the calls of the stage; every other one fails with EPERM from now on, clone3 with
 * ENOSYS, so that the C library starts threads by clone. Stages only tighten. Wants PR_SET_NO_NEW_PRIVS. 0, -ENOSYS
 * when syscalls_offered() is false, or an error for people. */
int syscalls_leave(enum syscalls_stage stage, struct error **err);

#endif
