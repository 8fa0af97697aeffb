#include "host/adapter/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/adapter/program.h"
#include "host/adapter/runner_protocol.h"
#include "sdk/base/clock.h"

/* How long a runner that is told to end may take for it. */
#define STOP_NS (2 * NS_PER_SECOND)

/* In the child, after fork in a program that may have threads: system calls only. */
static void __attribute__((noreturn)) become_runner(const char *program, const struct runner_start *start, int output) {
  static char *const environment[] = {NULL};
  static char name[] = "trammel-runner";
  static char partly[] = RUNNER_PARTLY;
  char *const arguments[] = {name, (char *)(uintptr_t)start->mode, start->partly ? partly : NULL, NULL};
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  (void)setsid(); /* its own group: the last resort against a runner that does not end */
  int null = open("/dev/null", O_RDONLY);
  /* Out of the way of 0 to 4 first: any of them may already be one of these numbers. */
  int file = fcntl(start->file, F_DUPFD, 10);
  int channel = fcntl(start->channel, F_DUPFD, 10);
  output = fcntl(output, F_DUPFD, 10);
  if (null >= 0 && file >= 0 && channel >= 0 && output >= 0 && dup2(null, 0) >= 0 && dup2(output, 1) >= 0 &&
      dup2(output, 2) >= 0 && dup2(file, RUNNER_FILE_FD) >= 0 && dup2(channel, RUNNER_CHANNEL_FD) >= 0 &&
      close_range(RUNNER_CHANNEL_FD + 1, ~0U, 0) == 0)
    (void)execve(program, arguments, environment);
  _exit(127);
}

static int run(const char *program, const struct runner_start *start, struct runner *runner, struct error **err) {
  int output[2] = {-1, -1};
  if (pipe2(output, O_CLOEXEC) < 0)
    return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
  runner->output = output[0];
  _cleanup_close_ int output_end = output[1];
  if (fcntl(runner->output, F_SETFL, O_NONBLOCK) < 0)
    return error_set(err, errno, "cannot set up a pipe: %s", strerror(errno));
  runner->pid = fork();
  if (runner->pid < 0)
    return error_set(err, errno, "cannot start %s: %s", program, strerror(errno));
  if (runner->pid == 0)
    become_runner(program, start, output_end);
  runner->pidfd = pidfd_open(runner->pid, 0);
  if (runner->pidfd >= 0)
    return 0;
  int e = errno;
  (void)kill(runner->pid, SIGKILL); /* not waited for yet, so the number is still its own */
  (void)waitpid(runner->pid, NULL, 0);
  return error_set(err, e, "cannot watch a child process: %s", strerror(e));
}

int runner_start(const struct runner_start *start, struct runner *ret_runner, struct error **err) {
  _cleanup_free_ char *program = NULL;
  *ret_runner = RUNNER_NONE;
  int r = program_path("trammel-runner", &program, err);
  if (r == 0)
    r = run(program, start, ret_runner, err);
  if (r < 0) {
    close_p(&ret_runner->output);
    *ret_runner = RUNNER_NONE;
  }
  return r;
}

int runner_take_output(struct runner *runner) {
  int output = runner->output;
  runner->output = -1;
  return output;
}

static void wait_for(struct runner *runner) {
  while (waitpid(runner->pid, &runner->status, 0) < 0 && errno == EINTR)
    continue;
  runner->ended = true;
}

bool runner_has_ended(struct runner *runner) {
  struct pollfd fd = {runner->pidfd, POLLIN, 0};
  if (!runner->ended && runner->pidfd >= 0 && poll(&fd, 1, 0) > 0)
    wait_for(runner);
  return runner->ended;
}

/* The runner ends everything its adapter started, see host/runner/supervise.h. When it doesn't end itself, its group is
 * ended, which is less. */
static void end(const struct runner *runner) {
  struct pollfd fd = {runner->pidfd, POLLIN, 0};
  int64_t deadline = clock_monotonic_ns() + STOP_NS;
  int n = 0;
  (void)pidfd_send_signal(runner->pidfd, SIGTERM, NULL, 0);
  for (int64_t left; n <= 0 && (left = deadline - clock_monotonic_ns()) > 0;)
    n = poll(&fd, 1, (int)(left / NS_PER_MS) + 1);
  if (n > 0)
    return;
  /* The leader is not waited for yet, so the number is not anyone else's. */
  (void)kill(-runner->pid, SIGKILL);
  (void)pidfd_send_signal(runner->pidfd, SIGKILL, NULL, 0);
}

void runner_stop(struct runner *runner) {
  if (runner->pidfd >= 0 && !runner_has_ended(runner)) {
    end(runner);
    wait_for(runner);
  }
  close_p(&runner->pidfd);
  close_p(&runner->output);
  runner->pidfd = runner->output = -1;
}

bool runner_drain(int fd, struct strbuf *to, size_t keep, bool *ret_more) {
  char block[16384];
  for (;;) {
    ssize_t n = read(fd, block, sizeof block);
    if (n < 0)
      return errno == EAGAIN || errno == EINTR;
    if (n == 0)
      return false;
    size_t room = to->length < keep ? keep - to->length : 0;
    strbuf_append(to, block, (size_t)n < room ? (size_t)n : room);
    if ((size_t)n > room) {
      *ret_more = true;
      return true; /* back to the clock: a flood must not keep this loop */
    }
  }
}
