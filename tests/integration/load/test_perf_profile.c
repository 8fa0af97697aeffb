/* trammel perf run PROFILE: every target gets its part, results add up, and objectives decide the exit code. No check
 * is of how fast something is. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "sdk/base/schema.h"
#include "tests/integration/load/target_server.h"
#include "tests/support/command.h"

#define RUN_S 60
#define TEN "aaaaaaaaaa"
#define NO_NAME TEN TEN TEN TEN TEN TEN TEN /* longer than a label may be: no resolver is asked */

static void assert_schema(const json_t *json, const char *name) {
  char path[4096];
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  (void)snprintf(path, sizeof(path), "%s/docs/schema/%s.json", getenv("TRAMMEL_SOURCE_DIR"), name);
  json_t *schema = json_load_file(path, 0, NULL);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  int r = schema_validate(schema, json, name, diagnostics);
  json_decref(schema);
  diagnostics_print(diagnostics, stdout);
  assert_int_equal(r, 0);
}

static json_int_t number(const json_t *json, const char *name) {
  return json_integer_value(json_object_get(json, name));
}

static void assert_result(const json_t *result) {
  assert_schema(result, "load-result");
  assert_int_equal(number(result, "scheduled"),
                   number(result, "completed") + number(result, "failed") + number(result, "censored"));
}

static json_t *read_outcome(const char *text) {
  json_t *json = json_loads(text, 0, NULL);
  size_t i;
  const json_t *part;
  if (!json)
    fail_msg("this is no result: %s", text);
  assert_schema(json, "perf-run");
  assert_result(json_object_get(json, "whole"));
  json_array_foreach(json_object_get(json, "targets"), i, part) {
    if (json_object_get(part, "result"))
      assert_result(json_object_get(part, "result"));
  }
  json_array_foreach(json_object_get(json, "runs"), i, part) {
    assert_result(part);
  }
  return json;
}

static const char *const run_json[] = {"trammel", "perf", "run", "-", "-o", "json", NULL};

static json_t *run_any(const char *profile, int *ret_exit_code) {
  struct command_result result;
  command_run(run_json, profile, RUN_S, &result);
  if (result.out.length == 0)
    fail_msg("exit code %d: %s", result.exit_code, strbuf_text(&result.errors));
  json_t *json = read_outcome(strbuf_text(&result.out));
  *ret_exit_code = result.exit_code;
  command_result_finish(&result);
  return json;
}

static json_t *run(const char *profile, int exit_code) {
  int found;
  json_t *json = run_any(profile, &found);
  assert_int_equal(found, exit_code);
  return json;
}

static const json_t *target_of(const json_t *json, size_t i) {
  return json_array_get(json_object_get(json, "targets"), i);
}

static const char *verdict_of(const json_t *json, size_t i) {
  return json_string_value(json_object_get(json_array_get(json_object_get(json, "objectives"), i), "verdict"));
}

static json_int_t latencies(const json_t *result, const char *histogram) {
  return number(json_object_get(json_object_get(result, "latencyMs"), histogram), "count");
}

static void each_target_gets_its_part_and_the_parts_add_up(void **state) {
  struct target_server *a = target_server_start(CONDUCT_ANSWERS), *b = target_server_start(CONDUCT_ANSWERS);
  char profile[1024];
  int found;
  (void)state;
  (void)snprintf(profile, sizeof(profile),
                 "name: two\ntargets:\n  - {name: a, url: '%s', weight: 3}\n  - {name: b, url: '%s'}\n"
                 "schedule: {kind: constant, rate: 400}\nduration: 500ms\nrepetitions: 2\nconnections: 8\n",
                 target_server_url(a), target_server_url(b));
  json_t *json = run_any(profile, &found);
  const json_t *whole = json_object_get(json, "whole"), *runs = json_object_get(json, "runs");
  const json_t *of_a = json_object_get(target_of(json, 0), "result"),
               *of_b = json_object_get(target_of(json, 1), "result");
  assert_int_equal(found, json_is_true(json_object_get(json, "valid")) ? 0 : 3);
  assert_int_equal(number(of_a, "scheduled"), 300);
  assert_int_equal(number(of_b, "scheduled"), 100);
  assert_int_equal(number(of_a, "connections"), 6);
  assert_int_equal(number(of_b, "connections"), 2);
  assert_int_equal(target_server_requests(a), number(of_a, "completed"));
  assert_int_equal(target_server_requests(b), number(of_b, "completed"));
  assert_int_equal(number(whole, "completed"), number(of_a, "completed") + number(of_b, "completed"));
  assert_int_equal(latencies(whole, "response"), latencies(of_a, "response") + latencies(of_b, "response"));
  assert_int_equal(json_array_size(runs), 2);
  assert_int_equal(number(whole, "completed"),
                   number(json_array_get(runs, 0), "completed") + number(json_array_get(runs, 1), "completed"));
  json_decref(json);
  target_server_stop(a);
  target_server_stop(b);
}

