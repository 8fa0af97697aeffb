/* Starts a process that leaves the group and the session, and lives on. The name is what the test looks for. */
#define BROKEN_ID "lives-on"
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "broken.h"

static void __attribute__((noreturn)) live_on(int ready) {
  if (setsid() < 0 || fork() != 0)
    _exit(0);
  (void)prctl(PR_SET_NAME, "trammel-escaped");
  (void)alarm(60); /* a failing test must not leave it for good */
  if (write(ready, "x", 1) != 1)
    _exit(1);
  for (;;)
    (void)pause();
}

BROKEN_DESCRIBE({
  int ready[2];
  char byte;
  if (pipe(ready) < 0)
    return TRAMMEL_INTERNAL;
  pid_t child = fork();
  if (child == 0)
    live_on(ready[1]);
  if (child < 0 || read(ready[0], &byte, 1) != 1)
    return TRAMMEL_INTERNAL;
  return broken_answer(op, &description);
})
