/* Runs that are cut, and gone on with. */
#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "tests/support/command.h"
#include "tests/support/leftovers.h"

/* In the run's directory of results: the lines kept so far; the first is none. */
#define CASES_MIN 3

static int setup(void **state) {
  *state = scratch_create();
  setenv("TRAMMEL_STATE_DIR", *state, 1);
  return 0;
}

static int teardown(void **state) {
  scratch_remove(*state);
  return 0;
}

/* ---- what is kept */

/* The path of the one file of results; NULL when there is none. */
static char *results_path(const char *directory) {
  char pattern[4096];
  glob_t found;
  char *path = NULL;
  (void)snprintf(pattern, sizeof(pattern), "%s/results/*.jsonl", directory);
  if (glob(pattern, 0, NULL, &found) == 0)
    path = strdup(found.gl_pathv[0]);
  globfree(&found);
  return path;
}

static json_t *read_lines(const char *path) {
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  assert_int_equal(file_read(path, 64 << 20, &text, &length, NULL), 0);
  json_t *lines = json_array();
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) && rest;)
    assert_int_equal(json_array_append_new(lines, json_loads(line, 0, NULL)), 0);
  return lines;
}

static void write_lines(const char *path, const json_t *lines) {
  size_t i;
  json_t *line;
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  json_array_foreach(lines, i, line) {
    assert_int_equal(json_dumpf(line, file, JSON_COMPACT), 0);
    fputc('\n', file);
  }
  assert_int_equal(fclose(file), 0);
}

static bool some_cases_are_kept(void *ctx) {
  _cleanup_free_ char *path = results_path(ctx);
  if (!path)
    return false;
  json_t *lines = read_lines(path);
  bool enough = json_array_size(lines) > CASES_MIN;
  json_decref(lines);
  return enough;
}

/* ---- runs */

/* Cases that take a second each, one after the other; cut by `signal_number` when some have ended. */
static void cut_a_run(const char *directory, int signal_number, const char *suite, struct command_result *ret_result) {
  const char *argv[] = {"trammel", "conformance", "run", "--filter", "access/http/m*", "--hold", "1s", "--parallel",
                        "2",       "-q",          "-o",  "json",     "--suite",        suite,    NULL};
  if (!suite)
    argv[12] = NULL;
  struct running running = command_start(argv, NULL);
  wait_until(some_cases_are_kept, (void *)(uintptr_t)directory, 120, "some cases have ended");
  kill(running.pid, signal_number);
  command_wait(&running, 60, ret_result);
}

static void go_on(const char *const *more, struct command_result *ret_result) {
  const char *argv[16] = {"trammel", "conformance", "run", "--resume", "last", "-q"};
  for (size_t i = 0; more && more[i]; i++)
    argv[6 + i] = more[i];
  command_run(argv, NULL, 120, ret_result);
}

static void expect_refusal(const char *reason) {
  struct command_result result;
  go_on(NULL, &result);
  if (result.exit_code != 2 || !strstr(strbuf_text(&result.errors), reason))
    fail_msg("exit %d, no '%s' in: %s", result.exit_code, reason, strbuf_text(&result.errors));
  command_result_finish(&result);
}

static json_t *report_of(const struct command_result *result) {
  json_error_t wrong;
  json_t *report = json_loadb(strbuf_text(&result->out), result->out.length, 0, &wrong);
  if (!report)
    fail_msg("no JSON report: %s; stderr: %s", wrong.text, strbuf_text(&result->errors));
  return report;
}

static bool has_case(const json_t *report, const json_t *wanted) {
  size_t i;
  const json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) if (json_equal(item, wanted)) return true;
  return false;
}

