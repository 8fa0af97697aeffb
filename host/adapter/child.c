#include "host/adapter/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "host/adapter/op.h"
#include "host/adapter/program.h"
#include "host/adapter/runner_protocol.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

/* Of what the child writes to its standard output and error, the first bytes are kept. */
#define OUTPUT_MAX 2000
/* How long a runner that is told to end may take for it. */
#define CHILD_STOP_NS (2 * NS_PER_SECOND)

struct child {
  pid_t pid;
  int pidfd;
  int result; /* read end of the pipe of its answer */
  int output; /* read end of the pipe of its standard output and error */
  struct strbuf answer;
  struct strbuf said;
  bool too_much; /* the answer is longer than it may be */
};

static void child_finish(struct child *child) {
  close_p(&child->pidfd);
  close_p(&child->result);
  close_p(&child->output);
  strbuf_finish(&child->answer);
  strbuf_finish(&child->said);
}

/* In the child, after fork in a program that may have threads: system calls only. */
static void __attribute__((noreturn)) become_runner(const char *program, int file, int result, int output) {
  static char *const environment[] = {NULL};
  static char name[] = "trammel-runner", describe[] = "--describe", to[] = "--result";
  static char file_number[] = "3", result_number[] = "4";
  char *const arguments[] = {name, describe, file_number, to, result_number, NULL};
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  (void)setsid(); /* its own group: the last resort against a runner that does not end */
  int null = open("/dev/null", O_RDONLY);
  /* Out of the way of 0 to 4 first: any of them may already be one of these numbers. */
  file = fcntl(file, F_DUPFD, 10);
  result = fcntl(result, F_DUPFD, 10);
  output = fcntl(output, F_DUPFD, 10);
  if (null >= 0 && file >= 0 && result >= 0 && output >= 0 && dup2(null, 0) >= 0 && dup2(output, 1) >= 0 &&
      dup2(output, 2) >= 0 && dup2(file, RUNNER_FILE_FD) >= 0 && dup2(result, RUNNER_RESULT_FD) >= 0 &&
      close_range(RUNNER_RESULT_FD + 1, ~0U, 0) == 0)
    (void)execve(program, arguments, environment);
  _exit(127);
}

static int child_start(const char *program, int file, struct child *child, struct error **err) {
  int result[2] = {-1, -1}, output[2] = {-1, -1};
  if (pipe2(result, O_CLOEXEC) < 0)
    return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
  child->result = result[0];
  _cleanup_close_ int result_end = result[1];
  if (pipe2(output, O_CLOEXEC) < 0)
    return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
  child->output = output[0];
  _cleanup_close_ int output_end = output[1];
  if (fcntl(child->result, F_SETFL, O_NONBLOCK) < 0 || fcntl(child->output, F_SETFL, O_NONBLOCK) < 0)
    return error_set(err, errno, "cannot set up a pipe: %s", strerror(errno));
  child->pid = fork();
  if (child->pid < 0)
    return error_set(err, errno, "cannot start %s: %s", program, strerror(errno));
  if (child->pid == 0)
    become_runner(program, file, result_end, output_end);
  child->pidfd = pidfd_open(child->pid, 0);
  if (child->pidfd >= 0)
    return 0;
  int e = errno;
  (void)kill(child->pid, SIGKILL); /* not waited for yet, so the number is still its own */
  (void)waitpid(child->pid, NULL, 0);
  return error_set(err, e, "cannot watch a child process: %s", strerror(e));
}

