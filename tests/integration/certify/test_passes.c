/* trammel adapter check: what is right passes every check. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/certify/fixture.h"

#define CHECKS 16

/* What passes; `skipped` is the one check that may be skipped, or NULL. */
static void require_all_passed(const char *adapter, const char *skipped) {
  int code;
  json_t *report = fixture_check(adapter, NULL, &code);
  size_t i;
  const json_t *one;
  report_require_schema(report);
  assert_int_equal(json_array_size(json_object_get(report, "checks")), CHECKS);
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    const char *id = report_text(one, "id"), *verdict = report_text(one, "verdict");
    if (strcmp(verdict, skipped && strcmp(id, skipped) == 0 ? "skipped" : "passed") != 0)
      fail_msg("%s: check %s: %s: %s", adapter, id, verdict, report_text(one, "reason"));
  }
  assert_int_equal(code, 0);
  assert_int_equal(json_integer_value(json_object_get(report, "exitCode")), 0);
  assert_string_equal(report_text(report, "seed"), "7");
  json_decref(report);
  fixture_require_nothing_left();
}

static void an_adapter_without_a_flaw_passes_every_check(void **state) {
  (void)state;
  require_all_passed(fixture_flawed("sound"), NULL);
}

static void the_reference_adapter_passes(void **state) {
  (void)state;
  require_all_passed(fixture_built("lib/trammel/adapters/reference.so"), "backpressure");
}

static void coverage_is_counted_by_requirement(void **state) {
  int code;
  (void)state;
  json_t *report = fixture_check(fixture_built("lib/trammel/adapters/reference.so"), "translation", &code);
  const json_t *facts = json_object_get(report_find(report, "translation"), "facts");
  assert_true(json_integer_value(json_object_get(facts, "requirementsExact")) >= 30);
  assert_true(json_integer_value(json_object_get(facts, "partsUnsupported")) >= 1); /* of the draft */
  assert_non_null(
      strstr(report_text(report_find(report, "translation"), "reason"), "approximated in a case of ACC-13"));
  json_decref(report);
}

int main(int argc, char **argv) {
  const struct CMUnitTest sound[] = {cmocka_unit_test(an_adapter_without_a_flaw_passes_every_check)};
  const struct CMUnitTest reference[] = {
      cmocka_unit_test(the_reference_adapter_passes),
      cmocka_unit_test(coverage_is_counted_by_requirement),
  };
  unsigned part, parts;
  int failed = 0;
  fixture_part(argc, argv, &part, &parts);
  if (part == 1)
    failed += cmocka_run_group_tests(sound, fixture_setup, fixture_teardown);
  if (part == parts)
    failed += cmocka_run_group_tests(reference, fixture_setup, fixture_teardown);
  return failed;
}
