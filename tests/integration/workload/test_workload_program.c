/* The program itself: its command line, what it prints, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/integration/workload/raw.h"
#include "tests/integration/workload/workload_process.h"

struct output {
  char text[4096];
  size_t length;
};

static void exec_program(char *const *arguments, int output) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
    _exit(126);
  (void)execv(workload_program(), arguments);
  _exit(127);
}

static pid_t start(char *const *arguments, int *ret_output) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0)
    exec_program(arguments, ends[1]);
  (void)close(ends[1]);
  *ret_output = ends[0];
  return pid;
}

/* Up to the first line that starts with `until`, or all. */
static void read_output(int fd, const char *until, struct output *ret_output) {
  ssize_t n;
  ret_output->length = 0;
  ret_output->text[0] = '\0';
  while ((!until || !strstr(ret_output->text, until) || !strchr(ret_output->text, '\n')) &&
         (n = read(fd, ret_output->text + ret_output->length, sizeof(ret_output->text) - 1 - ret_output->length)) > 0) {
    ret_output->length += (size_t)n;
    ret_output->text[ret_output->length] = '\0';
  }
}

static void check(char *const *arguments, int status, const char *text) {
  struct output output;
  int fd = -1;
  int ended = 0;
  pid_t pid = start(arguments, &fd);
  read_output(fd, NULL, &output);
  (void)close(fd);
  assert_int_equal(waitpid(pid, &ended, 0), pid);
  if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status || !strstr(output.text, text))
    fail_msg("expected status %d and \"%s\", got %x and: %s", status, text, (unsigned)ended, output.text);
}

#define ARGUMENTS(...) ((char *[]){"trammel-workload", __VA_ARGS__, NULL})

static void wrong_command_lines_end_with_2(void **state) {
  (void)state;
  check((char *[]){"trammel-workload", NULL}, 2, "--control ADDRESS:PORT is required");
  check(ARGUMENTS("--control"), 2, "--control needs a value");
  check(ARGUMENTS("--control", "here"), 2, "is not ADDRESS:PORT");
  check(ARGUMENTS("--control", "127.0.0.1:70000"), 2, "is not ADDRESS:PORT");
  check(ARGUMENTS("--control", "localhost:1"), 2, "numeric");
  check(ARGUMENTS("--control", "127.0.0.1:0", "--nonsense"), 2, "unknown option --nonsense");
  check(ARGUMENTS("--control", "127.0.0.1:0", "more"), 2, "unexpected argument \"more\"");
  check(ARGUMENTS("--control", "127.0.0.1:0", "--name", "a b"), 2, "--name");
  check(ARGUMENTS("--control", "127.0.0.1:0", "--listen", "ftp:127.0.0.1:1"), 2, "must start with http:");
  check(ARGUMENTS("--control", "127.0.0.1:0", "--listen", "http:127.0.0.1"), 2, "--listen");
}

static void help_and_version_end_with_0(void **state) {
  (void)state;
  check(ARGUMENTS("--help"), 0, "usage: trammel-workload --control");
  check(ARGUMENTS("--version"), 0, "trammel-workload ");
}

static void listens_as_told_and_ends_on_a_signal(void **state) {
  (void)state;
  static const int signals[] = {SIGTERM, SIGINT};
  char address[32];
  char control[64];
  char http[64];
  (void)test_address(3, address);
  (void)snprintf(control, sizeof(control), "%s:0", address);
  (void)snprintf(http, sizeof(http), "http:%s:8080", address);
  for (size_t i = 0; i < 2; i++) {
    struct output output;
    char ready[64];
    int fd = -1;
    int ended = 0;
    pid_t pid = start(ARGUMENTS("--control", control, "--name", "named", "--listen", http), &fd);
    read_output(fd, "ready ", &output);
    assert_int_equal(sscanf(output.text, "ready %63s", ready), 1);
    assert_null(strstr(ready, ":0"));
    char *answer = raw_request(ready, "GET", "/v1/ready", NULL);
    assert_non_null(strstr(answer, "{\"name\":\"named\"}"));
    free(answer);
    int connection = raw_connect(address, 8080);
    assert_true(raw_send(connection, "GET / HTTP/1.0\r\n\r\n", 18));
    raw_expect(connection, "\"server\":\"named\"");
    (void)close(connection);
    check(ARGUMENTS("--control", control, "--listen", http), 1, "cannot listen on");
    int held = raw_connect(address, 8080); /* open connections do not keep it */
    assert_int_equal(kill(pid, signals[i]), 0);
    assert_int_equal(waitpid(pid, &ended, 0), pid);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    (void)close(held);
    (void)close(fd);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_command_lines_end_with_2),
      cmocka_unit_test(help_and_version_end_with_0),
      cmocka_unit_test(listens_as_told_and_ends_on_a_signal),
  };
  test_deadline(50);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
