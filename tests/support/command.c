#include "tests/support/command.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sdk/base/clock.h"

static char *program_of(const char *name) {
  char *path = NULL;
  const char *build = getenv("TRAMMEL_BUILD_DIR");
  if (strchr(name, '/'))
    return strdup(name);
  assert_non_null(build);
  assert_true(asprintf(&path, "%s/bin/%s", build, name) > 0);
  return path;
}

/* Standard input from a file without a name, so that no pipe can block. */
static int input_file(const char *input) {
  int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  size_t length = input ? strlen(input) : 0;
  assert_int_equal(write(fd, input ? input : "", length), (ssize_t)length);
  assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
  return fd;
}

struct running command_start(const char *const *argv, const char *input) {
  int out[2];
  int errors[2];
  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
  assert_int_equal(pipe2(errors, O_CLOEXEC), 0);
  _cleanup_close_ int in = input_file(input);
  _cleanup_free_ char *program = program_of(argv[0]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
  struct running running = {.out = out[0], .errors = errors[0]};
  int r = posix_spawn(&running.pid, program, &actions, NULL, (char *const *)argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  close(errors[1]);
  if (r != 0)
    fail_msg("%s: %s", program, strerror(r));
  return running;
}

/* Reads what there is; false at the end. */
static bool drain(int fd, struct strbuf *into) {
  char chunk[65536];
  ssize_t n = read(fd, chunk, sizeof(chunk));
  if (n > 0)
    strbuf_append(into, chunk, (size_t)n);
  return n > 0 || (n < 0 && errno == EINTR);
}

static void give_up(struct running *running, const char *why) {
  kill(running->pid, SIGKILL);
  waitpid(running->pid, NULL, 0);
  fail_msg("%s", why);
}

void command_wait(struct running *running, unsigned timeout_s, struct command_result *ret_result) {
  struct command_result result = {0};
  struct pollfd fds[2] = {{.fd = running->out, .events = POLLIN}, {.fd = running->errors, .events = POLLIN}};
  int64_t deadline = clock_monotonic_ns() / NS_PER_MS + (int64_t)timeout_s * 1000;
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    int64_t left = deadline - clock_monotonic_ns() / NS_PER_MS;
    if (left <= 0)
      give_up(running, "the program did not end in time");
    if (poll(fds, 2, (int)left) <= 0)
      continue;
    if (fds[0].revents && !drain(fds[0].fd, &result.out))
      fds[0].fd = -1;
    if (fds[1].revents && !drain(fds[1].fd, &result.errors))
      fds[1].fd = -1;
  }
  close(running->out);
  close(running->errors);
  int status = 0;
  assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  *ret_result = result;
}

void command_run(const char *const *argv, const char *input, unsigned timeout_s, struct command_result *ret_result) {
  struct running running = command_start(argv, input);
  command_wait(&running, timeout_s, ret_result);
}

void command_result_finish(struct command_result *result) {
  strbuf_finish(&result->out);
  strbuf_finish(&result->errors);
}

void wait_until(bool (*done)(void *ctx), void *ctx, unsigned timeout_s, const char *what) {
  int64_t deadline = clock_monotonic_ns() / NS_PER_MS + (int64_t)timeout_s * 1000;
  while (!done(ctx)) {
    if (clock_monotonic_ns() / NS_PER_MS > deadline)
      fail_msg("waited %u s in vain until %s", timeout_s, what);
    poll(NULL, 0, 10);
  }
}

char *scratch_create(void) {
  const char *base = getenv("TMPDIR");
  char *path = NULL;
  assert_true(asprintf(&path, "%s/trammel-test-XXXXXX", base ? base : "/tmp") > 0);
  assert_non_null(mkdtemp(path));
  return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

void scratch_remove(char *path) {
  if (path)
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  free(path);
}
