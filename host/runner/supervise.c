#include "host/runner/supervise.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/memory.h"

/* 0 when there is no such process any more. */
static pid_t parent_of(pid_t pid) {
  char path[64], text[512];
  int parent = 0;
  (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "re");
  if (!file)
    return 0;
  size_t n = fread(text, 1, sizeof text - 1, file);
  (void)fclose(file);
  text[n] = '\0';
  const char *rest = strrchr(text, ')'); /* the program's name before it may hold anything */
  return rest && sscanf(rest, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Their numbers are not anyone else's: nobody but this process can wait for them. */
static void kill_children(void) {
  DIR *all = opendir("/proc");
  for (const struct dirent *entry; all && (entry = readdir(all));) {
    pid_t pid = atoi(entry->d_name);
    if (pid > 0 && parent_of(pid) == getpid())
      (void)kill(pid, SIGKILL);
  }
  if (all)
    (void)closedir(all);
}

/* With each one that ends, its children become this process's. */
static void end_descendants(pid_t worker, int *status) {
  for (;;) {
    int ended = 0;
    kill_children();
    pid_t pid = waitpid(-1, &ended, 0);
    if (pid < 0 && errno != EINTR)
      return;
    if (pid == worker)
      *status = ended;
  }
}

static void __attribute__((noreturn)) end_like(int status) {
  if (WIFEXITED(status))
    _exit(WEXITSTATUS(status));
  sigset_t none;
  (void)sigemptyset(&none);
  (void)signal(WTERMSIG(status), SIG_DFL);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  (void)raise(WTERMSIG(status));
  _exit(127);
}

/* Whether SIGTERM came. */
static bool told_to_end(int signals) {
  struct signalfd_siginfo signal;
  bool end = false;
  while (read(signals, &signal, sizeof signal) == (ssize_t)sizeof signal)
    end |= signal.ssi_signo == SIGTERM;
  return end;
}

/* Until the worker has ended, or the host, or this process is told to. The host's end is seen in a pidfd:
 * PR_SET_PDEATHSIG is about the thread that forked. */
static void __attribute__((noreturn)) watch(pid_t worker, int signals, int host) {
  struct pollfd fds[] = {{signals, POLLIN, 0}, {host, POLLIN, 0}};
  int status = 0;
  while (waitpid(worker, &status, WNOHANG) == 0) {
    if (poll(fds, 2, -1) > 0 && (fds[1].revents || told_to_end(signals)))
      break;
  }
  end_descendants(worker, &status);
  end_like(status);
}

int supervise(struct error **err) {
  pid_t host = getppid();
  _cleanup_close_ int host_fd = pidfd_open(host, 0);
  sigset_t signals, before;
  const struct rlimit no_core = {0, 0};
  (void)sigemptyset(&signals);
  (void)sigaddset(&signals, SIGCHLD);
  (void)sigaddset(&signals, SIGTERM);
  if (getppid() != host)
    _exit(127); /* it ended meanwhile */
  if (host_fd < 0 || sigprocmask(SIG_BLOCK, &signals, &before) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
      setrlimit(RLIMIT_CORE, &no_core) < 0)
    return error_set(err, errno, "the runner cannot watch its worker: %s", strerror(errno));
  _cleanup_close_ int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd < 0)
    return error_set(err, errno, "the runner cannot watch its worker: %s", strerror(errno));
  pid_t parent = getpid();
  pid_t worker = fork();
  if (worker < 0)
    return error_set(err, errno, "the runner cannot start its worker: %s", strerror(errno));
  if (worker > 0)
    watch(worker, signal_fd, host_fd);
  /* The parent may have ended before this took effect. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
    _exit(127);
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  return 0;
}
