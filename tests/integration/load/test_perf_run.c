/* trammel perf run against servers that answer, stall and misbehave: every request has an end that is told by its name,
 * and nothing hangs. No check is of how fast something is. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <jansson.h>

#include "host/load/histogram.h"
#include "sdk/base/schema.h"
#include "tests/integration/load/target_server.h"
#include "tests/support/command.h"

#define RUN_S 60
#define TEN "aaaaaaaaaa"
#define NO_NAME TEN TEN TEN TEN TEN TEN TEN /* longer than a label may be: no resolver is asked */

static json_t *schema;

static int setup(void **state) {
  char path[4096];
  (void)state;
  (void)snprintf(path, sizeof(path), "%s/docs/schema/load-result.json", getenv("TRAMMEL_SOURCE_DIR"));
  schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  _cleanup_error_ struct error *err = NULL;
  if (schema_check(schema, &err) < 0)
    fail_msg("%s", error_message(err));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  json_decref(schema);
  return 0;
}

static json_t *read_result(const char *text) {
  struct diagnostics *diagnostics = diagnostics_create();
  json_t *json = json_loads(text, 0, NULL);
  if (!json)
    fail_msg("this is no result: %s", text);
  if (schema_validate(schema, json, "result", diagnostics) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail();
  }
  diagnostics_destroy(diagnostics);
  return json;
}

static struct running start(const char *url, const char *const *options) {
  const char *argv[32] = {"trammel", "perf", "run", "--url", url, "-o", "json"};
  size_t count = 7;
  while (*options)
    argv[count++] = *options++;
  return command_start(argv, NULL);
}

/* What a run says when it has come to its end. */
static json_t *finish(struct running *running, unsigned timeout_s, int *ret_exit_code) {
  struct command_result result;
  command_wait(running, timeout_s, &result);
  json_t *json = read_result(strbuf_text(&result.out));
  *ret_exit_code = result.exit_code;
  command_result_finish(&result);
  return json;
}

static json_t *run_any(const char *url, const char *const *options, int *ret_exit_code) {
  struct running running = start(url, options);
  return finish(&running, RUN_S, ret_exit_code);
}

static json_t *run(const char *url, const char *const *options, int exit_code) {
  int found;
  json_t *json = run_any(url, options, &found);
  assert_int_equal(found, exit_code);
  return json;
}

/* Whether a machine is too busy for the generator to be in time is not what is asked here. */
static json_t *run_open(const char *url, const char *const *options) {
  int found;
  json_t *json = run_any(url, options, &found);
  assert_int_equal(found, json_is_true(json_object_get(json, "valid")) ? 0 : 3);
  return json;
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static json_int_t number(const json_t *json, const char *name) {
  const json_t *value = json_object_get(json, name);
  return value ? json_integer_value(value) : 0;
}

static json_int_t errors_of(const json_t *json, const char *name) {
  return number(json_object_get(json, "errors"), name);
}

static double latency(const json_t *json, const char *histogram, const char *figure) {
  const json_t *value = json_object_get(json_object_get(json_object_get(json, "latencyMs"), histogram), figure);
  assert_true(json_is_number(value));
  return json_number_value(value);
}

static bool has_doubt(const json_t *json, const char *name) {
  size_t i;
  const json_t *doubt;
  json_array_foreach(json_object_get(json, "doubts"), i, doubt) {
    if (strcmp(json_string_value(json_object_get(doubt, "name")), name) == 0)
      return true;
  }
  return false;
}

static void assert_sum(const json_t *json) {
  assert_int_equal(number(json, "scheduled"),
                   number(json, "completed") + number(json, "failed") + number(json, "censored"));
}

static void every_request_is_answered_and_counted(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  (void)state;
  json_t *json = run(target_server_url(server), OPTIONS("--rate", "max", "-c", "16", "-t", "2", "-d", "300ms"), 0);
  assert_sum(json);
  assert_true(number(json, "completed") > 0);
  assert_int_equal(number(json, "completed"), target_server_requests(server));
  assert_int_equal(number(json_object_get(json, "statuses"), "200"), number(json, "completed"));
  assert_int_equal(number(json, "connectionsMade"), 16);
  assert_int_equal(number(json, "bytesRead"), 44 * number(json, "completed"));
  json_decref(json);
  target_server_stop(server);
}

static void an_open_loop_sends_what_is_due(void **state) {
  static const char *const schedules[] = {"constant", "poisson"};
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    uint64_t before = target_server_requests(server);
    json_t *json = run_open(target_server_url(server), OPTIONS("--rate", "500", "--schedule", schedules[i], "-t", "2",
                                                               "-d", "600ms", "--warm-up", "200ms", "--seed", "5"));
    assert_sum(json);
    assert_int_equal(number(json, "completed"), number(json, "scheduled"));
    assert_int_equal(number(json, "completed") + number(json, "warmUp"), target_server_requests(server) - before);
    if (i == 0) {
      assert_int_equal(number(json, "completed"), 300);
      assert_int_equal(number(json, "warmUp"), 100);
    }
    json_decref(json);
  }
  target_server_stop(server);
}