/* One behind the other, and by chance each time anew. */
static void repetitions_are_no_copies_and_lie_not_over_each_other(void **state) {
  enum { RUNS = 5 };
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  char profile[512];
  int found;
  size_t i, others = 0;
  const json_t *of_run;
  (void)state;
  (void)snprintf(profile, sizeof(profile),
                 "name: one\ntargets: [{url: '%s'}]\nschedule: {kind: poisson, rate: 1000, seed: 5}\n"
                 "duration: 1s\nrepetitions: %d\nconnections: 8\n",
                 target_server_url(server), RUNS);
  json_t *json = run_any(profile, &found);
  const json_t *runs = json_object_get(json, "runs"), *whole = json_object_get(json, "whole");
  assert_int_equal(json_array_size(runs), RUNS);
  json_array_foreach(runs, i, of_run) others +=
      number(of_run, "scheduled") != number(json_array_get(runs, 0), "scheduled");
  assert_true(others > 0);
  assert_in_range(json_array_size(json_object_get(json_object_get(whole, "blocks"), "histograms")), RUNS, RUNS + 10);
  json_decref(json);
  target_server_stop(server);
}

static void objectives_decide_the_exit_code(void **state) {
  static const struct {
    const char *objectives, *verdict;
    int exit_code;
  } cases[] = {
      {"[errors <= 0, p50 < 10s, rate > 0]", "met", 0},
      {"[errors <= 0, p50 < 1ns]", "missed", 1},
      {"[p99.999 < 10s]", "untold", 3}, /* wants 368,886 requests */
      {"[p99.999 < 10s, rate > 10000000]", "missed", 1},
  };
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char profile[512];
    (void)snprintf(profile, sizeof(profile),
                   "name: one\ntargets: [{url: '%s'}]\nschedule: {kind: closed}\nduration: 500ms\nconnections: 2\n"
                   "objectives: %s\n",
                   target_server_url(server), cases[i].objectives);
    json_t *json = run(profile, cases[i].exit_code);
    assert_string_equal(json_string_value(json_object_get(json, "verdict")), cases[i].verdict);
    json_decref(json);
  }
  target_server_stop(server);
}

static void an_answer_that_is_not_expected_is_an_error(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS); /* by 200 */
  char profile[512];
  (void)state;
  (void)snprintf(profile, sizeof(profile),
                 "name: one\ntargets: [{url: '%s', validation: {statuses: [404]}}]\nschedule: {kind: closed}\n"
                 "duration: 500ms\nobjectives: [errors < 1%%]\n",
                 target_server_url(server));
  json_t *json = run(profile, 1);
  assert_int_equal(number(target_of(json, 0), "unexpected"), number(json_object_get(json, "whole"), "completed"));
  json_decref(json);
  target_server_stop(server);
}

/* It must keep the others neither waiting nor from being measured, and the whole is not valid. */
static void a_target_without_an_address_is_told_apart(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  char profile[1024];
  (void)state;
  (void)snprintf(profile, sizeof(profile),
                 "name: two\ntargets: [{name: gone, url: 'http://%s/'}, {name: there, url: '%s'}]\n"
                 "schedule: {kind: closed}\nduration: 200ms\nobjectives: [errors <= 50%%, errors <= 0]\n",
                 NO_NAME, target_server_url(server));
  json_t *json = run(profile, 1);
  assert_false(json_is_true(json_object_get(json, "valid")));
  assert_string_equal(verdict_of(json, 0), "met");
  assert_string_equal(verdict_of(json, 1), "missed");
  assert_int_equal(number(json_object_get(json_object_get(target_of(json, 0), "result"), "errors"), "dns"), 1);
  assert_int_equal(number(json_object_get(target_of(json, 1), "result"), "completed"), target_server_requests(server));
  json_decref(json);
  target_server_stop(server);
}

