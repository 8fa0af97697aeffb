/* Load results as others read them: a table, Prometheus' text, fortio's JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "load_fixture.h"
#include "outside.h"
#include "sdk/base/memory.h"

/* ---- the table */

enum { COLUMNS = 24, CELL_MAX = 256 };

struct row {
  char cells[COLUMNS][CELL_MAX];
};

/* By RFC 4180, but for the ends of lines; what follows the row, NULL: there was none. */
static const char *read_row(const char *at, struct row *row) {
  size_t column = 0, length = 0;
  bool quoted = false;
  *row = (struct row){0};
  if (*at == '\0')
    return NULL;
  for (; *at; at++) {
    if (*at == '"' && quoted && at[1] == '"')
      at++;
    else if (*at == '"') {
      quoted = !quoted;
      continue;
    }
    if (!quoted && *at == '\n')
      break;
    if (!quoted && *at == ',') {
      assert_in_range(++column, 1, COLUMNS - 1);
      length = 0;
      continue;
    }
    assert_true(length < CELL_MAX - 1);
    row->cells[column][length++] = *at;
  }
  assert_int_equal(column, COLUMNS - 1);
  assert_int_equal(*at, '\n');
  return at + 1;
}

static const char *cell(const struct row *head, const struct row *row, const char *name) {
  for (size_t i = 0; i < COLUMNS; i++)
    if (strcmp(head->cells[i], name) == 0)
      return row->cells[i];
  fail_msg("no column %s", name);
  return NULL;
}

static void assert_near(const char *text, double wanted, double share) {
  double found = strtod(text, NULL);
  if (!(fabs(found - wanted) <= share * fabs(wanted)))
    fail_msg("%s is not about %g", text, wanted);
}

static void a_table_has_a_row_for_each_run_and_block(void **state) {
  struct load_fixture fixtures[2];
  struct row head, row;
  (void)state;
  load_fixture_init(&fixtures[0], SCHEDULE_CONSTANT, 1);
  load_fixture_init(&fixtures[1], SCHEDULE_CLOSED, 2);
  const struct load_report reports[] = {fixtures[0].report, fixtures[1].report};
  _cleanup_free_ char *text = load_rendered_all(load_report_csv, reports, 2);
  const char *at = read_row(text, &head);
  for (size_t run = 1; run <= 2; run++) {
    at = read_row(at, &row);
    assert_int_equal(atoi(cell(&head, &row, "run")), run);
    assert_string_equal(cell(&head, &row, "part"), "run");
    assert_int_equal(atoi(cell(&head, &row, "answered")), LOAD_FIXTURE_ANSWERED);
    assert_int_equal(atoi(cell(&head, &row, "failed")), LOAD_FIXTURE_FAILED);
    assert_near(cell(&head, &row, "per_second"), LOAD_FIXTURE_RATE, 0);
    assert_near(cell(&head, &row, "p50_ms"), 1.5 * (double)run, 0.002);
    assert_near(cell(&head, &row, "p99.9_ms"), 2 * (double)run, 0.002);
    assert_near(cell(&head, &row, "sd_ms"), (double)run / sqrt(12), 0.002);
    assert_string_equal(cell(&head, &row, "due_per_second"), run == 1 ? "1000.000" : "");
    assert_string_equal(cell(&head, &row, "of"), run == 1 ? "response" : "service");
    assert_string_equal(cell(&head, &row, "started"), "2024-05-01T12:00:00.000Z");
    for (size_t block = 0; block < LOAD_FIXTURE_SECONDS; block++) {
      at = read_row(at, &row);
      assert_string_equal(cell(&head, &row, "part"), "block");
      assert_near(cell(&head, &row, "begin_s"), (double)block, 0);
      assert_int_equal(atoi(cell(&head, &row, "answered")), LOAD_FIXTURE_RATE);
      assert_string_equal(cell(&head, &row, "p99.9_ms"), ""); /* 1,000 values tell nothing of it */
      assert_string_equal(cell(&head, &row, "failed"), "");
    }
  }
  assert_null(read_row(at, &row));
  load_fixture_finish(&fixtures[0]);
  load_fixture_finish(&fixtures[1]);
}

static void texts_stay_in_their_cells_and_are_no_formulas(void **state) {
  struct load_fixture fixture;
  struct row head, row;
  (void)state;
  load_fixture_init(&fixture, SCHEDULE_CONSTANT, 1);
  fixture.report.method = "=1+1";
  _cleanup_free_ char *text = load_rendered_all(load_report_csv, &fixture.report, 1);
  (void)read_row(read_row(text, &head), &row);
  assert_string_equal(cell(&head, &row, "method"), "'=1+1");
  assert_string_equal(cell(&head, &row, "url"), "http://shop.test/\"q\",\\x<b>&'\\n\\x1b[31m\\xff");
  load_fixture_finish(&fixture);
}