/* A stall of 400 ms: with the rate and what follows from it, a fifth of the responses are longer than half of it, and
 * only as many services as there are connections. The bounds are those that no machine is too slow for. */
static void a_stall_shows_in_responses(void **state) {
  struct target_server *server = target_server_start_stalling(500, 400);
  (void)state;
  json_t *json = run_open(target_server_url(server), OPTIONS("--rate", "500", "-c", "5", "-d", "2s"));
  assert_sum(json);
  assert_int_equal(number(json, "completed"), 1000);
  assert_true(latency(json, "response", "max") > 390);
  assert_true(latency(json, "response", "p90") > 180);
  assert_true(latency(json, "service", "max") > 390);
  assert_true(latency(json, "response", "mean") > 35); /* 400 * 400 / (2 * 2000) = 40 */
  json_decref(json);
  target_server_stop(server);
}

static uint64_t count_in(const char *text, struct histogram *sum) {
  uint64_t before = histogram_count(sum);
  if (!text || histogram_decode(sum, text, strlen(text), NULL) < 0)
    fail_msg("this is no histogram: %s", text ? text : "(none)");
  return histogram_count(sum) - before;
}

/* Warm-up, what comes after the end, and several threads: each answer is in one block. */
static void the_blocks_are_the_run(void **state) {
  struct target_server *server = target_server_start_stalling(1000, 1500);
  _cleanup_(histogram_destroy_p) struct histogram *blocks = histogram_create(), *whole = histogram_create();
  size_t i;
  const json_t *block;
  (void)state;
  json_t *json = run_open(target_server_url(server),
                          OPTIONS("--rate", "200", "-c", "8", "-t", "2", "--warm-up", "200ms", "-d", "2s"));
  const json_t *list = json_object_get(json_object_get(json, "blocks"), "histograms");
  assert_int_equal(json_array_size(list), 2);
  json_array_foreach(list, i, block)(void) count_in(json_string_value(block), blocks);
  (void)count_in(
      json_string_value(json_object_get(json_object_get(json_object_get(json, "latencyMs"), "response"), "histogram")),
      whole);
  assert_int_equal(histogram_count(blocks), number(json, "completed"));
  for (int permille = 0; permille <= 1000; permille++)
    assert_int_equal(histogram_quantile(blocks, permille / 1000.0), histogram_quantile(whole, permille / 1000.0));
  json_decref(json);
  target_server_stop(server);
}

/* Lines of HdrHistogram's interval log, format 1.3: begin, length and maximum, and the histogram. */
static void an_interval_log_has_a_line_for_each_second(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  _cleanup_(histogram_destroy_p) struct histogram *sum = histogram_create();
  struct command_result result;
  unsigned lines = 0;
  (void)state;
  command_run((const char *[]){"trammel", "perf", "run", "--url", target_server_url(server), "--rate", "100", "-d",
                               "2s", "-o", "hdr", NULL},
              NULL, RUN_S, &result);
  assert_non_null(strstr(strbuf_text(&result.out), "#[Histogram log format version 1.3]\n"));
  char *rest = NULL, *text = strdup(strbuf_text(&result.out));
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    double begin, length, max;
    char histogram[4096];
    if (*line == '#' || *line == '"')
      continue;
    assert_int_equal(sscanf(line, "%lf,%lf,%lf,%4095s", &begin, &length, &max, histogram), 4);
    assert_true(begin == lines && length == 1 && max >= 0);
    assert_memory_equal(histogram, "HISTFAAA", 8);
    (void)count_in(histogram, sum);
    lines++;
  }
  assert_int_equal(lines, 2);
  assert_int_equal(histogram_count(sum), 200);
  free(text);
  command_result_finish(&result);
  target_server_stop(server);
}

