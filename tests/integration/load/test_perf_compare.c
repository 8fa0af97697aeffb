/* trammel perf compare: verdicts and exit codes for results that are known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "host/load/histogram.h"
#include "sdk/base/schema.h"
#include "tests/support/command.h"

enum { RUNS_MAX = 8, RUN_S = 60 };

static json_t *schema;
static char directory[] = "/tmp/perf-compare-XXXXXX";
static char paths[2 * RUNS_MAX][64];

static int setup(void **state) {
  char path[4096];
  (void)state;
  (void)snprintf(path, sizeof(path), "%s/docs/schema/load-comparison.json", getenv("TRAMMEL_SOURCE_DIR"));
  schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  assert_int_equal(schema_check(schema, NULL), 0);
  assert_non_null(mkdtemp(directory));
  for (size_t i = 0; i < 2 * RUNS_MAX; i++)
    (void)snprintf(paths[i], sizeof(paths[i]), "%s/%zu.json", directory, i);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  for (size_t i = 0; i < 2 * RUNS_MAX; i++)
    (void)unlink(paths[i]);
  json_decref(schema);
  return rmdir(directory);
}

struct result {
  double factor;
  int requests;
  const char *kind;
  double rate;
  bool invalid;
  int failed, refused; /* besides the requests, and of them */
};

/* Times from 1 to 2 ms, evenly, times the factor. */
static void write_result(const char *path, const struct result *result) {
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (int i = 0; i < result->requests; i++)
    histogram_record(histogram, (int64_t)(result->factor * (1e6 + 1e6 * i / result->requests)));
  assert_int_equal(histogram_encode(histogram, &text), 0);
  json_t *json = json_pack(
      "{s:s, s:s, s:{s:s}, s:f, s:b, s:i, s:i, s:{s:i, s:i}, s:{s:{s:s}}}", "format", "trammel.load-result/v1", "url",
      "http://target.test/", "schedule", "kind", result->kind, "targetRate", result->rate, "valid", !result->invalid,
      "scheduled", result->requests + result->failed, "completed", result->requests, "statuses", "200",
      result->requests - result->refused, "503", result->refused, "latencyMs",
      strcmp(result->kind, "closed") == 0 ? "service" : "response", "histogram", strbuf_text(&text));
  assert_int_equal(json_dump_file(json, path, 0), 0);
  json_decref(json);
}

/* Pairs whose machine drifts, and of which B takes `shift` times as long, give or take 1%. */
static void write_pairs(size_t pairs, double shift, int requests) {
  for (size_t i = 0; i < pairs; i++) {
    double machine = 1 + 0.1 * (double)i;
    struct result result = {.factor = machine, .requests = requests, .kind = "constant", .rate = 100};
    write_result(paths[i], &result);
    result.factor = machine * shift * (1 + (i % 2 == 0 ? 0.01 : -0.01));
    write_result(paths[pairs + i], &result);
  }
}

