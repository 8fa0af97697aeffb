#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hostile_fixture.h"
#include "sdk/base/document.h"

/* The report read back. */
struct reading {
  struct arena *arena;
  const struct node *root;
};

static struct reading read_report(const struct run_result *run) {
  struct reading reading = {.arena = arena_create(0)};
  _cleanup_free_ char *text = rendered(report_gateway_api, run);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct document_list documents;
  assert_non_null(diagnostics);
  assert_int_equal(document_read(reading.arena, NULL, text, strlen(text), DOCUMENT_YAML, &document_limits_default,
                                 diagnostics, &documents),
                   0);
  assert_int_equal(documents.count, 1);
  reading.root = documents.roots[0];
  return reading;
}

static void assert_string(const struct reading *reading, const char *pointer, const char *expected) {
  const struct node *node = node_at(reading->root, pointer);
  if (!node) {
    fail_msg("no %s", pointer);
    return;
  }
  assert_int_equal(node->kind, NODE_STRING);
  assert_string_equal(node->text, expected);
}

static void assert_integer(const struct reading *reading, const char *pointer, int64_t expected) {
  const struct node *node = node_at(reading->root, pointer);
  if (!node) {
    fail_msg("no %s", pointer);
    return;
  }
  assert_int_equal(node->kind, NODE_INTEGER);
  assert_int_equal(node->integer, expected);
}

static void has_the_fields_of_a_conformance_report(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  struct reading reading = read_report(&fixture.run);
  assert_string(&reading, "/apiVersion", "gateway.networking.k8s.io/v1");
  assert_string(&reading, "/kind", "ConformanceReport");
  assert_string(&reading, "/date", "2024-05-01T12:00:00.250Z");
  assert_string(&reading, "/gatewayAPIChannel", "smi");
  assert_string(&reading, "/gatewayAPIVersion", "v0.6.0");
  assert_string(&reading, "/mode", "process");
  assert_string(&reading, "/implementation/organization", "some");
  assert_string(&reading, "/implementation/project", "Some Mesh");
  assert_string(&reading, "/implementation/version", "4.5.6");
  assert_string(&reading, "/implementation/url", "");
  assert_int_equal(node_at(reading.root, "/implementation/contact")->kind, NODE_LIST);
  assert_int_equal(reading.root->count, 8);
  arena_destroy(reading.arena);
  run_fixture_finish(&fixture);
}

static void has_a_profile_for_each_group_that_ran(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  struct reading reading = read_report(&fixture.run);
  assert_int_equal(node_at(reading.root, "/profiles")->count, 3);
  assert_string(&reading, "/profiles/0/name", "SMI-ACCESS");
  assert_string(&reading, "/profiles/0/core/result", "failure");
  assert_integer(&reading, "/profiles/0/core/statistics/Passed", 1);
  assert_integer(&reading, "/profiles/0/core/statistics/Failed", 1);
  assert_integer(&reading, "/profiles/0/core/statistics/Skipped", 0);
  assert_string(&reading, "/profiles/0/core/failedTests/0", "access/http/union [access/v1alpha3 specs/v1alpha4]");
  assert_null(node_at(reading.root, "/profiles/0/core/skippedTests"));
  assert_null(node_at(reading.root, "/profiles/0/extended"));
  assert_string(&reading, "/profiles/0/summary", "Core tests failed with 1 test failures. 1 of 2 requirements proved.");
  assert_string(&reading, "/profiles/1/name", "SMI-SPECS");
  assert_string(&reading, "/profiles/2/name", "SMI-SPLIT");
  arena_destroy(reading.arena);
  run_fixture_finish(&fixture);
}

