#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/standing.h"
#include "run_fixture.h"

static enum standing standing_of(struct run_fixture *fixture, size_t count) {
  fixture->run.case_count = count;
  return run_standing(&fixture->run);
}

static void the_worst_stands(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  assert_int_equal(standing_of(&fixture, FIXTURE_CASES), STANDING_BROKEN);
  run_fixture_replace(&fixture, FIXTURE_FAILED, FIXTURE_PASSED);
  assert_int_equal(standing_of(&fixture, FIXTURE_CASES), STANDING_UNJUDGED);
  run_fixture_replace(&fixture, FIXTURE_ERROR, FIXTURE_PASSED);
  assert_int_equal(standing_of(&fixture, FIXTURE_CASES), STANDING_PART);
  assert_int_equal(standing_of(&fixture, FIXTURE_SKIPPED), STANDING_HOLDS);
  fixture.run.interrupted = true;
  assert_int_equal(standing_of(&fixture, FIXTURE_SKIPPED), STANDING_UNJUDGED);
  fixture.run.interrupted = false;
  assert_int_equal(standing_of(&fixture, 0), STANDING_UNJUDGED);
  run_fixture_finish(&fixture);
}

/* A selection that passes is not the suite. */
static void a_part_of_the_suite_holds_in_part(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct suite *suite = NULL;
  assert_int_equal(suite_load("smi", NULL, diagnostics, &suite, NULL), 0);
  fixture.run.source = suite;
  assert_int_equal(standing_of(&fixture, 1), STANDING_PART);
  unsigned proved;
  unsigned total;
  run_requirements(&fixture.run, &proved, &total);
  assert_int_equal(proved, 2);
  assert_true(total > 20);
  suite_destroy(suite);
  run_fixture_finish(&fixture);
}

static void informative_cases_are_not_required(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  assert_int_equal(run_required(&fixture.run), FIXTURE_CASES - 1);
  run_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_worst_stands),
      cmocka_unit_test(a_part_of_the_suite_holds_in_part),
      cmocka_unit_test(informative_cases_are_not_required),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