static void a_target_that_never_answers_is_given_up(void **state) {
  struct target_server *server = target_server_start(CONDUCT_MUTE);
  (void)state;
  json_t *json =
      run(target_server_url(server), OPTIONS("--rate", "100", "-d", "500ms", "-c", "50", "--timeout", "300ms"), 3);
  assert_sum(json);
  assert_int_equal(errors_of(json, "timeout"), 50);
  assert_true(has_doubt(json, "empty"));
  json_decref(json);
  json = run(target_server_url(server), OPTIONS("--rate", "100", "-d", "500ms", "-c", "5", "--drain", "0"), 3);
  assert_sum(json);
  assert_int_equal(number(json, "censored"), 50); /* five sent, the others due */
  json_decref(json);
  target_server_stop(server);
}

static void each_way_to_misbehave_has_its_name(void **state) {
  static const struct {
    enum conduct conduct;
    const char *error;
  } ways[] = {{CONDUCT_CUTS, "closed"},
              {CONDUCT_RESETS, "reset"},
              {CONDUCT_GARBAGE, "malformed"},
              {CONDUCT_ENDLESS, "tooLong"}};
  (void)state;
  for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
    struct target_server *server = target_server_start(ways[i].conduct);
    json_t *json = run(target_server_url(server), OPTIONS("--rate", "100", "-d", "300ms"), 3);
    assert_sum(json);
    if (errors_of(json, ways[i].error) != 30)
      fail_msg("%s: %s", ways[i].error, json_dumps(json_object_get(json, "errors"), 0));
    json_decref(json);
    target_server_stop(server);
  }
}

static void a_target_that_is_not_there_is_told(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  char url[128];
  (void)state;
  (void)snprintf(url, sizeof(url), "%s", target_server_url(server));
  target_server_stop(server);
  json_t *json = run(url, OPTIONS("--rate", "100", "-d", "300ms"), 3);
  assert_int_equal(errors_of(json, "refused"), 30);
  json_decref(json);
  json = run(url, OPTIONS("--rate", "max", "-d", "500ms", "-c", "3"), 3); /* a refusal comes at once: no loop of them */
  assert_in_range(errors_of(json, "refused"), 3, 3 * 6);
  json_decref(json);
  json = run("http://" NO_NAME "/", OPTIONS("--rate", "100", "-d", "300ms"), 3);
  assert_int_equal(errors_of(json, "dns"), 1);
  assert_non_null(strstr(json_string_value(json_object_get(json, "problem")), NO_NAME " has no address"));
  json_decref(json);
}

static void fresh_connections_are_one_for_each_request(void **state) {
  struct target_server *server = target_server_start(CONDUCT_CLOSES_IDLE);
  (void)state;
  json_t *json = run_open(target_server_url(server), OPTIONS("--rate", "100", "-d", "500ms", "--fresh", "-c", "4"));
  assert_int_equal(number(json, "completed"), 50);
  assert_in_range(number(json, "connectionsMade"), 50, 54);
  json_decref(json);
  target_server_stop(server);
}

static void without_descriptors_the_run_goes_on(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  struct rlimit before, few;
  int exit_code;
  (void)state;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  few = before;
  few.rlim_cur = 40;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  struct running running = start(target_server_url(server), OPTIONS("--rate", "max", "-d", "300ms", "-c", "100"));
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0); /* the server has what it needs */
  json_t *json = finish(&running, RUN_S, &exit_code);
  assert_sum(json);
  assert_true(errors_of(json, "descriptors") > 0);
  assert_true(number(json, "completed") > 0);
  assert_int_equal(exit_code, 0);
  json_decref(json);
  target_server_stop(server);
}

static bool has_twenty(void *server) {
  return target_server_requests(server) >= 20;
}

/* One that is stopped itself, while its one connection waits for an answer or not: that is not the target's stall. */
static void a_generator_that_is_stopped_says_so(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  int exit_code;
  (void)state;
  struct running running = start(target_server_url(server), OPTIONS("--rate", "100", "-d", "2s", "-c", "1"));
  wait_until(has_twenty, server, 20, "twenty requests");
  assert_int_equal(kill(running.pid, SIGSTOP), 0);
  (void)usleep(500000);
  assert_int_equal(kill(running.pid, SIGCONT), 0);
  json_t *json = finish(&running, RUN_S, &exit_code);
  assert_int_equal(exit_code, 3);
  assert_sum(json);
  assert_true(has_doubt(json, "lag"));
  assert_true(latency(json, "lag", "max") > 400);
  json_decref(json);
  target_server_stop(server);
}

