/* The whole path: trammel runs the suite against the embedded mesh, with real processes, sidecars and traffic. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/leftovers.h"

struct state {
  char *directory; /* TRAMMEL_STATE_DIR */
};

static int setup(void **state) {
  struct state *s = calloc(1, sizeof(*s));
  s->directory = scratch_create();
  setenv("TRAMMEL_STATE_DIR", s->directory, 1);
  *state = s;
  return 0;
}

static int teardown(void **state) {
  struct state *s = *state;
  scratch_remove(s->directory);
  free(s);
  return 0;
}

static json_t *report_of(const struct command_result *result) {
  json_error_t wrong;
  json_t *report = json_loadb(strbuf_text(&result->out), result->out.length, 0, &wrong);
  if (!report)
    fail_msg("no JSON report: %s; stderr: %s", wrong.text, strbuf_text(&result->errors));
  return report;
}

/* For whoever reads why it failed. */
static void print_cases_not_passed(const json_t *report) {
  size_t i;
  const json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    const char *outcome = json_string_value(json_object_get(item, "outcome"));
    if (strcmp(outcome, "passed") == 0 || strcmp(outcome, "informative") == 0)
      continue;
    char *text = json_dumps(item, JSON_COMPACT);
    print_message("%s\n", text);
    free(text);
  }
}

static void the_reference_mesh_passes_every_case(void **state) {
  struct state *s = *state;
  const char *argv[] = {"trammel", "conformance", "run", "--mesh", "reference", "-q", "-o", "json", NULL};
  struct command_result result;
  command_run(argv, NULL, 120, &result);
  json_t *report = report_of(&result);
  json_t *totals = json_object_get(report, "totals");
  if (result.exit_code != 0) {
    print_cases_not_passed(report);
    fail_msg("exit %d: %s", result.exit_code, strbuf_text(&result.errors));
  }
  assert_int_equal(json_integer_value(json_object_get(totals, "failed")), 0);
  assert_int_equal(json_integer_value(json_object_get(totals, "error")), 0);
  assert_int_equal(json_integer_value(json_object_get(totals, "skipped")), 0);
  assert_true(json_integer_value(json_object_get(totals, "passed")) >= 60);
  json_decref(report);
  command_result_finish(&result);
  assert_no_leftovers(s->directory);
}

static void a_seed_gives_the_same_order(void **state) {
  (void)state;
  const char *argv[] = {"trammel", "conformance", "run",  "--filter", "access/http/", "--seed", "7",
                        "-q",      "-o",          "json", NULL};
  json_t *orders[2];
  for (int run = 0; run < 2; run++) {
    struct command_result result;
    command_run(argv, NULL, 120, &result);
    json_t *report = report_of(&result);
    orders[run] = json_object();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(report, "cases"), i, item) {
      char key[256];
      (void)snprintf(key, sizeof(key), "%s %s", json_string_value(json_object_get(item, "id")),
                     json_string_value(json_object_get(json_object_get(item, "column"), "label")));
      json_object_set(orders[run], key, json_object_get(item, "order"));
    }
    assert_true(json_object_size(orders[run]) > 5);
    json_decref(report);
    command_result_finish(&result);
  }
  assert_true(json_equal(orders[0], orders[1]));
  json_decref(orders[0]);
  json_decref(orders[1]);
}

/* ---- interruption */

static bool has_children(void *ctx) {
  return leftover_processes(ctx) > 10;
}

static bool has_none(void *ctx) {
  return leftover_processes(ctx) == 0;
}

static struct running start_long_run(struct state *s) {
  /* A window of a minute keeps every case busy until it is interrupted. */
  const char *argv[] = {"trammel", "conformance", "run", "--hold", "60s", "--converge", "60s", "-q", NULL};
  struct running running = command_start(argv, NULL);
  wait_until(has_children, s->directory, 30, "the run has started its workloads");
  return running;
}

static void an_interrupt_cleans_up(void **state) {
  struct state *s = *state;
  struct running running = start_long_run(s);
  struct command_result result;
  kill(running.pid, SIGINT);
  command_wait(&running, 30, &result);
  assert_int_equal(result.exit_code, 3);
  assert_no_leftovers(s->directory);
  command_result_finish(&result);
}

