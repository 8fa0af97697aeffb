/* Metrics checks in the JSON report: what was asked, in the shape of the published schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/report.h"
#include "run_fixture.h"
#include "sdk/base/schema.h"

static const struct metrics_edge edge = {.peer_ns = "main", .peer = "client", .outgoing = true, .client = true};
static const struct metrics_expectation of_edge = {
    .kind = METRICS_POD, .ns = "main", .name = "server", .growth = {true, 15, 5}, .latency = true, .edge = &edge};
static const struct metrics_expectation of_list = {
    .kind = METRICS_DEPLOYMENT,
    .ns = "main",
    .items = (const struct metrics_list_item[]){{"server", {true, 1, 2}}, {"client", {0}}},
    .item_count = 2,
    .selector = (const struct metrics_label[]){{"app", "server"}},
    .selector_count = 1};
static const struct metrics_expectation of_split = {.kind = METRICS_SPLIT,
                                                    .ns = "main",
                                                    .name = "split",
                                                    .apex = "root",
                                                    .backends = (const struct metrics_split_backend[]){{"v1", 3}},
                                                    .backend_count = 1};

/* The report of a run whose first check is of these metrics. It must fit the schema. */
static json_t *reported(const struct metrics_expectation *metrics) {
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  struct check check = *fixture.checks[0].check;
  check.kind = CHECK_METRICS;
  check.metrics = metrics;
  check.repeat = 20;
  check.failing = 5;
  check.answer = 404;
  fixture.checks[0].check = &check;
  fixture.cases[FIXTURE_PASSED].column = (struct case_column){.metrics = {SMI_METRICS, 1}, .label = "metrics/v1alpha1"};
  char *text = rendered(report_json, &fixture.run);
  json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(report);
  free(text);
  run_fixture_finish(&fixture);
  return report;
}

static void assert_fits(const json_t *report) {
  char path[4096];
  (void)snprintf(path, sizeof(path), "%s/docs/schema/conformance-report.json", getenv("TRAMMEL_SOURCE_DIR"));
  json_t *schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  json_t *copy = json_deep_copy(report);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (schema_validate(schema, copy, NULL, diagnostics) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail_msg("the report does not fit its schema");
  }
  json_decref(copy);
  json_decref(schema);
}

static const json_t *first_check(const json_t *report) {
  return json_array_get(json_object_get(json_array_get(json_object_get(report, "cases"), FIXTURE_PASSED), "checks"), 0);
}

static void assert_metrics(const struct metrics_expectation *metrics, const char *expected) {
  json_t *report = reported(metrics);
  json_t *wanted = json_loads(expected, 0, NULL);
  assert_non_null(wanted);
  const json_t *check = first_check(report);
  assert_string_equal(json_string_value(json_object_get(check, "kind")), "metrics");
  assert_int_equal(json_integer_value(json_object_get(check, "repeat")), 20);
  assert_int_equal(json_integer_value(json_object_get(check, "failing")), 5);
  assert_int_equal(json_integer_value(json_object_get(check, "answer")), 404);
  if (!json_equal(json_object_get(check, "metrics"), wanted))
    fail_msg("%s", json_dumps(json_object_get(check, "metrics"), 0));
  assert_fits(report);
  json_decref(wanted);
  json_decref(report);
}

static void what_was_expected_is_reported(void **state) {
  (void)state;
  assert_metrics(&of_edge,
                 "{\"kind\":\"Pod\",\"namespace\":\"main\",\"name\":\"server\",\"latency\":true,\"success\":15,"
                 "\"failure\":5,\"edge\":{\"peerNamespace\":\"main\",\"peer\":\"client\",\"direction\":\"to\","
                 "\"side\":\"client\"}}");
  assert_metrics(&of_list,
                 "{\"kind\":\"Deployment\",\"namespace\":\"main\",\"latency\":false,\"items\":[{\"name\":\"server\","
                 "\"success\":1,\"failure\":2},{\"name\":\"client\"}],\"selector\":{\"app\":\"server\"}}");
  assert_metrics(&of_split, "{\"kind\":\"TrafficSplit\",\"namespace\":\"main\",\"name\":\"split\",\"latency\":false,"
                            "\"apex\":\"root\",\"backends\":[{\"name\":\"v1\",\"weight\":3}]}");
}

static void the_column_is_of_metrics(void **state) {
  (void)state;
  json_t *report = reported(&of_edge);
  const json_t *result = json_array_get(json_object_get(report, "cases"), FIXTURE_PASSED);
  json_t *wanted = json_pack("{s:s, s:s}", "label", "metrics/v1alpha1", "metrics", "v1alpha1");
  assert_true(json_equal(json_object_get(result, "column"), wanted));
  json_decref(wanted);
  json_decref(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_expected_is_reported),
      cmocka_unit_test(the_column_is_of_metrics),
  };
  return cmocka_run_group_tests_name("metrics_json", tests, NULL, NULL);
}