/* One whole report: all cases once, passed, in order, and those that were kept as they were. */
static void expect_whole(const json_t *report, const json_t *kept) {
  const json_t *cases = json_object_get(report, "cases");
  const json_t *head = json_array_get(kept, 0);
  json_int_t planned = json_integer_value(json_object_get(head, "planned"));
  size_t i;
  const json_t *line;
  assert_true(planned > CASES_MIN + 2);
  assert_int_equal(json_array_size(cases), planned);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "totals"), "passed")), planned);
  assert_true(json_is_false(json_object_get(report, "interrupted")));
  assert_true(json_equal(json_object_get(report, "id"), json_object_get(json_object_get(head, "report"), "id")));
  assert_true(json_equal(json_object_get(report, "seed"), json_object_get(json_object_get(head, "report"), "seed")));
  for (size_t k = 1; k < json_array_size(cases); k++)
    assert_false(json_equal(json_array_get(cases, k), json_array_get(cases, k - 1)));
  json_array_foreach(kept, i, line) if (i > 0) assert_true(has_case(report, json_object_get(line, "case")));
}

static void a_killed_run_is_gone_on_with(void **state) {
  struct command_result result;
  cut_a_run(*state, SIGKILL, NULL, &result);
  command_result_finish(&result);
  _cleanup_free_ char *path = results_path(*state);
  json_t *kept = read_lines(path);
  command_run((const char *[]){"trammel", "cleanup", NULL}, NULL, 60, &result); /* leaves what can be gone on with */
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  go_on(NULL, &result);
  assert_int_equal(result.exit_code, 0);
  json_t *report = report_of(&result);
  expect_whole(report, kept);
  json_decref(report);
  json_decref(kept);
  command_result_finish(&result);
  assert_no_leftovers(*state);
}

static void an_interrupted_run_says_how_to_go_on(void **state) {
  struct command_result result;
  cut_a_run(*state, SIGINT, NULL, &result);
  assert_int_equal(result.exit_code, 3);
  assert_non_null(strstr(strbuf_text(&result.errors), "trammel conformance run --resume "));
  command_result_finish(&result);
  _cleanup_free_ char *path = results_path(*state);
  json_t *kept = read_lines(path);
  command_run((const char *[]){"trammel", "conformance", "runs", "-o", "json", NULL}, NULL, 60, &result);
  json_t *runs = report_of(&result);
  assert_int_equal(json_array_size(runs), 1);
  assert_string_equal(json_string_value(json_object_get(json_array_get(runs, 0), "state")), "interrupted");
  assert_int_equal(json_integer_value(json_object_get(json_array_get(runs, 0), "cases")), json_array_size(kept) - 1);
  json_decref(runs);
  command_result_finish(&result);
  go_on((const char *[]){"-o", "text", NULL}, &result);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "10 passed"));
  command_result_finish(&result);
  json_decref(kept);
  assert_no_leftovers(*state);
}

/* What could not be judged is missing, too. */
static void errors_are_done_again(void **state) {
  struct command_result result;
  cut_a_run(*state, SIGKILL, NULL, &result);
  command_result_finish(&result);
  _cleanup_free_ char *path = results_path(*state);
  json_t *kept = read_lines(path);
  json_t *first = json_object_get(json_array_get(kept, 1), "case");
  json_object_set_new(first, "outcome", json_string("error"));
  json_object_set_new(first, "reason", json_string("played"));
  write_lines(path, kept);
  json_array_remove(kept, 1);
  go_on(NULL, &result);
  assert_int_equal(result.exit_code, 0);
  json_t *report = report_of(&result);
  expect_whole(report, kept);
  json_decref(report);
  json_decref(kept);
  command_result_finish(&result);
}

/* The results of a run that has just begun. */
struct begun {
  const char *directory;
  char *path; /* heap; NULL until they are there */
};

static bool has_results(void *ctx) {
  struct begun *begun = ctx;
  begun->path = results_path(begun->directory);
  return begun->path != NULL;
}

