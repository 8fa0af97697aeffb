/* The one thread that forks. Private to the process module. */
#ifndef TRAMMEL_HOST_ENGINE_SPAWNER_H
#define TRAMMEL_HOST_ENGINE_SPAWNER_H

#include <sys/types.h>

/* What to execute. All is prepared before the fork, so that the child needs only async-signal-safe calls. */
struct spawn {
  const char *path;
  char *const *argv;
  char *const *envp;
  int directory; /* to work in */
  int log;       /* standard output and errors */
};

/* Forks and executes, and returns once the program runs: 0 with its pid and a pidfd, or -errno of what failed. The
 * child is killed when this program ends, leads a process group, and has no descriptors but the standard three. Any
 * thread. */
int spawn(const struct spawn *what, pid_t *ret_pid, int *ret_pidfd);

#endif