static void a_run_without_an_answer_has_empty_cells(void **state) {
  struct load_fixture fixture;
  struct row head, row;
  (void)state;
  load_fixture_init(&fixture, SCHEDULE_CONSTANT, 1);
  histogram_clear(fixture.result.tally.response);
  _cleanup_free_ char *text = load_rendered_all(load_report_csv, &fixture.report, 1);
  (void)read_row(read_row(text, &head), &row);
  assert_string_equal(cell(&head, &row, "answered"), "0");
  assert_string_equal(cell(&head, &row, "min_ms"), "");
  assert_string_equal(cell(&head, &row, "max_ms"), "");
  assert_string_equal(cell(&head, &row, "failed"), "7");
  load_fixture_finish(&fixture);
}

/* ---- Prometheus */

/* Of the sample whose line begins so. */
static double sample(const char *text, const char *begin) {
  const char *line = text;
  while (line && strncmp(line, begin, strlen(begin)) != 0) {
    line = strchr(line, '\n');
    line = line && line[1] ? line + 1 : NULL;
  }
  if (!line) {
    fail_msg("no line begins with %s in\n%s", begin, text);
    return 0;
  }
  const char *value = line + strcspn(line, "\n");
  while (value[-1] != ' ')
    value--;
  return strtod(value, NULL);
}

#define LABELS "{method=\"GET\",url=\"http://shop.test/\\\"q\\\",\\\\x<b>&'\\\\n\\\\x1b[31m\\\\xff\""

static void prometheus_gets_counters_and_histograms(void **state) {
  struct load_fixture fixture;
  (void)state;
  load_fixture_init(&fixture, SCHEDULE_CONSTANT, 1);
  _cleanup_free_ char *text = load_rendered(load_report_prometheus, &fixture.report);
  assert_true(sample(text, "trammel_load_valid" LABELS "}") == 1);
  assert_true(sample(text, "trammel_load_answered_requests_total" LABELS "}") == LOAD_FIXTURE_ANSWERED);
  assert_true(sample(text, "trammel_load_failed_requests_total" LABELS ",error=\"reset\"}") == LOAD_FIXTURE_FAILED);
  assert_true(sample(text, "trammel_load_failed_requests_total" LABELS ",error=\"dns\"}") == 0);
  assert_true(sample(text, "trammel_load_statuses_total" LABELS ",status=\"503\"}") == 5);
  assert_true(sample(text, "trammel_load_response_seconds_bucket" LABELS ",le=\"0.0005\"}") == 0);
  assert_true(sample(text, "trammel_load_response_seconds_bucket" LABELS ",le=\"0.0025\"}") == LOAD_FIXTURE_ANSWERED);
  assert_true(sample(text, "trammel_load_response_seconds_count" LABELS "}") == LOAD_FIXTURE_ANSWERED);
  assert_true(fabs(sample(text, "trammel_load_response_seconds_sum" LABELS "}") / LOAD_FIXTURE_ANSWERED - 1.5e-3) <
              1e-5);
  assert_true(
      fabs(sample(text, "trammel_load_latency_percentile_seconds" LABELS ",of=\"response\",percentile=\"99\"}") -
           1.99e-3) < 1e-5);
  load_fixture_finish(&fixture);
}

static void promtool_finds_no_fault(void **state) {
  static const enum schedule_kind kinds[] = {SCHEDULE_CONSTANT, SCHEDULE_CLOSED};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
    struct load_fixture fixture;
    load_fixture_init(&fixture, kinds[i], 1);
    _cleanup_free_ char *text = load_rendered(load_report_prometheus, &fixture.report);
    load_fixture_finish(&fixture);
    int code = outside_check((const char *const[]){"promtool", "check", "metrics", NULL}, text);
    if (code == OUTSIDE_ABSENT)
      skip();
    assert_int_equal(code, 0);
  }
}

/* ---- fortio */

static double real(const json_t *json, const char *name) {
  const json_t *value = json_object_get(json, name);
  if (!json_is_number(value))
    fail_msg("%s is no number", name);
  return json_number_value(value);
}

