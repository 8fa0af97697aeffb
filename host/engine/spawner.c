#include "host/engine/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "sdk/base/memory.h"

/* Where the child says that it could not execute; closed by a successful exec. */
#define REPORT_FD 3

struct job {
  const struct spawn *what;
  pid_t pid;
  int pidfd;
  int result;
  bool done;
  struct job *next;
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t work;
  pthread_cond_t done;
  pid_t owner; /* the program that the thread runs in: a forked copy of it has none */
  struct job *jobs;
} spawner = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, NULL};

static void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigset_t none;

  for (int i = 1; i < NSIG; i++)
    (void)sigaction(i, &action, NULL); /* SIGKILL, SIGSTOP and those of the C library refuse */
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Out of the way of the descriptors that the child is to have. */
static int move_up(int fd) {
  return fd > REPORT_FD ? fd : fcntl(fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
}

/* In the child. -errno of what failed; does not return otherwise. `*report` is where to write that. */
static int become(const struct spawn *what, pid_t parent, int *report) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
    return -errno;
  if (getppid() != parent) /* it died before the prctl took effect */
    _exit(127);
  (void)setpgid(0, 0);
  int log = move_up(what->log);
  int up = move_up(*report);
  if (log < 0 || up < 0 || fchdir(what->directory) < 0 || dup3(up, REPORT_FD, O_CLOEXEC) < 0)
    return -errno;
  *report = REPORT_FD;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC); /* may well be one of the standard three */
  null = null < 0 ? null : move_up(null);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
    return -errno;
  if (close_range(REPORT_FD + 1, UINT_MAX, 0) < 0)
    return -errno;
  reset_signals();
  (void)execve(what->path, what->argv, what->envp);
  return -errno;
}

static _Noreturn void run_child(const struct spawn *what, pid_t parent, int report) {
  int r = become(what, parent, &report);

  _exit(write(report, &r, sizeof(r)) < 0 ? 126 : 127);
}

static int read_report(int fd) {
  int report = 0;
  ssize_t n;

  do
    n = read(fd, &report, sizeof(report));
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : report;
}

static int fork_child(const struct spawn *what, pid_t *ret_pid, int *ret_pidfd) {
  int ends[2];
  pid_t parent = getpid();

  if (pipe2(ends, O_CLOEXEC) < 0)
    return -errno;
  _cleanup_close_ int report = ends[0];
  pid_t pid = fork();
  if (pid == 0)
    run_child(what, parent, ends[1]);
  int r = pid < 0 ? -errno : 0;
  (void)close(ends[1]);
  if (r < 0)
    return r;
  int pidfd = pidfd_open(pid, 0);
  r = pidfd < 0 ? -errno : read_report(report);
  if (r < 0) {
    if (pidfd >= 0)
      (void)close(pidfd);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return r;
  }
  *ret_pid = pid;
  *ret_pidfd = pidfd;
  return 0;
}

static void *run_spawner(void *unused) {
  (void)unused;
  (void)pthread_mutex_lock(&spawner.lock);
  for (;;) {
    while (!spawner.jobs)
      (void)pthread_cond_wait(&spawner.work, &spawner.lock);
    struct job *job = spawner.jobs;
    spawner.jobs = job->next;
    (void)pthread_mutex_unlock(&spawner.lock);
    job->result = fork_child(job->what, &job->pid, &job->pidfd);
    (void)pthread_mutex_lock(&spawner.lock);
    job->done = true;
    (void)pthread_cond_broadcast(&spawner.done);
  }
  return NULL;
}

/* Starts the thread, with all signals blocked: they are for the program's other threads. The lock is held. */
static int start_thread(void) {
  pthread_t thread;
  sigset_t all, before;

  if (spawner.owner == getpid())
    return 0;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(&thread, NULL, run_spawner, NULL);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0)
    return -code;
  (void)pthread_detach(thread);
  spawner.owner = getpid();
  spawner.jobs = NULL;
  return 0;
}

int spawn(const struct spawn *what, pid_t *ret_pid, int *ret_pidfd) {
  struct job job = {.what = what, .pidfd = -1};

  (void)pthread_mutex_lock(&spawner.lock);
  int r = start_thread();
  if (r == 0) {
    struct job **last = &spawner.jobs;
    while (*last)
      last = &(*last)->next;
    *last = &job;
    (void)pthread_cond_signal(&spawner.work);
    while (!job.done)
      (void)pthread_cond_wait(&spawner.done, &spawner.lock);
    r = job.result;
  }
  (void)pthread_mutex_unlock(&spawner.lock);
  if (r < 0)
    return r;
  *ret_pid = job.pid;
  *ret_pidfd = job.pidfd;
  return 0;
}
