/* trammel perf run --workers: what several processes count is what one counts, and one that is lost is told. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/load/perf_command.h"
#include "tests/integration/load/target_server.h"
#include "tests/support/command.h"

enum { RUN_S = 120, CHILDREN_MAX = 8 };

static const char *text(const json_t *json, const char *name) {
  const char *value = json_string_value(json_object_get(json, name));
  return value ? value : "";
}

static bool has_doubt(const json_t *json, const char *name) {
  size_t i;
  const json_t *doubt;
  json_array_foreach(json_object_get(json, "doubts"), i, doubt) {
    if (strcmp(text(doubt, "name"), name) == 0)
      return true;
  }
  return false;
}

static struct running start(const char *url, const char *const *options) {
  const char *argv[40] = {"trammel", "perf", "run", "--url", url, "-o", "json"};
  size_t count = 7;
  while (*options)
    argv[count++] = *options++;
  return command_start(argv, NULL);
}

static json_t *finish(struct running *running, int exit_code) {
  struct command_result result;
  command_wait(running, RUN_S, &result);
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  if (!json || result.exit_code != exit_code)
    fail_msg("exit code %d: %s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
  perf_assert_schema(json, "load-result.json");
  return json;
}

/* The processes that a program has started. */
static unsigned children_of(pid_t pid, pid_t ret_children[CHILDREN_MAX]) {
  char path[64];
  unsigned count = 0;
  int child;
  (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
  FILE *file = fopen(path, "r");
  while (file && count < CHILDREN_MAX && fscanf(file, "%d", &child) == 1)
    ret_children[count++] = child;
  if (file)
    (void)fclose(file);
  return count;
}

/* ---- counts */

/* The same schedule by three processes, and by three threads of one: each request that is due is sent once. */
static void several_processes_count_as_one(void **state) {
  static const char *const schedules[] = {"constant", "poisson", "ramp"};
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  (void)state;
  for (size_t i = 0; i < sizeof(schedules) / sizeof(*schedules); i++) {
    uint64_t before = target_server_requests(server);
    json_t *one = perf_command_run(target_server_url(server),
                                   PERF_OPTIONS("--rate", "500", "--schedule", schedules[i], "--rate-end", "900", "-t",
                                                "3", "-c", "7", "-d", "600ms", "--warm-up", "200ms", "--seed", "5"),
                                   PERF_AS_VERDICT);
    uint64_t of_one = target_server_requests(server) - before;
    json_t *many =
        perf_command_run(target_server_url(server),
                         PERF_OPTIONS("--rate", "500", "--schedule", schedules[i], "--rate-end", "900", "--workers",
                                      "3", "-c", "7", "-d", "600ms", "--warm-up", "200ms", "--seed", "5"),
                         PERF_AS_VERDICT);
    assert_int_equal(target_server_requests(server) - before - of_one, of_one);
    assert_true(perf_number(one, "scheduled") > 0);
    assert_int_equal(perf_number(many, "scheduled"), perf_number(one, "scheduled"));
    assert_int_equal(perf_number(many, "completed"), perf_number(many, "scheduled"));
    assert_int_equal(perf_number(many, "warmUp"), perf_number(one, "warmUp"));
    assert_int_equal(perf_number(many, "connectionsMade"), 7);
    assert_int_equal(perf_number(many, "bytesRead"), perf_number(one, "bytesRead"));
    assert_int_equal(perf_number(json_object_get(many, "statuses"), "200"), perf_number(many, "completed"));
    assert_int_equal(perf_latency_count(many, "response"), perf_number(many, "completed"));
    assert_int_equal(perf_latency_count(many, "lag"), perf_latency_count(one, "lag"));
    assert_int_equal(perf_number(json_object_get(many, "workers"), "count"), 3);
    assert_int_equal(json_array_size(json_object_get(json_object_get(many, "workers"), "lost")), 0);
    json_decref(one);
    json_decref(many);
  }
  target_server_stop(server);
}

static void a_name_without_an_address_is_told_as_by_one(void **state) {
  static const char label[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  char url[128];
  (void)state;
  (void)snprintf(url, sizeof(url), "http://%s/", label);
  json_t *json = perf_command_run(url, PERF_OPTIONS("--rate", "100", "-d", "1s", "--workers", "2"), 3);
  assert_int_equal(perf_errors(json, "dns"), 1);
  json_decref(json);
}

static void a_series_has_workers_each_time(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  struct command_result result;
  (void)state;
  struct running running =
      start(target_server_url(server), PERF_OPTIONS("--rate", "max", "-d", "300ms", "--repeat", "2", "--workers", "2"));
  command_wait(&running, RUN_S, &result);
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  assert_int_equal(result.exit_code, 0);
  perf_assert_schema(json, "load-series.json");
  for (size_t i = 0; i < 2; i++) {
    const json_t *run = json_object_get(json_array_get(json_object_get(json, "runs"), i), "result");
    assert_int_equal(perf_number(json_object_get(run, "workers"), "count"), 2);
    assert_true(perf_number(run, "completed") > 0);
  }
  json_decref(json);
  command_result_finish(&result);
  target_server_stop(server);
}

/* ---- ends before the time */

static bool is_under_way(void *server) {
  return target_server_requests(server) >= 20;
}

/* One that nobody has waited for yet has ended, too. */
static bool has_ended(void *pid) {
  char path[64], state = 'Z';
  (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)*(pid_t *)pid);
  FILE *file = fopen(path, "r");
  bool read = file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
  if (file)
    (void)fclose(file);
  return !read || state == 'Z' || state == 'X';
}

static void a_worker_that_is_killed_is_told_with_its_share(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  pid_t children[CHILDREN_MAX] = {0};
  (void)state;
  struct running running =
      start(target_server_url(server), PERF_OPTIONS("--rate", "200", "-d", "8s", "--workers", "4", "-c", "4"));
  wait_until(is_under_way, server, RUN_S, "the load is under way");
  assert_int_equal(children_of(running.pid, children), 4);
  assert_int_equal(kill(children[1], SIGKILL), 0);
  json_t *json = finish(&running, 3);
  const json_t *lost = json_object_get(json_object_get(json, "workers"), "lost");
  assert_true(has_doubt(json, "lost"));
  assert_int_equal(json_array_size(lost), 1);
  assert_string_equal(text(json_array_get(lost, 0), "reason"), "killed by SIGKILL");
  /* What the others did, and nothing in place of what is lost: 3 of 4 of 1600. */
  assert_int_equal(perf_number(json, "scheduled"), 1200);
  json_decref(json);
  target_server_stop(server);
}

/* As a terminal, a service manager or a container's runtime ends it: the signal goes to all of them. */
static void assert_interrupted(int number) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  pid_t children[CHILDREN_MAX] = {0};
  struct running running =
      start(target_server_url(server), PERF_OPTIONS("--rate", "200", "-d", "60s", "--workers", "2", "-c", "4"));
  wait_until(is_under_way, server, RUN_S, "the load is under way");
  assert_int_equal(children_of(running.pid, children), 2);
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(kill(children[i], number), 0);
  assert_int_equal(kill(running.pid, number), 0);
  json_t *json = finish(&running, 3);
  assert_true(has_doubt(json, "cut"));
  assert_false(has_doubt(json, "lost"));
  assert_true(perf_number(json, "completed") > 0 && perf_number(json, "completed") < 12000);
  assert_true(has_ended(&children[0]) && has_ended(&children[1]));
  json_decref(json);
  target_server_stop(server);
}