static bool has_requests(void *ctx) {
  return target_server_requests(ctx) > 0;
}

static void an_interrupt_ends_it_with_what_there_is(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  struct command_result result;
  char profile[512];
  (void)state;
  (void)snprintf(profile, sizeof(profile),
                 "name: one\ntargets: [{url: '%s'}, {name: again, url: '%s'}]\nschedule: {kind: constant, rate: 100}\n"
                 "duration: 50s\nrepetitions: 3\nobjectives: [errors < 1%%]\n",
                 target_server_url(server), target_server_url(server));
  struct running running = command_start(run_json, profile);
  wait_until(has_requests, server, RUN_S, "a request");
  assert_int_equal(kill(running.pid, SIGINT), 0);
  command_wait(&running, RUN_S, &result);
  json_t *json = read_outcome(strbuf_text(&result.out));
  assert_int_equal(result.exit_code, 3);
  assert_int_equal(number(json, "repetitions"), 1);
  assert_string_equal(verdict_of(json, 0), "untold");
  json_decref(json);
  command_result_finish(&result);
  target_server_stop(server);
}

static void what_is_wrong_is_told_before_anything_is_sent(void **state) {
  static const struct {
    const char *profile, *says;
  } wrong[] = {
      {"name: a\ntargets: [{url: 'http://a'}]\nschedule: {kind: closed}\nduration: 1x\n", "<stdin>:4:11: error"},
      {"name: a\ntargets:\n  - url: ftp://a\nschedule: {kind: closed}\n", "target '1' in line 3: "},
      {"name: a\ntargets:\n  - {url: 'http://a', headers: {'a b': c}}\nschedule: {kind: closed}\n", "no header"},
      {"name: a\ntargets:\n  - {url: 'http://a', bodyFile: /nowhere/at/all}\nschedule: {kind: closed}\n",
       "/nowhere/at/all: No such file"},
      {"name: a\ntargets:\n  - url: http://a\nschedule: {kind: closed}\ntls: {insecure: true}\n", "https"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    struct command_result result;
    command_run(run_json, wrong[i].profile, RUN_S, &result);
    if (result.exit_code != 2 || result.out.length > 0 || !strstr(strbuf_text(&result.errors), wrong[i].says))
      fail_msg("%zu: exit code %d, %s", i, result.exit_code, strbuf_text(&result.errors));
    command_result_finish(&result);
  }
}

static void a_profile_leaves_no_other_options(void **state) {
  static const char *const wrong[][3] = {{"--rate", "5", "--rate is in the profile"},
                                         {"--tolerance", "5", "--tolerance is of"},
                                         {"--by", "p50", "--by is of"},
                                         {"--set", "a=b", "--set is of"},
                                         {"--lab", "process", "--lab is of"},
                                         {"--program", "envoy=/bin/true", "--program is of"}};
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    const char *const argv[] = {"trammel", "perf", "run", "-", wrong[i][0], wrong[i][1], NULL};
    struct command_result result;
    command_run(argv, "", RUN_S, &result);
    if (result.exit_code != 2 || !strstr(strbuf_text(&result.errors), wrong[i][2]))
      fail_msg("%s: exit code %d: %s", wrong[i][0], result.exit_code, strbuf_text(&result.errors));
    command_result_finish(&result);
  }
}

/* Told before the load, and not after it. */
static void where_nothing_can_be_kept_nothing_is_sent(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  const char *const of_url[] = {"trammel", "perf",  "run",    "--url", target_server_url(server), "--rate", "max",
                                "-d",      "200ms", "--keep", NULL};
  const char *const of_profile[] = {"trammel", "perf", "run", "-", "--keep", NULL};
  char profile[512];
  (void)state;
  (void)snprintf(profile, sizeof(profile),
                 "name: one\ntargets: [{url: '%s'}]\nschedule: {kind: closed}\nduration: 200ms\n",
                 target_server_url(server));
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", "/dev/null/here", 1), 0);
  for (int i = 0; i < 2; i++) {
    struct command_result result;
    command_run(i == 0 ? of_url : of_profile, profile, RUN_S, &result);
    assert_int_equal(result.exit_code, 2);
    assert_int_equal(result.out.length, 0);
    command_result_finish(&result);
  }
  assert_int_equal(target_server_requests(server), 0);
  assert_int_equal(unsetenv("TRAMMEL_STATE_DIR"), 0);
  target_server_stop(server);
}