static void cleanup_removes_what_a_killed_run_left(void **state) {
  struct state *s = *state;
  struct running running = start_long_run(s);
  struct command_result result;
  kill(running.pid, SIGKILL);
  command_wait(&running, 30, &result);
  assert_int_equal(result.signal, SIGKILL);
  command_result_finish(&result);
  const char *argv[] = {"trammel", "cleanup", NULL};
  command_run(argv, NULL, 30, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  wait_until(has_none, s->directory, 10, "no process is left");
  assert_no_leftovers(s->directory);
}

static void cleanup_leaves_a_live_run_alone(void **state) {
  struct state *s = *state;
  struct running running = start_long_run(s);
  struct command_result result;
  const char *argv[] = {"trammel", "cleanup", NULL};
  command_run(argv, NULL, 30, &result);
  assert_int_equal(result.exit_code, 0);
  assert_true(leftover_processes(s->directory) > 10);
  command_result_finish(&result);
  kill(running.pid, SIGTERM);
  command_wait(&running, 30, &result);
  assert_no_leftovers(s->directory);
  command_result_finish(&result);
}

/* ---- what cannot be run */

static void expect(const char *const *argv, int exit_code, const char *text) {
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != exit_code || !strstr(strbuf_text(&result.errors), text))
    fail_msg("exit %d instead of %d, or no '%s' in: %s", result.exit_code, exit_code, text,
             strbuf_text(&result.errors));
  command_result_finish(&result);
}

static void bad_requests_are_explained(void **state) {
  (void)state;
  expect((const char *[]){"trammel", "conformance", "run", "--mesh", "nosuch", NULL}, 2, "nosuch");
  expect((const char *[]){"trammel", "conformance", "run", "--filter", "nosuch", NULL}, 2, "no case is selected");
  expect((const char *[]){"trammel", "conformance", "run", "--set", "fault=nosuch", NULL}, 2, "allow-by-default");
  expect((const char *[]){"trammel", "conformance", "run", "--set", "nosuch=1", NULL}, 2, "fault");
  expect((const char *[]){"trammel", "conformance", "run", "--set", "fault", NULL}, 2, "KEY=VALUE");
  expect((const char *[]){"trammel", "conformance", "run", "--group", "nosuch", NULL}, 2, "access, specs, split");
  expect((const char *[]){"trammel", "conformance", "run", "--requirement", "ACC-99", NULL}, 2, "ACC-99");
  expect((const char *[]){"trammel", "conformance", "run", "-o", "pdf", NULL}, 2, "junit");
  expect((const char *[]){"trammel", "conformance", "run", "--parallel", "0", NULL}, 2, "from 1 to 32");
  expect((const char *[]){"trammel", "conformance", "run", "--hold", "soon", NULL}, 2, "500ms");
  expect((const char *[]){"trammel", "conformance", "run", "--config", "/nonexistent.yaml", NULL}, 2,
         "/nonexistent.yaml");
}

static void a_wrong_configuration_file_is_placed(void **state) {
  struct state *s = *state;
  char path[4096];
  (void)snprintf(path, sizeof(path), "%s/config.yaml", s->directory);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("# the mesh\ntrust_domain: 7\n", file);
  assert_int_equal(fclose(file), 0);
  const char *argv[] = {"trammel", "conformance", "run", "--config", path, NULL};
  expect(argv, 2, "config.yaml:2:15: error[SCHEMA-0001]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_reference_mesh_passes_every_case, setup, teardown),
      cmocka_unit_test_setup_teardown(a_seed_gives_the_same_order, setup, teardown),
      cmocka_unit_test_setup_teardown(an_interrupt_cleans_up, setup, teardown),
      cmocka_unit_test_setup_teardown(cleanup_removes_what_a_killed_run_left, setup, teardown),
      cmocka_unit_test_setup_teardown(cleanup_leaves_a_live_run_alone, setup, teardown),
      cmocka_unit_test_setup_teardown(bad_requests_are_explained, setup, teardown),
      cmocka_unit_test_setup_teardown(a_wrong_configuration_file_is_placed, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