/* Reads what is there. False at the end of the pipe. */
static bool drain(int fd, struct strbuf *to, size_t keep, bool *ret_more) {
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

/* Until it has ended, its answer is too long, or time is up. True when it ended. */
static bool watch(struct child *child) {
  int64_t deadline = clock_monotonic_ns() + CHILD_TIMEOUT_NS;
  struct pollfd fds[3] = {{child->pidfd, POLLIN, 0}, {child->result, POLLIN, 0}, {child->output, POLLIN, 0}};
  bool flood = false;
  for (;;) {
    int64_t left = deadline - clock_monotonic_ns();
    if (left <= 0)
      return false;
    int n = poll(fds, 3, (int)(left / 1000000) + 1);
    if (n < 0 && errno != EINTR)
      return false;
    bool ended = n > 0 && (fds[0].revents & POLLIN);
    if (!drain(child->result, &child->answer, DESCRIPTION_MAX + 1, &child->too_much))
      fds[1].fd = -1;
    if (!drain(child->output, &child->said, OUTPUT_MAX, &flood))
      fds[2].fd = -1;
    if (ended || child->too_much)
      return ended;
  }
}

/* What the child said, as the end of a message: control characters become spaces. */
static const char *last_words(struct child *child) {
  if (child->said.length == 0)
    return "";
  for (size_t i = 0; i < child->said.length; i++)
    if ((unsigned char)child->said.data[i] < ' ' || (unsigned char)child->said.data[i] >= 0x7f)
      child->said.data[i] = ' ';
  while (child->said.length && child->said.data[child->said.length - 1] == ' ')
    child->said.data[--child->said.length] = '\0';
  return child->said.data;
}

static int no_answer(struct child *child, int status, struct error **err) {
  const char *said = last_words(child);
  const char *before = *said ? "; it wrote: " : "";
  if (WIFSIGNALED(status))
    return error_set(err, EINVAL, "crashed while it was loaded and described: killed by SIG%s%s%.300s",
                     sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?", before, said);
  return error_set(err, EINVAL,
                   "ended the process (exit status %d) while it was loaded and described, without an answer%s%.300s",
                   WEXITSTATUS(status), before, said);
}

static int read_answer(struct child *child, int status, Trammel__Adapter__V1__DescribeResponse **ret_description,
                       struct error **err) {
  if (strbuf_failed(&child->answer))
    return error_set(err, ENOMEM, "out of memory");
  if (child->answer.length == 0 || WIFSIGNALED(status))
    return no_answer(child, status, err);
  const char *body = child->answer.data + 1;
  size_t length = child->answer.length - 1;
  if (child->answer.data[0] == RUNNER_REFUSED)
    return error_set(err, EINVAL, "%.*s", (int)(length < 2000 ? length : 2000), body);
  ProtobufCMessage *message = NULL;
  if (child->answer.data[0] != RUNNER_DESCRIBED)
    return error_set(err, EINVAL, "answered with something that is no description");
  int r = message_unpack(&trammel__adapter__v1__describe_response__descriptor, body, length,
                         (size_t)16 * DESCRIPTION_MAX, &message, err);
  if (r < 0) {
    (void)error_wrap(err, "Describe answered with something that is no description");
    return r == -ENOMEM ? r : -EINVAL;
  }
  *ret_description = (Trammel__Adapter__V1__DescribeResponse *)message;
  return 0;
}

/* The runner ends everything its adapter started, see host/runner/supervise.h. When it doesn't end itself, its group is
 * ended, which is less. */
static void stop(struct child *child) {
  struct pollfd fd = {child->pidfd, POLLIN, 0};
  int64_t deadline = clock_monotonic_ns() + CHILD_STOP_NS;
  int n = 0;
  (void)pidfd_send_signal(child->pidfd, SIGTERM, NULL, 0);
  for (int64_t left; n <= 0 && (left = deadline - clock_monotonic_ns()) > 0;)
    n = poll(&fd, 1, (int)(left / NS_PER_MS) + 1);
  if (n > 0)
    return;
  /* The leader is not waited for yet, so the number is not anyone else's. */
  (void)kill(-child->pid, SIGKILL);
  (void)pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
}

int child_describe(int fd, Trammel__Adapter__V1__DescribeResponse **ret_description, struct error **err) {
  _cleanup_free_ char *program = NULL;
  int r = program_path("trammel-runner", &program, err);
  if (r < 0)
    return r;
  _cleanup_(child_finish) struct child child = {.pidfd = -1, .result = -1, .output = -1};
  r = child_start(program, fd, &child, err);
  if (r < 0)
    return r;
  bool ended = watch(&child);
  if (!ended)
    stop(&child);
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (child.too_much)
    return error_set(err, EINVAL, "its description has more than %u bytes", DESCRIPTION_MAX);
  if (!ended)
    return error_set(err, EINVAL, "did not load and answer Describe within %d seconds",
                     (int)(CHILD_TIMEOUT_NS / 1000000000));
  return read_answer(&child, status, ret_description, err);
}