/* A test of Service Mesh Performance, and its result as that has it. */
static void a_performance_test_is_run_and_its_result_written(void **state) {
  struct target_server *a = target_server_start(CONDUCT_ANSWERS), *b = target_server_start(CONDUCT_ANSWERS);
  const char *const argv[] = {"trammel", "perf", "run", "-", "-o", "smp", NULL};
  const char *const export_argv[] = {"trammel", "perf", "export", "-", "-o", "json", NULL};
  struct command_result result;
  char test[1024];
  double p50 = 0;
  const char *id = "", *version = "", *label = "";
  (void)state;
  (void)snprintf(test, sizeof(test),
                 "test: {smp_version: v0.0.1, id: t1, name: two, labels: {a: b}, duration: '1s', clients: [{protocol: "
                 "1, connections: 2, rps: 40, endpoint_urls: ['%s', '%s']}, {protocol: HTTP, connections: 1, rps: 30, "
                 "endpoint_urls: ['%s']}]}\nmesh: {type: 3}\n",
                 target_server_url(a), target_server_url(b), target_server_url(b));
  command_run(argv, test, RUN_S, &result);
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  if (!json || json_unpack(json, "{s:s, s:s, s:{s:s}, s:{s:F}}", "test_id", &id, "smp_version", &version, "labels", "a",
                           &label, "latencies_ms", "p50", &p50) < 0)
    fail_msg("exit code %d: %s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  assert_string_equal(id, "t1");
  assert_true(p50 > 0 && json_number_value(json_object_get(json, "actual_qps")) > 0);
  assert_int_equal(target_server_requests(a), 20);
  assert_int_equal(target_server_requests(b), 50);
  json_decref(json);
  command_result_finish(&result);
  command_run(export_argv, test, RUN_S, &result);
  json = json_loads(strbuf_text(&result.out), 0, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_int_equal(json_array_size(json_object_get(json_object_get(json, "test"), "clients")), 2);
  assert_string_equal(json_string_value(json_object_get(json_object_get(json, "mesh"), "type")), "ISTIO");
  json_decref(json);
  command_result_finish(&result);
  target_server_stop(a);
  target_server_stop(b);
}

static struct command_result run_words(const char *const *argv, const char *input, int exit_code) {
  struct command_result result;
  command_run(argv, input, RUN_S, &result);
  if (result.exit_code != exit_code)
    fail_msg("exit code %d: %s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  return result;
}

#define WORDS(...) ((const char *const[]){"trammel", "perf", __VA_ARGS__, NULL})

/* Saved, run by its name, its result kept and compared by its id, and all of it deleted. */
static void profiles_and_results_are_kept_by_name(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  char *directory = scratch_create(), profile[512];
  (void)state;
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", directory, 1), 0);
  (void)snprintf(profile, sizeof(profile),
                 "name: one\ntargets: [{url: '%s'}]\nschedule: {kind: closed}\nduration: 200ms\n",
                 target_server_url(server));
  struct command_result result = run_words(WORDS("save", "-", "--name", "shop"), profile, 0);
  assert_string_equal(strbuf_text(&result.out), "shop@1\n");
  command_result_finish(&result);
  result = run_words(WORDS("show", "shop@1"), NULL, 0);
  assert_string_equal(strbuf_text(&result.out), profile);
  command_result_finish(&result);
  for (int i = 0; i < 2; i++) {
    result = run_words(WORDS("run", "shop", "--keep"), NULL, 0);
    command_result_finish(&result);
  }
  result = run_words(WORDS("list", "-o", "json"), NULL, 0);
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  const json_t *results = json_object_get(json, "results");
  assert_int_equal(json_array_size(results), 2);
  assert_int_equal(json_array_size(json_object_get(json, "profiles")), 1);
  const char *a = json_string_value(json_object_get(json_array_get(results, 0), "id"));
  const char *b = json_string_value(json_object_get(json_array_get(results, 1), "id"));
  command_result_finish(&result);
  result = run_words(WORDS("show", a), NULL, 0);
  json_decref(read_outcome(strbuf_text(&result.out)));
  command_result_finish(&result);
  result = run_words(WORDS("compare", a, b, "--by", "p50"), NULL, 3); /* one pair tells nothing */
  assert_non_null(strstr(strbuf_text(&result.out), "1 pair of runs"));
  command_result_finish(&result);
  result = run_words(WORDS("report", a, "-o", "csv"), NULL, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "per_second"));
  command_result_finish(&result);
  result = run_words(WORDS("delete", "shop", a, b), NULL, 0);
  command_result_finish(&result);
  result = run_words(WORDS("run", "shop"), NULL, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "nothing is kept as shop"));
  command_result_finish(&result);
  json_decref(json);
  assert_int_equal(unsetenv("TRAMMEL_STATE_DIR"), 0);
  scratch_remove(directory);
  target_server_stop(server);
}

static void a_directory_of_its_name_hides_no_profile(void **state) {
  char *directory = scratch_create();
  int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  (void)state;
  assert_true(here >= 0 && chdir(directory) == 0 && mkdir("shop", 0700) == 0);
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", directory, 1), 0);
  struct command_result result = run_words(WORDS("save", "-", "--name", "shop"),
                                           "name: a\ntargets: [{url: 'http://a'}]\nschedule: {kind: closed}\n", 0);
  command_result_finish(&result);
  result = run_words(WORDS("export", "shop", "-o", "json"), NULL, 0);
  command_result_finish(&result);
  assert_int_equal(unsetenv("TRAMMEL_STATE_DIR"), 0);
  assert_int_equal(fchdir(here), 0);
  assert_int_equal(close(here), 0);
  scratch_remove(directory);
}

static void what_cannot_be_run_is_not_saved(void **state) {
  char *directory = scratch_create();
  (void)state;
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", directory, 1), 0);
  struct command_result result = run_words(WORDS("save", "-"), "name: a\n", 2);
  command_result_finish(&result);
  result = run_words(WORDS("save", "-"),
                     "name: a\ntargets: [{url: 'http://a', bodyFile: here}]\nschedule: {kind: closed}\n", 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "relative paths"));
  command_result_finish(&result);
  result = run_words(WORDS("list"), NULL, 0);
  assert_null(strstr(strbuf_text(&result.out), "profile"));
  command_result_finish(&result);
  assert_int_equal(unsetenv("TRAMMEL_STATE_DIR"), 0);
  scratch_remove(directory);
}