/* As its own readers walk it: upwards, without holes in the count, to the maximum. */
static void assert_histogram(const json_t *histogram, double count) {
  double seen = 0, before = real(histogram, "Min");
  size_t i;
  const json_t *bucket;
  assert_true(real(histogram, "Count") == count);
  json_array_foreach(json_object_get(histogram, "Data"), i, bucket) {
    assert_true(real(bucket, "Start") >= before && real(bucket, "End") >= real(bucket, "Start"));
    assert_true(real(bucket, "Count") > 0);
    seen += real(bucket, "Count");
    assert_true(fabs(real(bucket, "Percent") - 100 * seen / count) < 1e-9);
    before = real(bucket, "End");
  }
  assert_true(seen == count);
  assert_true(before == real(histogram, "Max"));
}

static void fortio_gets_what_it_keeps_itself(void **state) {
  struct load_fixture fixture;
  (void)state;
  load_fixture_init(&fixture, SCHEDULE_CONSTANT, 1);
  fixture.result.doubts = LOAD_DOUBT_LAG;
  _cleanup_free_ char *text = load_rendered(load_report_fortio, &fixture.report);
  json_t *json = json_loads(text, 0, NULL);
  assert_non_null(json);
  assert_string_equal(json_string_value(json_object_get(json, "RunType")), "HTTP");
  assert_string_equal(json_string_value(json_object_get(json, "Labels")),
                      "trammel response, failed 7, censored 2 of 12009, INVALID: lag");
  assert_string_equal(json_string_value(json_object_get(json, "StartTime")), "2024-05-01T12:00:00.000Z");
  assert_string_equal(json_string_value(json_object_get(json, "RequestedQPS")), "1000");
  assert_true(real(json, "ActualDuration") == 12e9);
  assert_true(real(json, "NumThreads") == 10);
  assert_true(real(json_object_get(json, "RetCodes"), "503") == 5);
  assert_true(real(json_object_get(json, "RetCodes"), "-1") == LOAD_FIXTURE_FAILED);
  const json_t *durations = json_object_get(json, "DurationHistogram");
  assert_histogram(durations, LOAD_FIXTURE_ANSWERED);
  assert_true(fabs(real(durations, "Avg") - 1.5e-3) < 1e-5);
  assert_true(fabs(real(durations, "StdDev") - 1e-3 / sqrt(12)) < 1e-6);
  const json_t *p99 = json_array_get(json_object_get(durations, "Percentiles"), 3);
  assert_true(real(p99, "Percentile") == 99 && fabs(real(p99, "Value") - 1.99e-3) < 1e-5);
  assert_histogram(json_object_get(json, "ErrorsDurationHistogram"), LOAD_FIXTURE_FAILED + 5);
  json_decref(json);
  load_fixture_finish(&fixture);
}

static void fortio_gets_a_run_without_an_answer(void **state) {
  struct load_fixture fixture;
  (void)state;
  load_fixture_init(&fixture, SCHEDULE_CLOSED, 1);
  histogram_clear(fixture.result.tally.service);
  _cleanup_free_ char *text = load_rendered(load_report_fortio, &fixture.report);
  json_t *json = json_loads(text, 0, NULL);
  assert_non_null(json);
  assert_string_equal(json_string_value(json_object_get(json, "RequestedQPS")), "max");
  assert_histogram(json_object_get(json, "DurationHistogram"), 0);
  json_decref(json);
  load_fixture_finish(&fixture);
}

/* ---- all */

static int to_a_full_device(int (*write)(const struct load_report *report, FILE *out),
                            const struct load_report *report) {
  FILE *full = fopen("/dev/full", "we");
  assert_non_null(full);
  int r = write(report, full);
  (void)fclose(full);
  return r;
}

static int one_csv(const struct load_report *report, FILE *out) {
  return load_report_csv(report, 1, out);
}

static void a_device_that_is_full_is_told(void **state) {
  static int (*const writers[])(const struct load_report *report, FILE *out) = {
      load_report_text, load_report_hdr, load_report_prometheus, load_report_fortio, one_csv};
  struct load_fixture fixture;
  (void)state;
  load_fixture_init(&fixture, SCHEDULE_CONSTANT, 1);
  for (size_t i = 0; i < ARRAY_COUNT(writers); i++)
    assert_true(to_a_full_device(writers[i], &fixture.report) < 0);
  load_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_table_has_a_row_for_each_run_and_block),
      cmocka_unit_test(texts_stay_in_their_cells_and_are_no_formulas),
      cmocka_unit_test(a_run_without_an_answer_has_empty_cells),
      cmocka_unit_test(prometheus_gets_counters_and_histograms),
      cmocka_unit_test(promtool_finds_no_fault),
      cmocka_unit_test(fortio_gets_what_it_keeps_itself),
      cmocka_unit_test(fortio_gets_a_run_without_an_answer),
      cmocka_unit_test(a_device_that_is_full_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
