#include "host/adapter/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "host/adapter/op.h"
#include "host/adapter/program.h"
#include "host/adapter/runner.h"
#include "host/adapter/runner_protocol.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

/* Of what the child writes to its standard output and error, the first bytes are kept. */
#define OUTPUT_MAX 2000

struct child {
  struct runner runner;
  int result; /* read end of the pipe of its answer */
  struct strbuf answer;
  struct strbuf said;
  bool too_much; /* the answer is longer than it may be */
};

static void child_finish(struct child *child) {
  runner_stop(&child->runner);
  close_p(&child->result);
  strbuf_finish(&child->answer);
  strbuf_finish(&child->said);
}

/* Until it has ended, its answer is too long, or time is up. True when it ended. */
static bool watch(struct child *child) {
  int64_t deadline = clock_monotonic_ns() + CHILD_TIMEOUT_NS;
  struct pollfd fds[3] = {
      {child->runner.pidfd, POLLIN, 0}, {child->result, POLLIN, 0}, {child->runner.output, POLLIN, 0}};
  bool flood = false;
  for (;;) {
    int64_t left = deadline - clock_monotonic_ns();
    if (left <= 0)
      return false;
    int n = poll(fds, 3, (int)(left / 1000000) + 1);
    if (n < 0 && errno != EINTR)
      return false;
    bool ended = n > 0 && (fds[0].revents & POLLIN);
    if (!runner_drain(child->result, &child->answer, DESCRIPTION_MAX + 1, &child->too_much))
      fds[1].fd = -1;
    if (!runner_drain(child->runner.output, &child->said, OUTPUT_MAX, &flood))
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

static int start(const char *mode, int file, bool partly, struct child *child, struct error **err) {
  int result[2] = {-1, -1};
  if (pipe2(result, O_CLOEXEC) < 0)
    return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
  child->result = result[0];
  _cleanup_close_ int result_end = result[1];
  if (fcntl(child->result, F_SETFL, O_NONBLOCK) < 0)
    return error_set(err, errno, "cannot set up a pipe: %s", strerror(errno));
  return runner_start(&(struct runner_start){mode, partly, file, result_end}, &child->runner, err);
}

/* Runs it until it has ended or is ended. */
static int ask(const char *mode, int file, bool partly, struct child *child, struct error **err) {
  int r = start(mode, file, partly, child, err);
  if (r < 0)
    return r;
  bool ended = watch(child);
  runner_stop(&child->runner);
  if (child->too_much)
    return error_set(err, EINVAL, "its description has more than %u bytes", DESCRIPTION_MAX);
  if (!ended)
    return error_set(err, EINVAL, "did not load and answer Describe within %d seconds",
                     (int)(CHILD_TIMEOUT_NS / 1000000000));
  return 0;
}

int child_describe(int fd, bool partly, Trammel__Adapter__V1__DescribeResponse **ret_description, struct error **err) {
  _cleanup_(child_finish) struct child child = {.runner = RUNNER_NONE, .result = -1};
  int r = ask(RUNNER_DESCRIBE, fd, partly, &child, err);
  return r < 0 ? r : read_answer(&child, child.runner.status, ret_description, err);
}

int child_try(char **ret_findings, struct error **err) {
  _cleanup_(child_finish) struct child child = {.runner = RUNNER_NONE, .result = -1};
  _cleanup_free_ char *program = NULL;
  int r = program_path("trammel-runner", &program, err);
  if (r < 0)
    return r;
  _cleanup_close_ int file = open(program, O_RDONLY | O_CLOEXEC); /* any file will do */
  if (file < 0)
    return error_set(err, errno, "%s cannot be opened: %s", program, strerror(errno));
  r = ask(RUNNER_TRY, file, true, &child, err);
  if (r < 0)
    return r;
  const struct strbuf *answer = &child.answer;
  if (strbuf_failed(answer) || answer->length < 2 || answer->data[0] != RUNNER_TRIED)
    return error_set(err, EPROTO, "trammel-runner could not confine itself: %s",
                     answer->length > 1 ? answer->data + 1 : last_words(&child));
  *ret_findings = strdup(answer->data + 1);
  return *ret_findings ? 0 : error_set(err, ENOMEM, "out of memory");
}
