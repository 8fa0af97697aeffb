/* trammel perf run with --repeat and --against: pairs in turn, verdicts, medians, and an end before the time. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/load/median.h"
#include "tests/integration/load/perf_command.h"
#include "tests/integration/load/target_server.h"
#include "tests/support/command.h"

enum { RUN_S = 60 };

/* What `trammel perf run` says of a series, with each part held against its schema. */
static json_t *read_series(struct command_result *result, int exit_code) {
  json_t *json = json_loads(strbuf_text(&result->out), 0, NULL);
  size_t i;
  const json_t *run;
  if (!json || result->exit_code != exit_code)
    fail_msg("exit code %d: %s%s", result->exit_code, strbuf_text(&result->out), strbuf_text(&result->errors));
  command_result_finish(result);
  perf_assert_schema(json, "load-series.json");
  json_array_foreach(json_object_get(json, "runs"), i, run)
      perf_assert_schema(json_object_get(run, "result"), "load-result.json");
  if (json_object_get(json, "comparison"))
    perf_assert_schema(json_object_get(json, "comparison"), "load-comparison.json");
  return json;
}

static struct running start(const char *url, const char *const *options) {
  const char *argv[40] = {"trammel", "perf", "run", "--url", url, "-o", "json", "--rate", "max", "-c", "1"};
  size_t count = 11;
  while (*options)
    argv[count++] = *options++;
  return command_start(argv, NULL);
}

static json_t *run_series(const char *url, const char *const *options, int exit_code) {
  struct running running = start(url, options);
  struct command_result result;
  command_wait(&running, RUN_S, &result);
  return read_series(&result, exit_code);
}

static const char *text(const json_t *json, const char *name) {
  const char *value = json_string_value(json_object_get(json, name));
  return value ? value : "";
}

static double figure(const json_t *json, const char *quantile, const char *name) {
  const json_t *figures = json_object_get(json_object_get(json, "comparison"), "figures");
  return json_number_value(json_object_get(json_object_get(figures, quantile), name));
}

static void a_slower_second_target_is_told_in_pairs(void **state) {
  struct target_server *quick = target_server_start(CONDUCT_ANSWERS), *slow = target_server_start(CONDUCT_SLOWER);
  static const char order[] = "ABBAABBAABBA";
  size_t i;
  const json_t *run;
  (void)state;
  json_t *json = run_series(target_server_url(quick),
                            PERF_OPTIONS("--against", target_server_url(slow), "--by", "p50", "-d", "800ms"), 1);
  assert_string_equal(text(json_object_get(json, "comparison"), "verdict"), "slower");
  assert_string_equal(text(json, "unit"), "pair");
  assert_int_equal(perf_number(json, "planned"), 6);
  assert_int_equal(perf_number(json, "complete"), 6);
  assert_true(json_is_false(json_object_get(json, "cut")));
  assert_int_equal(json_array_size(json_object_get(json, "runs")), strlen(order));
  json_array_foreach(json_object_get(json, "runs"), i, run) {
    const char *of = text(run, "of");
    assert_true(*of == order[i]);
    assert_string_equal(text(json_object_get(run, "result"), "url"), target_server_url(*of == 'A' ? quick : slow));
  }
  assert_true(figure(json, "p50", "addedMs") > 0 && figure(json, "p50", "ratio") > 1);
  assert_true(figure(json, "p50", "level") == 0.96875);
  assert_true(json_number_value(
                  json_object_get(json_object_get(json_object_get(json, "comparison"), "perSecond"), "ratio")) < 1);
  json_decref(json);
  json = run_series(target_server_url(slow),
                    PERF_OPTIONS("--against", target_server_url(quick), "--by", "p50", "-d", "800ms"), 0);
  assert_string_equal(text(json_object_get(json, "comparison"), "verdict"), "faster");
  json_decref(json);
  target_server_stop(quick);
  target_server_stop(slow);
}

static void too_few_pairs_tell_nothing(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  (void)state;
  json_t *json = run_series(
      target_server_url(server),
      PERF_OPTIONS("--against", target_server_url(server), "--by", "p50", "-d", "200ms", "--repeat", "2"), 3);
  assert_string_equal(text(json_object_get(json, "comparison"), "verdict"), "untold");
  json_decref(json);
  target_server_stop(server);
}

