/* What a run's results add up to: exit code, broken requirements, capability. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/result.h"

static const char *const of_default[] = {"ACC-01"};
static const char *const of_source[] = {"ACC-03"};
static const struct test_case by_default = {.id = "access/http/a",
                                            .group = SMI_ACCESS,
                                            .level = CASE_REQUIRED,
                                            .requirements = of_default,
                                            .requirement_count = 1};
static const struct test_case by_source = {.id = "access/http/b",
                                           .group = SMI_ACCESS,
                                           .level = CASE_REQUIRED,
                                           .requirements = of_source,
                                           .requirement_count = 1};
static const struct check check_default = {.requirement = "ACC-01"};
static const struct check check_source = {.requirement = "ACC-03"};
static const struct check_result held = {.check = &check_default, .held = true};
static const struct check_result broken = {.check = &check_default};
static const struct check_result broken_both[] = {{.check = &check_source}, {.check = &check_default}};

#define PASSED                                                                                                         \
  { .test = &by_default, .outcome = OUTCOME_PASSED, .checks = &held, .check_count = 1 }
#define FAILED                                                                                                         \
  { .test = &by_default, .outcome = OUTCOME_FAILED, .checks = &broken, .check_count = 1 }
#define SKIPPED_SOURCE                                                                                                 \
  { .test = &by_source, .outcome = OUTCOME_SKIPPED }
#define ERROR_SOURCE                                                                                                   \
  { .test = &by_source, .outcome = OUTCOME_ERROR }

static int exit_code(const struct case_result *cases, size_t count, bool interrupted) {
  struct run_result run = {.cases = cases, .case_count = count, .interrupted = interrupted};
  return run_exit_code(&run);
}

static void the_exit_code_tells_the_worst(void **state) {
  (void)state;
  const struct case_result passed[] = {PASSED};
  const struct case_result failed[] = {PASSED, FAILED, ERROR_SOURCE};
  const struct case_result errors[] = {PASSED, ERROR_SOURCE};
  const struct case_result skipped[] = {SKIPPED_SOURCE};
  const struct case_result informative[] = {{.test = &by_default, .outcome = OUTCOME_INFORMATIVE}};
  assert_int_equal(exit_code(passed, 1, false), 0);
  assert_int_equal(exit_code(passed, 1, true), 3);
  assert_int_equal(exit_code(failed, 3, true), 1);
  assert_int_equal(exit_code(errors, 2, false), 3);
  assert_int_equal(exit_code(skipped, 1, false), 3);
  assert_int_equal(exit_code(informative, 1, false), 0);
  assert_int_equal(exit_code(NULL, 0, false), 3);
}

static void broken_requirements_are_sorted_and_named_once(void **state) {
  (void)state;
  const struct case_result cases[] = {
      FAILED, {.test = &by_source, .outcome = OUTCOME_FAILED, .checks = broken_both, .check_count = 2}, ERROR_SOURCE};
  struct run_result run = {.cases = cases, .case_count = 3};
  const char **names = NULL;
  size_t count = 0;
  assert_int_equal(run_broken_requirements(&run, &names, &count), 0);
  assert_int_equal(count, 2);
  assert_string_equal(names[0], "ACC-01");
  assert_string_equal(names[1], "ACC-03");
  free((void *)names);
}

static enum capability capability(const struct case_result *cases, size_t count, unsigned *proved, unsigned *total) {
  struct run_result run = {.cases = cases, .case_count = count};
  return run_capability(&run, SMI_ACCESS, proved, total);
}

static void what_was_not_judged_is_not_proved(void **state) {
  (void)state;
  unsigned proved = 9;
  unsigned total = 9;
  const struct case_result full[] = {PASSED};
  const struct case_result half[] = {PASSED, SKIPPED_SOURCE};
  const struct case_result error[] = {PASSED, ERROR_SOURCE};
  const struct case_result none[] = {PASSED, FAILED};
  assert_int_equal(capability(full, 1, &proved, &total), CAPABILITY_FULL);
  assert_int_equal(capability(half, 2, &proved, &total), CAPABILITY_HALF);
  assert_int_equal(proved, 1);
  assert_int_equal(total, 2);
  assert_int_equal(capability(error, 2, &proved, &total), CAPABILITY_HALF);
  assert_int_equal(capability(none, 2, &proved, &total), CAPABILITY_NONE);
}

/* A run of one case is not full capability when its suite has more. */
static void a_part_of_the_suite_is_not_full(void **state) {
  (void)state;
  struct suite *suite = NULL;
  struct diagnostics *diagnostics = diagnostics_create();
  assert_int_equal(suite_load("smi", NULL, diagnostics, &suite, NULL), 0);
  const struct case_result cases[] = {PASSED};
  struct run_result run = {.cases = cases, .case_count = 1, .source = suite};
  unsigned proved = 0;
  unsigned total = 0;
  assert_int_equal(run_capability(&run, SMI_ACCESS, &proved, &total), CAPABILITY_HALF);
  assert_int_equal(proved, 1);
  assert_true(total > 8);
  assert_int_equal(run_capability(&run, SMI_SPLIT, &proved, &total), CAPABILITY_UNTESTED);
  assert_int_equal(proved, 0);
  assert_true(total > 8);
  suite_destroy(suite);
  diagnostics_destroy(diagnostics);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_exit_code_tells_the_worst),
      cmocka_unit_test(broken_requirements_are_sorted_and_named_once),
      cmocka_unit_test(what_was_not_judged_is_not_proved),
      cmocka_unit_test(a_part_of_the_suite_is_not_full),
  };
  return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
