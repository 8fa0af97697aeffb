/* Workloads that die or hang in the middle of a case, and what a seed makes the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/leftovers.h"

static int setup(void **state) {
  *state = scratch_create();
  setenv("TRAMMEL_STATE_DIR", *state, 1);
  return 0;
}

static int teardown(void **state) {
  scratch_remove(*state);
  return 0;
}

static json_t *report_of(const struct command_result *result) {
  json_error_t wrong;
  json_t *report = json_loadb(strbuf_text(&result->out), result->out.length, 0, &wrong);
  if (!report)
    fail_msg("no JSON report: %s; stderr: %s", wrong.text, strbuf_text(&result->errors));
  return report;
}

/* ---- a case that is under way */

/* The control address of a workload, as its command line has it. */
static bool control_of(pid_t pid, struct sockaddr_in *ret_address) {
  char path[64];
  char line[512];
  (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
  FILE *file = fopen(path, "r");
  size_t length = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
  if (file)
    (void)fclose(file);
  line[length] = '\0';
  for (char *word = line; word < line + length; word += strlen(word) + 1) {
    char *colon = strrchr(word, ':');
    if (!colon)
      continue;
    *colon = '\0';
    *ret_address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    return inet_pton(AF_INET, word, &ret_address->sin_addr) == 1;
  }
  return false;
}

/* Whether a workload has a record of anything: then a case is under way. */
static bool has_received(pid_t pid) {
  static const char request[] = "GET /v1/received HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  struct sockaddr_in address;
  char answer[4096];
  size_t length = 0;
  if (pid == 0 || !control_of(pid, &address))
    return false;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
      write(fd, request, sizeof(request) - 1) == (ssize_t)sizeof(request) - 1)
    for (ssize_t n; length < sizeof(answer) - 1 && (n = read(fd, answer + length, sizeof(answer) - 1 - length)) > 0;)
      length += (size_t)n;
  (void)close(fd);
  answer[length] = '\0';
  return strstr(answer, "[[") != NULL;
}

/* The server of the first slot: workload-0-1 of the topology "pair". */
static bool a_case_is_under_way(void *ctx) {
  return has_received(leftover_logging(ctx, "workload-0-1.log"));
}

/* Two, of one step each, in two versions. */
#define FEW_CASES "access/http/matches-*"

/* One case after the other, each holding for seconds, so that it is hit in its middle. */
static struct running start_cases(const char *directory, const char *filter, const char *timeout) {
  const char *argv[] = {"trammel",
                        "conformance",
                        "run",
                        "--filter",
                        filter,
                        "--spec-version",
                        "access/v1alpha2,access/v1alpha3",
                        "--hold",
                        "2s",
                        "--timeout",
                        timeout,
                        "--parallel",
                        "1",
                        "-q",
                        "-o",
                        "json",
                        NULL};
  struct running running = command_start(argv, NULL);
  wait_until(a_case_is_under_way, (void *)(uintptr_t)directory, 60, "a case is under way");
  return running;
}

/* Exactly one case is an error, whose reason has both texts; the others passed, and the run came to its end. */
static void expect_one_error(struct running *running, const char *text, const char *other_text) {
  struct command_result result;
  size_t i;
  const json_t *item;
  unsigned errors = 0;
  command_wait(running, 120, &result);
  json_t *report = report_of(&result);
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    const char *outcome = json_string_value(json_object_get(item, "outcome"));
    const char *reason = json_string_value(json_object_get(item, "reason"));
    if (strcmp(outcome, "error") == 0) {
      errors++;
      if (!strstr(reason, text) || !strstr(reason, other_text))
        fail_msg("no '%s' and '%s' in: %s", text, other_text, reason);
    } else if (strcmp(outcome, "passed") != 0) {
      fail_msg("%s: %s", outcome, reason ? reason : "no reason");
    }
  }
  assert_int_equal(errors, 1);
  assert_true(json_array_size(json_object_get(report, "cases")) > 2);
  assert_true(json_is_false(json_object_get(report, "interrupted")));
  assert_int_equal(result.exit_code, 3);
  json_decref(report);
  command_result_finish(&result);
}

static void a_workload_that_dies_costs_one_case(void **state) {
  struct running running = start_cases(*state, FEW_CASES, "60s");
  assert_int_equal(kill(leftover_logging(*state, "workload-0-0.log"), SIGKILL), 0);
  expect_one_error(&running, "workload-0-0 ", "SIGKILL");
  assert_no_leftovers(*state);
}

