/* What a process that runs an adapter can no longer do: setrlimit(2), PR_SET_NO_NEW_PRIVS, landlock(7), seccomp(2). */
#ifndef TRAMMEL_HOST_RUNNER_CONFINEMENT_H
#define TRAMMEL_HOST_RUNNER_CONFINEMENT_H

#include <stdbool.h>

#include "sdk/base/error.h"

/* What the kernel offers. */
struct confinement_offer {
  int landlock; /* its version; 0: none */
  bool seccomp;
};
struct confinement_offer confinement_offered(void);

/* Before anything of the adapter is loaded: limits on memory and descriptors; no file but libraries and the open
 * `file`, which is the adapter's; no network, no program, no process, no signal to others. A layer that the kernel
 * lacks is left out with `partly`, and is an error without. To be called while the process has one thread. 0 or an
 * error for people. */
int confinement_enter(int file, bool partly, struct error **err);

/* Once the adapter is loaded, on any thread: no file at all, no new code from files either. Code of the adapter has run
 * by then and may have seen to it that nothing comes of this: what holds against it is confinement_enter(). 0 or an
 * error for people. */
int confinement_seal(struct error **err);

#endif