static void an_interrupt_tells_what_there_is(void **state) {
  (void)state;
  assert_interrupted(SIGINT);
  assert_interrupted(SIGTERM);
}

static void workers_end_with_who_started_them(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  struct command_result result;
  pid_t children[CHILDREN_MAX] = {0};
  (void)state;
  struct running running =
      start(target_server_url(server), PERF_OPTIONS("--rate", "200", "-d", "60s", "--workers", "2", "-c", "4"));
  wait_until(is_under_way, server, RUN_S, "the load is under way");
  assert_int_equal(children_of(running.pid, children), 2);
  assert_int_equal(kill(children[0], SIGSTOP), 0); /* one that can see nothing, too */
  assert_int_equal(kill(running.pid, SIGKILL), 0);
  command_wait(&running, RUN_S, &result);
  command_result_finish(&result);
  wait_until(has_ended, &children[0], RUN_S, "the first one has ended");
  wait_until(has_ended, &children[1], RUN_S, "the second one has ended");
  target_server_stop(server);
}

static void what_does_not_fit_is_refused(void **state) {
  static const char *const wrong[][6] = {{"--workers", "0"}, {"--workers", "65"}, {"--workers", "4", "-c", "3"}};
  static const char *const by_hand[] = {"trammel", "perf", "worker", NULL};
  struct command_result result;
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    const char *argv[16] = {"trammel", "perf", "run", "--url", "http://127.0.0.1:9/", "--rate", "max"};
    for (size_t j = 0; j < 6; j++)
      argv[7 + j] = wrong[i][j];
    command_run(argv, NULL, RUN_S, &result);
    assert_int_equal(result.exit_code, 2);
    command_result_finish(&result);
  }
  command_run(by_hand, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(several_processes_count_as_one),
      cmocka_unit_test(a_name_without_an_address_is_told_as_by_one),
      cmocka_unit_test(a_series_has_workers_each_time),
      cmocka_unit_test(a_worker_that_is_killed_is_told_with_its_share),
      cmocka_unit_test(an_interrupt_tells_what_there_is),
      cmocka_unit_test(workers_end_with_who_started_them),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests_name("perf_workers", tests, NULL, NULL);
}