static json_t *compare(size_t files, const char *option, const char *value, int exit_code) {
  const char *argv[32] = {"trammel", "perf", "compare", "-o", "json"};
  struct command_result result;
  size_t count = 5;
  if (option)
    argv[count++] = option;
  if (value)
    argv[count++] = value;
  for (size_t i = 0; i < files; i++)
    argv[count++] = paths[i];
  command_run(argv, NULL, RUN_S, &result);
  if (result.exit_code != exit_code)
    fail_msg("exit code %d: %s %s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  command_result_finish(&result);
  struct diagnostics *diagnostics = diagnostics_create();
  if (json && schema_validate(schema, json, "comparison", diagnostics) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail();
  }
  diagnostics_destroy(diagnostics);
  return json;
}

static void assert_verdict(json_t *json, const char *verdict) {
  assert_non_null(json);
  assert_string_equal(json_string_value(json_object_get(json, "verdict")), verdict);
  json_decref(json);
}

static void a_slower_one_is_found(void **state) {
  (void)state;
  write_pairs(6, 1.05, 1000);
  json_t *json = compare(12, NULL, NULL, 1);
  const json_t *p50 = json_object_get(json_object_get(json, "figures"), "p50");
  const json_t *interval = json_object_get(p50, "interval");
  assert_true(fabs(json_number_value(json_object_get(p50, "ratio")) - 1.05) < 0.002);
  assert_true(fabs(json_number_value(json_array_get(interval, 0)) - 1.05 * 0.99) < 0.002);
  assert_true(fabs(json_number_value(json_array_get(interval, 1)) - 1.05 * 1.01) < 0.002);
  assert_true(json_number_value(json_object_get(p50, "level")) == 0.96875);
  assert_true(json_number_value(json_object_get(json, "chanceThatBTakesLonger")) > 0.53);
  assert_int_equal(json_object_size(json_object_get(json_object_get(json, "figures"), "p99.9")), 0);
  assert_verdict(json, "slower");
  assert_verdict(compare(12, "--by", "p50", 1), "slower");
  assert_verdict(compare(12, "--tolerance", "10%", 0), "same");
}

static void the_same_and_a_faster_one_are_no_failure(void **state) {
  (void)state;
  write_pairs(6, 1, 1000);
  assert_verdict(compare(12, NULL, NULL, 0), "same");
  write_pairs(8, 0.95, 1000);
  assert_verdict(compare(16, NULL, NULL, 0), "faster");
}

static void what_cannot_be_told_is_not_told(void **state) {
  (void)state;
  write_pairs(5, 2, 1000);
  assert_verdict(compare(10, NULL, NULL, 3), "untold"); /* too few pairs */
  write_pairs(6, 2, 367);
  assert_verdict(compare(12, NULL, NULL, 3), "untold"); /* too few requests for p99 */
  assert_verdict(compare(12, "--by", "p90", 1), "slower");
  write_result(paths[3],
               &(struct result){.factor = 1, .requests = 1000, .kind = "constant", .rate = 100, .invalid = true});
  assert_verdict(compare(12, "--by", "p90", 3), "untold");
  write_result(paths[3], &(struct result){.factor = 1, .requests = 1000, .kind = "constant", .rate = 200});
  assert_verdict(compare(12, "--by", "p90", 3), "untold");
  /* What failed, or was refused at once, is in no latency. */
  write_result(paths[3],
               &(struct result){.factor = 1, .requests = 1000, .kind = "constant", .rate = 100, .failed = 20});
  assert_verdict(compare(12, "--by", "p90", 3), "untold");
  write_result(paths[3],
               &(struct result){.factor = 1, .requests = 1000, .kind = "constant", .rate = 100, .refused = 20});
  assert_verdict(compare(12, "--by", "p90", 3), "untold");
}

static void what_is_no_result_is_refused(void **state) {
  (void)state;
  write_pairs(6, 1, 1000);
  assert_null(compare(11, NULL, NULL, 2));
  assert_null(compare(12, "--by", "p42", 2));
  assert_null(compare(12, "--tolerance", "-1", 2));
  assert_null(compare(12, paths[2 * RUNS_MAX - 1], "/nowhere/at/all", 2));
  write_result(paths[7], &(struct result){.factor = 1, .requests = 1000, .kind = "closed"});
  assert_null(compare(12, NULL, NULL, 2)); /* open against closed */
  static const char broken[] =
      "{\"format\": \"trammel.load-result/v1\", \"url\": \"u\", \"valid\": true, \"schedule\": {\"kind\": "
      "\"constant\"}, \"latencyMs\": {\"response\": {\"histogram\": \"HISTFAAA\"}}}";
  static const char *const texts[] = {"", "{", "[]", "{\"format\": \"trammel.load-result/v2\"}", broken};
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
    FILE *file = fopen(paths[7], "w");
    assert_non_null(file);
    (void)fputs(texts[i], file);
    assert_int_equal(fclose(file), 0);
    assert_null(compare(12, NULL, NULL, 2));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_slower_one_is_found),
      cmocka_unit_test(the_same_and_a_faster_one_are_no_failure),
      cmocka_unit_test(what_cannot_be_told_is_not_told),
      cmocka_unit_test(what_is_no_result_is_refused),
  };
  return cmocka_run_group_tests_name("perf_compare", tests, setup, teardown);
}