static void a_workload_that_hangs_costs_one_case(void **state) {
  struct running running = start_cases(*state, FEW_CASES, "10s");
  assert_int_equal(kill(leftover_logging(*state, "workload-0-0.log"), SIGSTOP), 0);
  expect_one_error(&running, "the case was not done within 10 s", "workload-0-0 ");
  assert_no_leftovers(*state);
}

/* A server that hangs looks like a refusal to its caller; nobody may take that for a denial. */
static void a_server_that_hangs_is_no_denial(void **state) {
  struct running running = start_cases(*state, FEW_CASES, "10s");
  assert_int_equal(kill(leftover_logging(*state, "workload-0-1.log"), SIGSTOP), 0);
  expect_one_error(&running, "the case was not done within 10 s", "workload-0-1 ");
  assert_no_leftovers(*state);
}

static bool has_ended(const struct running *running) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)running->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == running->pid;
}

static void a_workload_that_keeps_dying_ends_the_run(void **state) {
  struct running running = start_cases(*state, "access/*", "60s");
  struct command_result result;
  for (unsigned i = 0; i < 12000 && !has_ended(&running); i++) {
    pid_t pid = leftover_logging(*state, "workload-0-0.log");
    if (pid > 0)
      (void)kill(pid, SIGKILL);
    (void)poll(NULL, 0, 5);
  }
  command_wait(&running, 10, &result);
  assert_int_equal(result.exit_code, 3);
  if (!strstr(strbuf_text(&result.errors), "too many workloads died or hung"))
    fail_msg("%s", strbuf_text(&result.errors));
  command_result_finish(&result);
}

/* ---- seeds */

static json_t *run_with(const char *seed, const char *filter) {
  const char *argv[] = {"trammel", "conformance", "run", "--filter", filter, "--seed", seed, "-q", "-o", "json", NULL};
  struct command_result result;
  command_run(argv, NULL, 120, &result);
  if (result.exit_code != 0)
    fail_msg("exit %d: %s", result.exit_code, strbuf_text(&result.errors));
  json_t *report = report_of(&result);
  command_result_finish(&result);
  return report;
}

/* What was sent, check by check: by case and column the checks with the ids and the number of their calls. */
static json_t *traffic_of(const json_t *report) {
  static const char *const parts[] = {"from", "to", "port", "protocol", "method", "path", "headers", "repeat"};
  json_t *traffic = json_object();
  size_t i, k;
  const json_t *item, *check;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    char key[256];
    json_t *checks = json_array();
    (void)snprintf(key, sizeof(key), "%s %s", json_string_value(json_object_get(item, "id")),
                   json_string_value(json_object_get(json_object_get(item, "column"), "label")));
    json_array_foreach(json_object_get(item, "checks"), k, check) {
      json_t *sent = json_object();
      json_object_set(sent, "id", json_object_get(json_object_get(check, "evidence"), "id"));
      for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++)
        json_object_set(sent, parts[p], json_object_get(check, parts[p]));
      json_array_append_new(checks, sent);
    }
    json_object_set_new(traffic, key, checks);
  }
  assert_true(json_object_size(traffic) > 5);
  return traffic;
}

static void a_seed_gives_the_same_traffic(void **state) {
  (void)state;
  json_t *reports[] = {run_with("7", "access/http/m*"), run_with("7", "access/http/m*"),
                       run_with("8", "access/http/m*"), run_with("7", "access/http/*")};
  json_t *traffic[4];
  const char *key;
  json_t *checks;
  for (int i = 0; i < 4; i++)
    traffic[i] = traffic_of(reports[i]);
  json_object_foreach(traffic[0], key, checks)
      assert_true(json_is_string(json_object_get(json_array_get(checks, 0), "id")));
  assert_true(json_equal(traffic[0], traffic[1]));
  assert_false(json_equal(traffic[0], traffic[2]));
  json_object_foreach(traffic[0], key, checks) /* whatever else was selected */
      assert_true(json_equal(checks, json_object_get(traffic[3], key)));
  for (int i = 0; i < 4; i++) {
    json_decref(traffic[i]);
    json_decref(reports[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_workload_that_dies_costs_one_case, setup, teardown),
      cmocka_unit_test_setup_teardown(a_workload_that_hangs_costs_one_case, setup, teardown),
      cmocka_unit_test_setup_teardown(a_server_that_hangs_is_no_denial, setup, teardown),
      cmocka_unit_test_setup_teardown(a_workload_that_keeps_dying_ends_the_run, setup, teardown),
      cmocka_unit_test_setup_teardown(a_seed_gives_the_same_traffic, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