static void what_was_skipped_or_not_judged_is_partial(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  struct reading reading = read_report(&fixture.run);
  assert_string(&reading, "/profiles/1/core/result", "partial");
  assert_integer(&reading, "/profiles/1/core/statistics/Skipped", 1);
  assert_string(&reading, "/profiles/1/core/skippedTests/0", "specs/http/headers [access/v1alpha3 specs/v1alpha4]");
  assert_string(&reading, "/profiles/2/core/result", "partial");
  assert_string(&reading, "/profiles/2/core/skippedTests/0", "split/weights [split/v1alpha1]");
  arena_destroy(reading.arena);
  run_fixture_finish(&fixture);
}

static void another_reading_of_smi_is_a_feature_that_lacks(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  struct reading differs = read_report(&fixture.run);
  assert_string(&differs, "/profiles/2/extended/result", "success");
  assert_integer(&differs, "/profiles/2/extended/statistics/Passed", 0);
  assert_integer(&differs, "/profiles/2/extended/statistics/Failed", 0);
  assert_string(&differs, "/profiles/2/extended/unsupportedFeatures/0", "split/zero-sum [split/v1alpha4]");
  assert_null(node_at(differs.root, "/profiles/2/extended/supportedFeatures"));
  arena_destroy(differs.arena);
  fixture.cases[FIXTURE_INFORMATIVE].held = true;
  struct reading agrees = read_report(&fixture.run);
  assert_integer(&agrees, "/profiles/2/extended/statistics/Passed", 1);
  assert_string(&agrees, "/profiles/2/extended/supportedFeatures/0", "split/zero-sum [split/v1alpha4]");
  assert_null(node_at(agrees.root, "/profiles/2/extended/unsupportedFeatures"));
  arena_destroy(agrees.arena);
  run_fixture_finish(&fixture);
}

static void success_needs_a_run_to_its_end(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.case_count = 1;
  struct reading whole = read_report(&fixture.run);
  assert_string(&whole, "/profiles/0/core/result", "success");
  assert_string(&whole, "/profiles/0/summary", "Core tests succeeded. 2 of 2 requirements proved.");
  arena_destroy(whole.arena);
  fixture.run.interrupted = true;
  struct reading early = read_report(&fixture.run);
  assert_string(&early, "/profiles/0/core/result", "partial");
  assert_string(&early, "/profiles/0/summary",
                "Core tests partially succeeded. 2 of 2 requirements proved. The run ended early: 1 of 5 cases ran.");
  arena_destroy(early.arena);
  run_fixture_finish(&fixture);
}

/* One passed case of a suite that has more cannot certify a group. */
static void success_needs_every_requirement_of_the_suite(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct suite *suite = NULL;
  assert_int_equal(suite_load("smi", NULL, diagnostics, &suite, NULL), 0);
  fixture.run.source = suite;
  fixture.run.case_count = 1;
  struct reading reading = read_report(&fixture.run);
  assert_string(&reading, "/profiles/0/core/result", "partial");
  arena_destroy(reading.arena);
  suite_destroy(suite);
  run_fixture_finish(&fixture);
}

static void hostile_texts_are_texts(void **state) {
  (void)state;
  struct hostile_fixture fixture;
  hostile_fixture_init(&fixture);
  struct reading reading = read_report(&fixture.base.run);
  const struct node *project = node_at(reading.root, "/implementation/project");
  assert_int_equal(project->kind, NODE_STRING);
  assert_int_equal(strncmp(project->text, HOSTILE_VALID, strlen(HOSTILE_VALID)), 0);
  assert_int_equal(reading.root->count, 8);
  assert_int_equal(node_at(reading.root, "/profiles/0/core/failedTests")->count, 1);
  arena_destroy(reading.arena);
  hostile_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(has_the_fields_of_a_conformance_report),
      cmocka_unit_test(has_a_profile_for_each_group_that_ran),
      cmocka_unit_test(what_was_skipped_or_not_judged_is_partial),
      cmocka_unit_test(another_reading_of_smi_is_a_feature_that_lacks),
      cmocka_unit_test(success_needs_a_run_to_its_end),
      cmocka_unit_test(success_needs_every_requirement_of_the_suite),
      cmocka_unit_test(hostile_texts_are_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
