/* Files and sockets that a process, and all it starts, can no longer reach. Linux: landlock(7). */
#ifndef TRAMMEL_HOST_RUNNER_LANDLOCK_H
#define TRAMMEL_HOST_RUNNER_LANDLOCK_H

#include "sdk/base/error.h"

/* The version of Landlock that the kernel offers; 0: none, or it is switched off. */
int landlock_version(void);

/* From now on the calling thread, and threads it starts later, read at most below these directories and files, and the
 * open `file`; paths that are not there are left out. They bind and connect no TCP socket, and reach no abstract socket
 * and send no signal out of the process, as far as the kernel's version knows these. Descriptors that are open stay
 * usable. `paths` ends with NULL. Wants PR_SET_NO_NEW_PRIVS. 0, -ENOSYS when landlock_version() is 0, or an error for
 * people. */
int landlock_read_only(const char *const *paths, int file, struct error **err);

#endif
