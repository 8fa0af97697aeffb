#include "host/workers/local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/memory.h"

#define GRACE_MS 1000 /* for one whose connection is gone to be seen to have ended */

/* Beyond its socket it has the standard three. */
static int start(char *const *words, int fd, pid_t *ret_pid) {
  posix_spawn_file_actions_t actions;
  int r = posix_spawn_file_actions_init(&actions);
  if (r != 0)
    return r;
  r = posix_spawn_file_actions_adddup2(&actions, fd, LOCAL_WORKER_FD);
  if (r == 0)
    r = posix_spawn_file_actions_addclosefrom_np(&actions, LOCAL_WORKER_FD + 1);
  if (r == 0)
    r = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, words, environ);
  (void)posix_spawn_file_actions_destroy(&actions);
  return r;
}

int local_worker_start(char *const *words, struct local_worker *ret_worker, struct error **err) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
    return error_set(err, errno, "a worker's socket: %s", strerror(errno));
  /* Where it is LOCAL_WORKER_FD already, dup2() would leave it closed on exec. */
  int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, LOCAL_WORKER_FD + 1);
  pid_t pid = 0;
  int r = theirs < 0 ? errno : start(words, theirs, &pid);
  (void)close(ends[1]);
  if (theirs >= 0)
    (void)close(theirs);
  if (r != 0) {
    (void)close(ends[0]);
    return error_set(err, r, "starting a worker: %s", strerror(r));
  }
  *ret_worker = (struct local_worker){.pid = pid, .fd = ends[0]};
  return 0;
}

int local_worker_begin(void) {
  pid_t parent = getppid();
  (void)signal(SIGINT, SIG_IGN);
  (void)signal(SIGTERM, SIG_IGN);
  (void)signal(SIGHUP, SIG_IGN);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
    return -errno;
  return getppid() == parent && parent != 1 ? 0 : -ESRCH;
}

static void describe(int status, char ret_end[LOCAL_WORKER_END_SIZE]) {
  const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
  if (WIFSIGNALED(status))
    (void)snprintf(ret_end, LOCAL_WORKER_END_SIZE, "killed by SIG%s", name ? name : "?");
  else
    (void)snprintf(ret_end, LOCAL_WORKER_END_SIZE, "exited with %d", WEXITSTATUS(status));
}

/* Whether it has ended by itself, in that time. */
static bool wait_for(pid_t pid, unsigned timeout_ms, int *ret_status) {
  for (unsigned waited_ms = 0;; waited_ms += 5) {
    pid_t ended = waitpid(pid, ret_status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR))
      return ended == pid;
    if (waited_ms >= timeout_ms)
      return false;
    (void)usleep(5000);
  }
}

void local_worker_end(struct local_worker *worker, char ret_end[LOCAL_WORKER_END_SIZE]) {
  int status = 0;
  *ret_end = '\0';
  close_p(&worker->fd);
  if (worker->pid <= 0)
    return;
  if (wait_for(worker->pid, GRACE_MS, &status)) {
    describe(status, ret_end);
  } else {
    (void)kill(worker->pid, SIGKILL);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
      continue;
  }
  *worker = (struct local_worker){.fd = -1};
}