/* Whether a busy machine lets the generator tell is not what is asked: the exit code follows from the verdict. */
static void a_search_ends_as_its_verdict_says(void **state) {
  static const struct { const char *objective, *verdict; } cases[] = {{"p50 < 10s", "found"}, {"p50 < 1ns", "none"}};
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct command_result result;
    char profile[512];
    (void)snprintf(profile, sizeof(profile),
                   "name: one\ntargets: [{url: '%s'}]\nschedule: {kind: constant, rate: 50}\nduration: 300ms\n"
                   "connections: 40\n"
                   "objectives: ['%s']\n",
                   target_server_url(server), cases[i].objective);
    command_run(WORDS("search", "-", "--least", "25", "--most", "100", "-o", "json"), profile, RUN_S, &result);
    json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
    if (!json)
      fail_msg("exit code %d: %s", result.exit_code, strbuf_text(&result.errors));
    assert_schema(json, "perf-search");
    const char *verdict = json_string_value(json_object_get(json, "verdict"));
    if (strcmp(verdict, "untold") == 0) {
      assert_int_equal(result.exit_code, 3);
    } else {
      assert_string_equal(verdict, cases[i].verdict);
      assert_int_equal(result.exit_code, i);
      assert_int_equal(json_array_size(json_object_get(json, "steps")), 2);
      assert_int_equal(json_real_value(json_object_get(json, i == 0 ? "met" : "missed")), i == 0 ? 100 : 25);
    }
    json_decref(json);
    command_result_finish(&result);
  }
  target_server_stop(server);
}