static void a_run_that_goes_on_is_left_alone(void **state) {
  const char *argv[] = {"trammel", "conformance", "run", "--filter", "access/http/m*", "--hold", "60s", "-q", NULL};
  struct command_result result;
  struct running running = command_start(argv, NULL);
  struct begun begun = {.directory = *state};
  wait_until(has_results, &begun, 30, "the run's results are there");
  _cleanup_free_ char *path = begun.path;
  char *name = strrchr(path, '/') + 1;
  *strstr(name, ".jsonl") = '\0';
  command_run((const char *[]){"trammel", "conformance", "run", "--resume", name, NULL}, NULL, 60, &result);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "still going on"));
  command_result_finish(&result);
  kill(running.pid, SIGINT);
  command_wait(&running, 60, &result);
  assert_null(strstr(strbuf_text(&result.errors), "--resume")); /* nothing was judged: nothing to go on with */
  command_result_finish(&result);
  assert_no_leftovers(*state);
}

/* ---- what is refused */

static void change_head(const char *path, const char *key, json_t *value, bool of_adapter) {
  json_t *lines = read_lines(path);
  json_t *head = json_array_get(lines, 0);
  json_t *adapter = json_object_get(json_object_get(head, "report"), "adapter");
  assert_int_equal(json_object_set_new(of_adapter ? adapter : head, key, value), 0);
  write_lines(path, lines);
  json_decref(lines);
}

static void a_run_that_is_another_one_is_refused(void **state) {
  struct command_result result;
  cut_a_run(*state, SIGKILL, NULL, &result);
  command_result_finish(&result);
  _cleanup_free_ char *path = results_path(*state);
  change_head(path, "sha256", json_string("0000000000000000000000000000000000000000000000000000000000000000"), true);
  expect_refusal("the adapter's file");
  change_head(path, "config", json_pack("{s:s}", "fault", "ignore-source"), true);
  expect_refusal("the adapter's file, the adapter's configuration");
  change_head(path, "planDigest", json_string("0"), false);
  expect_refusal("the selected cases");
  change_head(path, "format", json_string("trammel.kept-run/v9"), false);
  expect_refusal("another version of Trammel wrote it");
  static const char *const changes[][2] = {
      {"--seed", "1"}, {"--suite", "baseline"}, {"--filter", "access"}, {"--set", "fault=ignore-source"}};
  for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
    go_on((const char *[]){changes[i][0], changes[i][1], NULL}, &result);
    assert_int_equal(result.exit_code, 2);
    assert_non_null(strstr(strbuf_text(&result.errors), "as it was started"));
    command_result_finish(&result);
  }
  command_run((const char *[]){"trammel", "cleanup", "--results", NULL}, NULL, 60, &result);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "removed its results"));
  command_result_finish(&result);
  assert_no_leftovers(*state);
  expect_refusal("no results of an interrupted run are kept");
}

static void copy_case(const char *directory, const char *title) {
  char from[4096], to[4096];
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  (void)snprintf(from, sizeof(from), "%s/host/conformance/suites/smi/access/http/matches-named-only.yaml",
                 getenv("TRAMMEL_SOURCE_DIR"));
  (void)snprintf(to, sizeof(to), "%s/case.yaml", directory);
  assert_int_equal(file_read(from, 1 << 20, &text, &length, NULL), 0);
  FILE *file = fopen(to, "w");
  assert_non_null(file);
  char *rest = strstr(text, "title:");
  assert_non_null(rest);
  (void)fwrite(text, 1, (size_t)(rest - text), file);
  fprintf(file, "title: %s%s", title, strchr(rest, '\n'));
  assert_int_equal(fclose(file), 0);
}

static void a_suite_that_was_changed_is_refused(void **state) {
  struct command_result result;
  char *suite = scratch_create();
  copy_case(suite, "One");
  cut_a_run(*state, SIGKILL, suite, &result);
  command_result_finish(&result);
  copy_case(suite, "Another");
  expect_refusal("the content of the suite");
  copy_case(suite, "One");
  go_on(NULL, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  scratch_remove(suite);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_killed_run_is_gone_on_with),
      TEST(an_interrupted_run_says_how_to_go_on),
      TEST(errors_are_done_again),
      TEST(a_run_that_goes_on_is_left_alone),
      TEST(a_run_that_is_another_one_is_refused),
      TEST(a_suite_that_was_changed_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
