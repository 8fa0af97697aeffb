/* trammel perf run -o FORMAT=FILE: one run, several files, of the same figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "sdk/base/document.h"
#include "sdk/base/memory.h"
#include "sdk/base/schema.h"
#include "tests/integration/load/target_server.h"
#include "tests/support/command.h"

enum { RUN_S = 60, REQUESTS = 200 };

static void assert_schema(const json_t *json) {
  char path[4096];
  struct diagnostics *diagnostics = diagnostics_create();
  (void)snprintf(path, sizeof(path), "%s/docs/schema/meshmark.json", getenv("TRAMMEL_SOURCE_DIR"));
  json_t *schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  if (schema_validate(schema, json, "mark", diagnostics) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail();
  }
  diagnostics_destroy(diagnostics);
  json_decref(schema);
}

static char *path_of(const char *directory, const char *name) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
  return path;
}

static char *output_of(const char *format, const char *directory) {
  char *output = NULL;
  assert_true(asprintf(&output, "%s=%s/%s", format, directory, format) > 0);
  return output;
}

static char *content(const char *directory, const char *name) {
  _cleanup_free_ char *path = path_of(directory, name);
  char *text = NULL;
  size_t length;
  if (file_read(path, FILE_READ_MAX, &text, &length, NULL) < 0)
    fail_msg("%s is not there", path);
  return text;
}

static void each_file_has_the_same_run(void **state) {
  const char *directory = *state;
  _cleanup_free_ char *json_file = output_of("json", directory), *csv_file = output_of("csv", directory);
  _cleanup_free_ char *fortio_file = output_of("fortio", directory), *hdr_file = output_of("hdr", directory);
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  struct command_result result;
  command_run((const char *[]){"trammel", "perf",   "run",    "--url",      target_server_url(server),
                               "--rate",  "100",    "-d",     "2s",         "-o",
                               json_file, "-o",     csv_file, "-o",         fortio_file,
                               "-o",      hdr_file, "-o",     "prometheus", NULL},
              NULL, RUN_S, &result);
  target_server_stop(server);
  assert_non_null(strstr(strbuf_text(&result.out), "\ntrammel_load_answered_requests_total{"));
  _cleanup_free_ char *text = content(directory, "json"), *fortio_text = content(directory, "fortio");
  json_t *json = json_loads(text, 0, NULL), *fortio = json_loads(fortio_text, 0, NULL);
  assert_int_equal(result.exit_code, json_is_true(json_object_get(json, "valid")) ? 0 : 3);
  assert_int_equal(json_integer_value(json_object_get(json, "completed")), REQUESTS);
  assert_string_equal(json_string_value(json_object_get(json, "started")),
                      json_string_value(json_object_get(fortio, "StartTime")));
  assert_int_equal(json_integer_value(json_object_get(json_object_get(fortio, "DurationHistogram"), "Count")),
                   REQUESTS);
  _cleanup_free_ char *csv = content(directory, "csv"), *hdr = content(directory, "hdr");
  assert_non_null(strstr(csv, "\n1,run,0.000,2.000,200,100.000,"));
  assert_non_null(strstr(hdr, "#[Histogram log format version 1.3]"));
  json_decref(json);
  json_decref(fortio);
  command_result_finish(&result);
}

static int report_of(const char *file, const char *format, struct command_result *result) {
  command_run((const char *[]){"trammel", "perf", "report", file, "-o", format, NULL}, NULL, RUN_S, result);
  return result->exit_code;
}

/* Cell for cell; of blocks, extremes are known as nearly as buckets have them. */
static void assert_same_table(char *a, char *b) {
  char *rest_a = NULL, *rest_b = NULL, *row_a = strtok_r(a, "\n", &rest_a), *row_b = strtok_r(b, "\n", &rest_b);
  for (; row_a && row_b; row_a = strtok_r(NULL, "\n", &rest_a), row_b = strtok_r(NULL, "\n", &rest_b)) {
    const char *cell_a, *cell_b;
    while ((cell_a = strsep(&row_a, ",")) && (cell_b = strsep(&row_b, ","))) {
      char *end_a, *end_b;
      double x = strtod(cell_a, &end_a), y = strtod(cell_b, &end_b);
      bool numbers = *cell_a && *cell_b && !*end_a && !*end_b;
      if (strcmp(cell_a, cell_b) != 0 && !(numbers && fabs(x - y) <= 0.002 * x))
        fail_msg("%s became %s", cell_a, cell_b);
    }
    assert_true(!row_a && !row_b);
  }
  assert_true(!row_a && !row_b);
}