static void schedules_are_as_told(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  (void)state;
  json_t *json = run_open(target_server_url(server),
                          OPTIONS("--rate", "100", "--schedule", "ramp", "--rate-end", "300", "-d", "500ms"));
  assert_int_equal(number(json, "scheduled"), 100);
  json_decref(json);
  json = run_open(target_server_url(server), OPTIONS("--rate", "100", "--schedule", "steps", "--rate-step", "100",
                                                     "--period", "200ms", "-d", "400ms"));
  assert_int_equal(number(json, "scheduled"), 20 + 40);
  json_decref(json);
  json = run_open(target_server_url(server), OPTIONS("--rate", "100", "--schedule", "sine", "--rate-swing", "50",
                                                     "--period", "200ms", "-d", "400ms"));
  assert_in_range(number(json, "scheduled"), 40, 41);
  json_decref(json);
  target_server_stop(server);
}

static void an_interrupt_ends_it_with_what_there_is(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  int exit_code;
  (void)state;
  struct running running = start(target_server_url(server), OPTIONS("--rate", "200", "-d", "60s"));
  wait_until(has_twenty, server, 20, "twenty requests");
  assert_int_equal(kill(running.pid, SIGINT), 0);
  json_t *json = finish(&running, 20, &exit_code);
  assert_int_equal(exit_code, 3);
  assert_true(has_doubt(json, "cut"));
  assert_true(number(json, "completed") >= 10); /* as many as ten may be under way */
  assert_sum(json);
  json_decref(json);
  target_server_stop(server);
}

static void usage_is_checked(void **state) {
  static const char *const wrong[][8] = {
      {"--rate", "1"},
      {"--url", "http://h/"},
      {"--url", "http://h/", "--rate", "fast"},
      {"--url", "http://h/", "--rate", "0"},
      {"--url", "ftp://h/", "--rate", "1"},
      {"--url", "http://h/", "--rate", "max", "-c0"},
      {"--url", "http://h/", "--rate", "max", "-t5", "-c4"},
      {"--url", "http://h/", "--rate", "1", "-H", "nothing"},
      {"--url", "http://h/", "--rate", "1", "--body-file", "/nowhere/at/all"},
      {"--url", "http://h/", "--rate", "1", "--schedule", "ramp"},
      {"--url", "http://h/", "--rate", "1", "-d", "0"},
      {"--url", "http://h/", "--rate", "1", "--schedule", "weekly"},
      {"--url", "http://h/", "--rate", "max", "--schedule", "constant"},
      {"--url", "http://h/", "--schedule", "poisson", "--rate", "max"},
      {"--url", "http://h/", "--rate", "1", "--schedule", "steps", "--rate-step", "1"},
      {"--url", "http://h/\xff", "--rate", "1"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    const char *argv[16] = {"trammel", "perf", "run"};
    struct command_result result;
    for (size_t k = 0; k < 8; k++)
      argv[3 + k] = wrong[i][k];
    command_run(argv, NULL, RUN_S, &result);
    if (result.exit_code != 2 || result.errors.length == 0)
      fail_msg("%s %s …: exit code %d, %s", wrong[i][0], wrong[i][1], result.exit_code, strbuf_text(&result.errors));
    command_result_finish(&result);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_request_is_answered_and_counted),
      cmocka_unit_test(an_open_loop_sends_what_is_due),
      cmocka_unit_test(a_stall_shows_in_responses),
      cmocka_unit_test(the_blocks_are_the_run),
      cmocka_unit_test(an_interval_log_has_a_line_for_each_second),
      cmocka_unit_test(a_target_that_never_answers_is_given_up),
      cmocka_unit_test(each_way_to_misbehave_has_its_name),
      cmocka_unit_test(a_target_that_is_not_there_is_told),
      cmocka_unit_test(fresh_connections_are_one_for_each_request),
      cmocka_unit_test(without_descriptors_the_run_goes_on),
      cmocka_unit_test(a_generator_that_is_stopped_says_so),
      cmocka_unit_test(schedules_are_as_told),
      cmocka_unit_test(an_interrupt_ends_it_with_what_there_is),
      cmocka_unit_test(usage_is_checked),
  };
  return cmocka_run_group_tests_name("perf_run", tests, setup, teardown);
}
