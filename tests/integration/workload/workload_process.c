#include "tests/integration/workload/workload_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define READY_TIMEOUT_MS 20000

const char *workload_program(void) {
  static char path[1024];
  const char *build = getenv("TRAMMEL_BUILD_DIR");
  (void)snprintf(path, sizeof(path), "%s/bin/trammel-workload", build ? build : ".");
  return path;
}

const char *test_address(unsigned n, char ret_address[32]) {
  unsigned pid = (unsigned)getpid();
  (void)snprintf(ret_address, 32, "127.%u.%u.%u", 64 + (pid >> 8) % 128, pid % 256, 1 + n);
  return ret_address;
}

void test_deadline(unsigned seconds) {
  (void)alarm(seconds);
}

static void exec_workload(int output, pid_t parent, const char *control) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || dup2(output, STDOUT_FILENO) < 0)
    _exit(126);
  (void)execl(workload_program(), "trammel-workload", "--control", control, (char *)NULL);
  _exit(127);
}

static void wait_ready(struct workload_process *process) {
  char line[128] = "";
  size_t length = 0;
  while (!strchr(line, '\n')) {
    struct pollfd wait = {.fd = process->output, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, READY_TIMEOUT_MS), 1);
    ssize_t n = read(process->output, line + length, sizeof(line) - 1 - length);
    assert_true(n > 0);
    length += (size_t)n;
    line[length] = '\0';
  }
  assert_int_equal(sscanf(line, "ready %63s", process->control), 1);
}

void workload_start(struct workload_process *process, const char *name, const char *address) {
  static const struct workload_listener listeners[] = {{8080, CALL_HTTP1}, {9000, CALL_TCP}, {9001, CALL_UDP}};
  int ends[2];
  char url[96];
  struct error *err = NULL;
  *process = (struct workload_process){0};
  (void)snprintf(url, sizeof(url), "%s:0", address);
  assert_int_equal(pipe(ends), 0);
  pid_t parent = getpid();
  process->pid = fork();
  if (process->pid == 0)
    exec_workload(ends[1], parent, url);
  assert_true(process->pid > 0);
  (void)close(ends[1]);
  process->output = ends[0];
  wait_ready(process);
  (void)snprintf(url, sizeof(url), "http://%s/", process->control);
  if (workload_client_create(url, &process->client, &err) < 0 || workload_ready(process->client, &err) < 0 ||
      workload_configure(process->client, name, address, listeners, 3, &err) < 0)
    fail_msg("%s", error_message(err));
}

void workload_stop(struct workload_process *process) {
  int status = 0;
  workload_client_destroy(process->client);
  assert_int_equal(kill(process->pid, SIGTERM), 0);
  assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
  (void)close(process->output);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}
