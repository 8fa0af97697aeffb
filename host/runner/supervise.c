#include "host/runner/supervise.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void __attribute__((noreturn)) watch(pid_t worker, const sigset_t *signals) {
  int status = 0;
  pid_t pid = 0;
  while (pid == 0) {
    int number = 0;
    if (sigwait(signals, &number) == 0 && number == SIGTERM)
      break;
    pid = waitpid(worker, &status, WNOHANG);
  }
  end_descendants(worker, &status);
  end_like(status);
}

int supervise(struct error **err) {
  sigset_t signals, before;
  const struct rlimit no_core = {0, 0};
  (void)sigemptyset(&signals);
  (void)sigaddset(&signals, SIGCHLD);
  (void)sigaddset(&signals, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &signals, &before) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
      prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
    return error_set(err, errno, "the runner cannot watch its worker: %s", strerror(errno));
  pid_t parent = getpid();
  pid_t worker = fork();
  if (worker < 0)
    return error_set(err, errno, "the runner cannot start its worker: %s", strerror(errno));
  if (worker > 0)
    watch(worker, &signals);
  /* The parent may have ended before this took effect. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
    _exit(127);
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  return 0;
}