/* After the run above: what it kept is what it would have written. */
static void a_kept_result_is_written_again(void **state) {
  const char *directory = *state;
  _cleanup_free_ char *file = path_of(directory, "json"), *csv = content(directory, "csv");
  _cleanup_free_ char *json = content(directory, "json");
  struct command_result result;
  assert_int_equal(report_of(file, "json", &result), 0);
  assert_string_equal(strbuf_text(&result.out), json);
  command_result_finish(&result);
  assert_int_equal(report_of(file, "csv", &result), 0);
  _cleanup_free_ char *again = strdup(strbuf_text(&result.out));
  assert_true(strncmp(again, csv, strcspn(strchr(csv, '\n') + 1, "\n")) == 0); /* head and run: as they were */
  assert_same_table(csv, again);
  command_result_finish(&result);
  command_run((const char *[]){"trammel", "perf", "report", file, file, "-o", "html", NULL}, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "2 runs of load"));
  command_result_finish(&result);
  command_run((const char *[]){"trammel", "perf", "report", file, file, "-o", "hdr", NULL}, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
  assert_int_equal(report_of("/dev/null", "text", &result), 2);
  command_result_finish(&result);
}

static void a_mark_is_an_interval_where_figures_are_missing(void **state) {
  static const struct {
    const char *at_least;
    int exit_code;
  } gates[] = {{"0", 0}, {"90", 3}, {"96", 1}};
  const char *directory = *state;
  _cleanup_free_ char *file = path_of(directory, "json");
  struct command_result result;
  json_t *kept = json_load_file(file, 0, NULL);
  assert_int_equal(json_object_set_new(kept, "doubts", json_array()), 0); /* a busy machine is not what is asked here */
  assert_int_equal(json_object_set_new(kept, "valid", json_true()), 0);
  assert_int_equal(json_dump_file(kept, file, 0), 0);
  json_decref(kept);
  for (size_t i = 0; i < ARRAY_COUNT(gates); i++) {
    command_run((const char *[]){"trammel", "perf", "meshmark", file, "--direct", file, "--mesh-memory", "64",
                                 "--at-least", gates[i].at_least, "-o", "json", NULL},
                NULL, RUN_S, &result);
    assert_int_equal(result.exit_code, gates[i].exit_code);
    json_t *mark = json_loads(strbuf_text(&result.out), 0, NULL);
    /* median 100, reliability 100, memory 50; of 200 requests no p99, no closed loop, no processor time */
    assert_true(fabs(json_number_value(json_object_get(mark, "low")) - 45) < 1e-6);
    assert_true(fabs(json_number_value(json_object_get(mark, "high")) - 95) < 1e-6);
    assert_null(json_object_get(mark, "mark"));
    assert_schema(mark);
    json_decref(mark);
    command_result_finish(&result);
  }
  command_run((const char *[]){"trammel", "perf", "meshmark", file, NULL}, NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
}

/* A place that is none is told before there is any load. */
static void a_place_that_is_none_is_told_first(void **state) {
  struct target_server *server = target_server_start(CONDUCT_ANSWERS);
  struct command_result result;
  (void)state;
  command_run((const char *[]){"trammel", "perf", "run", "--url", target_server_url(server), "--rate", "100", "-d",
                               "1s", "-o", "json=/nowhere/at/all", NULL},
              NULL, RUN_S, &result);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "/nowhere/at/all"));
  assert_int_equal(target_server_requests(server), 0);
  command_result_finish(&result);
  target_server_stop(server);
}

static int make_directory(void **state) {
  *state = scratch_create();
  return 0;
}

static int remove_directory(void **state) {
  scratch_remove(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_file_has_the_same_run),
      cmocka_unit_test(a_kept_result_is_written_again),
      cmocka_unit_test(a_mark_is_an_interval_where_figures_are_missing),
      cmocka_unit_test(a_place_that_is_none_is_told_first),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