/* The median of runs is that of what the runs say. */
static void runs_of_one_target_have_medians(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  double values[7];
  struct median_estimate expected;
  size_t i;
  const json_t *run;
  (void)state;
  json_t *json = run_series(target_server_url(server), PERF_OPTIONS("--repeat", "7", "-d", "200ms"), 0);
  const json_t *rate = json_object_get(json_object_get(json, "medians"), "achievedRate");
  assert_int_equal(json_array_size(json_object_get(json, "runs")), 7);
  json_array_foreach(json_object_get(json, "runs"), i, run) values[i] =
      json_number_value(json_object_get(json_object_get(run, "result"), "achievedRate"));
  assert_int_equal(median_estimate(values, 7, &expected), 0);
  assert_true(fabs(json_number_value(json_object_get(rate, "median")) - expected.value) < 1e-6);
  assert_true(fabs(json_number_value(json_array_get(json_object_get(rate, "interval"), 0)) - expected.low) < 1e-6);
  assert_true(fabs(json_number_value(json_array_get(json_object_get(rate, "interval"), 1)) - expected.high) < 1e-6);
  assert_null(json_object_get(json, "comparison"));
  json_decref(json);
  json = run_series(target_server_url(server), PERF_OPTIONS("--repeat", "2", "-d", "200ms"), 0);
  rate = json_object_get(json_object_get(json, "medians"), "achievedRate");
  assert_non_null(rate);
  assert_null(json_object_get(rate, "interval"));
  json_decref(json);
  target_server_stop(server);
}

static bool second_run_begins(void *server) {
  return target_server_requests(server) > 0;
}

/* The pairs that were complete are told, and no others. */
static void an_interrupted_series_tells_what_there_is(void **state) {
  struct target_server *a = target_server_start(CONDUCT_SLOW), *b = target_server_start(CONDUCT_SLOW);
  struct command_result result;
  (void)state;
  struct running running =
      start(target_server_url(a), PERF_OPTIONS("--against", target_server_url(b), "-d", "300ms", "--repeat", "100"));
  wait_until(second_run_begins, b, RUN_S, "the second run");
  assert_int_equal(kill(running.pid, SIGINT), 0);
  command_wait(&running, RUN_S, &result);
  json_t *json = read_series(&result, 3);
  assert_true(json_is_true(json_object_get(json, "cut")));
  assert_string_equal(text(json, "problem"), "");
  assert_true(perf_number(json, "complete") < 100);
  assert_true((json_int_t)json_array_size(json_object_get(json, "runs")) >= 2 * perf_number(json, "complete"));
  assert_true((perf_number(json, "complete") > 0) == (json_object_get(json, "comparison") != NULL));
  json_decref(json);
  target_server_stop(a);
  target_server_stop(b);
}

static void a_target_that_answers_nothing_ends_it(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS), *cuts = target_server_start(CONDUCT_CUTS);
  (void)state;
  json_t *json =
      run_series(target_server_url(server), PERF_OPTIONS("--against", target_server_url(cuts), "-d", "200ms"), 3);
  assert_non_null(strstr(text(json, "problem"), target_server_url(cuts)));
  assert_non_null(strstr(text(json, "problem"), "closed"));
  assert_int_equal(perf_number(json, "complete"), 0);
  assert_int_equal(json_array_size(json_object_get(json, "runs")), 2);
  json_decref(json);
  target_server_stop(server);
  target_server_stop(cuts);
}

static void what_does_not_fit_is_refused(void **state) {
  static const char *const wrong[][4] = {{"--repeat", "0"},
                                         {"--repeat", "101"},
                                         {"--by", "p50"},
                                         {"--tolerance", "5"},
                                         {"--set", "a=b"},
                                         {"--lab", "process"},
                                         {"--program", "envoy=/bin/true"},
                                         {"--repeat", "3", "--output", "hdr"},
                                         {"--against", "ftp://x.test/"},
                                         {"--against", "http://x.test/", "--by", "p42"}};
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    const char *argv[16] = {"trammel", "perf", "run", "--url", "http://127.0.0.1:9/", "--rate", "max"};
    struct command_result result;
    for (size_t j = 0; j < 4; j++)
      argv[7 + j] = wrong[i][j];
    command_run(argv, NULL, RUN_S, &result);
    assert_int_equal(result.exit_code, 2);
    assert_int_equal(result.out.length, 0);
    command_result_finish(&result);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_slower_second_target_is_told_in_pairs),
      cmocka_unit_test(too_few_pairs_tell_nothing),
      cmocka_unit_test(runs_of_one_target_have_medians),
      cmocka_unit_test(an_interrupted_series_tells_what_there_is),
      cmocka_unit_test(a_target_that_answers_nothing_ends_it),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests_name("perf_series", tests, NULL, NULL);
}