/* Half a rate would be as mute. */
static void a_search_of_what_answers_nothing_ends_at_once(void **state) {
  struct target_server *server = target_server_start(CONDUCT_CUTS);
  char profile[512];
  (void)state;
  (void)snprintf(profile, sizeof(profile),
                 "name: one\ntargets: [{url: '%s'}]\nschedule: {kind: constant, rate: 50}\nduration: 300ms\n"
                 "objectives: ['errors < 1%%']\n",
                 target_server_url(server));
  struct command_result result = run_words(WORDS("search", "-", "-o", "json"), profile, 3);
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  assert_schema(json, "perf-search");
  assert_string_equal(json_string_value(json_object_get(json, "verdict")), "untold");
  assert_int_equal(json_array_size(json_object_get(json, "steps")), 1);
  json_decref(json);
  command_result_finish(&result);
  target_server_stop(server);
}

/* Of 0.101 a second, 0.001 is the second target's part: no lower one has a rate. */
static void a_search_goes_no_lower_than_the_smallest_part(void **state) {
  static const char profile[] =
      "name: a\ntargets: [{url: 'http://127.0.0.1:1', weight: 100}, {name: b, url: 'http://127.0.0.1:1'}]\n"
      "schedule: {kind: constant, rate: 5}\nconnections: 101\nobjectives: [errors < 1%]\n";
  (void)state;
  struct command_result result = run_words(WORDS("search", "-", "--from", "0.1", "--least", "0.01"), profile, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "not from 0.101"));
  command_result_finish(&result);
}

static void a_search_wants_a_rate_and_objectives(void **state) {
  static const char *const profiles[] = {
      "name: a\ntargets: [{url: 'http://127.0.0.1:1'}]\nschedule: {kind: closed}\nobjectives: [errors < 1%]\n",
      "name: a\ntargets: [{url: 'http://127.0.0.1:1'}]\nschedule: {kind: constant, rate: 5}\n",
  };
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    struct command_result result = run_words(WORDS("search", "-"), profiles[i], 2);
    assert_non_null(strstr(strbuf_text(&result.errors), "a search is "));
    command_result_finish(&result);
  }
}

/* Files that a profile names are from its directory, whatever the current one is; text says what was missed. */
static void a_body_is_from_the_profiles_directory(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  char *directory = scratch_create(), path[4096];
  struct command_result result;
  (void)state;
  (void)snprintf(path, sizeof(path), "%s/body", directory);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs("hello", file) >= 0 && fclose(file) == 0);
  (void)snprintf(path, sizeof(path), "%s/shop.json", directory);
  file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file,
          "{\"name\": \"shop\", \"targets\": [{\"url\": \"%s\", \"bodyFile\": \"body\"}], \"duration\": 0.1, "
          "\"schedule\": {\"kind\": \"closed\"}, \"objectives\": [\"mean < 1ns\"]}",
          target_server_url(server));
  assert_int_equal(fclose(file), 0);
  const char *const argv[] = {"trammel", "perf", "run", path, NULL};
  command_run(argv, NULL, RUN_S, &result);
  if (result.exit_code != 1 || !strstr(strbuf_text(&result.out), "POST") || !strstr(strbuf_text(&result.out), "missed"))
    fail_msg("exit code %d: %s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
  scratch_remove(directory);
  target_server_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_target_gets_its_part_and_the_parts_add_up),
      cmocka_unit_test(repetitions_are_no_copies_and_lie_not_over_each_other),
      cmocka_unit_test(objectives_decide_the_exit_code),
      cmocka_unit_test(an_answer_that_is_not_expected_is_an_error),
      cmocka_unit_test(a_target_without_an_address_is_told_apart),
      cmocka_unit_test(an_interrupt_ends_it_with_what_there_is),
      cmocka_unit_test(what_is_wrong_is_told_before_anything_is_sent),
      cmocka_unit_test(a_profile_leaves_no_other_options),
      cmocka_unit_test(where_nothing_can_be_kept_nothing_is_sent),
      cmocka_unit_test(a_performance_test_is_run_and_its_result_written),
      cmocka_unit_test(profiles_and_results_are_kept_by_name),
      cmocka_unit_test(a_directory_of_its_name_hides_no_profile),
      cmocka_unit_test(what_cannot_be_run_is_not_saved),
      cmocka_unit_test(a_search_ends_as_its_verdict_says),
      cmocka_unit_test(a_search_of_what_answers_nothing_ends_at_once),
      cmocka_unit_test(a_search_goes_no_lower_than_the_smallest_part),
      cmocka_unit_test(a_search_wants_a_rate_and_objectives),
      cmocka_unit_test(a_body_is_from_the_profiles_directory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
