/* trammel perf run --mesh: what the reference mesh adds, and that nothing of its lab stays, however it ends. */
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
#include "tests/support/command.h"
#include "tests/support/leftovers.h"

enum { RUN_S = 120 };

#define MESH_PROGRAM "trammel-refmesh"

static int setup(void **state) {
  *state = scratch_create();
  setenv("TRAMMEL_STATE_DIR", *state, 1);
  return 0;
}

static int teardown(void **state) {
  assert_no_leftovers(*state);
  scratch_remove(*state);
  return 0;
}

static struct running start(const char *const *options) {
  const char *argv[40] = {"trammel", "perf", "run", "--mesh", "reference", "-o",        "json", "--rate",
                          "max",     "-c",   "2",   "--by",   "p50",       "--warm-up", "20ms"};
  size_t count = 15;
  while (*options)
    argv[count++] = *options++;
  return command_start(argv, NULL);
}

/* Whichever follows from the verdict, and a tolerance of none: on a busy machine not each pair shows a difference. */
#define AS_VERDICT (-1)
/* The same without a tolerance: that the mesh costs something is no failure. */
#define AS_TOLD (-2)

static int verdict_code(const json_t *json) {
  const char *verdict = json_string_value(json_object_get(json_object_get(json, "comparison"), "verdict"));
  if (!verdict || strcmp(verdict, "untold") == 0)
    return 3;
  return strcmp(verdict, "slower") == 0;
}

static json_t *read_series(struct command_result *result, int exit_code) {
  json_t *json = json_loads(strbuf_text(&result->out), 0, NULL);
  if (exit_code == AS_VERDICT)
    exit_code = verdict_code(json);
  else if (exit_code == AS_TOLD)
    exit_code = verdict_code(json) == 3 ? 3 : 0;
  if (!json || result->exit_code != exit_code)
    fail_msg("exit code %d: %s%s", result->exit_code, strbuf_text(&result->out), strbuf_text(&result->errors));
  command_result_finish(result);
  perf_assert_schema(json, "load-series.json");
  return json;
}

static json_t *run_mesh(const char *const *options, int exit_code) {
  struct running running = start(options);
  struct command_result result;
  command_wait(&running, RUN_S, &result);
  return read_series(&result, exit_code);
}

static const json_t *result_of(const json_t *json, size_t i) {
  return json_object_get(json_array_get(json_object_get(json, "runs"), i), "result");
}

/* Two proxies and ciphers cost something: that is told, and is no failure by itself. */
static void what_the_mesh_adds_is_told(void **state) {
  (void)state;
  json_t *json = run_mesh(PERF_OPTIONS("-d", "1s"), AS_TOLD);
  const json_t *mesh = json_object_get(json, "mesh"), *comparison = json_object_get(json, "comparison");
  const json_t *p50 = json_object_get(json_object_get(comparison, "figures"), "p50");
  assert_string_equal(json_string_value(json_object_get(mesh, "adapter")), "reference");
  assert_string_equal(json_string_value(json_object_get(mesh, "lab")), "process");
  assert_int_equal(perf_number(json, "complete"), 6);
  double ratio = json_number_value(json_object_get(p50, "ratio"));
  assert_true(verdict_code(json) == 1 ? ratio > 1 : ratio > 0);
  assert_int_equal(json_array_size(json_object_get(p50, "addedInterval")), 2);
  for (size_t i = 0; i < 12; i++) {
    perf_assert_schema(result_of(json, i), "load-result.json");
    /* All went through: nothing was refused on either way. */
    assert_int_equal(perf_number(json_object_get(result_of(json, i), "statuses"), "200"),
                     perf_number(result_of(json, i), "completed"));
  }
  json_decref(json);
}

static void a_tolerance_makes_it_a_gate(void **state) {
  (void)state;
  json_decref(run_mesh(PERF_OPTIONS("-d", "1s", "--tolerance", "0"), AS_VERDICT));
}

/* HTTP/2 goes through the sidecars, too. */
static void http2_goes_both_ways(void **state) {
  (void)state;
  json_t *json = run_mesh(PERF_OPTIONS("-d", "300ms", "--http2", "--streams", "2", "--repeat", "1"), 3);
  assert_string_equal(json_string_value(json_object_get(result_of(json, 1), "protocol")), "h2");
  assert_true(perf_number(result_of(json, 1), "completed") > 0);
  assert_int_equal(perf_number(result_of(json, 1), "failed"), 0);
  json_decref(json);
}

/* ---- ends before the time */

static bool mesh_runs(void *state_directory) {
  return leftover_named(state_directory, MESH_PROGRAM) != 0;
}

static bool nothing_runs(void *state_directory) {
  return leftover_processes(state_directory) == 0;
}

static void an_interrupt_takes_the_lab_away(void **state) {
  struct command_result result;
  struct running running = start(PERF_OPTIONS("-d", "20s"));
  wait_until(mesh_runs, *state, RUN_S, "the mesh runs");
  assert_int_equal(kill(running.pid, SIGINT), 0);
  command_wait(&running, RUN_S, &result);
  assert_int_equal(result.exit_code, 3);
  command_result_finish(&result);
}

static void a_mesh_that_dies_is_told(void **state) {
  struct command_result result;
  struct running running = start(PERF_OPTIONS("-d", "4s", "--timeout", "1s", "--drain", "1s"));
  wait_until(mesh_runs, *state, RUN_S, "the mesh runs");
  assert_int_equal(kill(leftover_named(*state, MESH_PROGRAM), SIGKILL), 0);
  command_wait(&running, RUN_S, &result);
  assert_int_equal(result.exit_code, 3);
  assert_non_null(strstr(strbuf_text(&result.errors), "SIGKILL"));
  command_result_finish(&result);
}

static void what_a_killed_one_leaves_is_cleaned_up(void **state) {
  static const char *const cleanup[] = {"trammel", "cleanup", NULL};
  struct command_result result;
  struct running running = start(PERF_OPTIONS("-d", "20s"));
  wait_until(mesh_runs, *state, RUN_S, "the mesh runs");
  assert_int_equal(kill(running.pid, SIGKILL), 0);
  command_wait(&running, RUN_S, &result);
  command_result_finish(&result);
  command_run(cleanup, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  wait_until(nothing_runs, *state, RUN_S, "its processes are gone");
}

static void what_does_not_fit_is_refused(void **state) {
  static const char *const wrong[][4] = {{"--url", "http://127.0.0.1:9/"},
                                         {"--against", "http://127.0.0.1:9/"},
                                         {"--lab", "kubernetes"},
                                         {"--lab", "moon"},
                                         {"--output", "hdr"},
                                         {"--set", "no-such-key=1"},
                                         {"--fresh", "--cacert", "x.pem"},
                                         {"--mesh", "no-such-mesh"}};
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    struct command_result result;
    struct running running = start(wrong[i]);
    command_wait(&running, RUN_S, &result);
    if (result.exit_code != 2)
      fail_msg("%s: exit code %d: %s", wrong[i][0], result.exit_code, strbuf_text(&result.errors));
    command_result_finish(&result);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(what_the_mesh_adds_is_told),   TEST(a_tolerance_makes_it_a_gate),
      TEST(http2_goes_both_ways),         TEST(an_interrupt_takes_the_lab_away),
      TEST(a_mesh_that_dies_is_told),     TEST(what_a_killed_one_leaves_is_cleaned_up),
      TEST(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests_name("perf_mesh", tests, NULL, NULL);
}
