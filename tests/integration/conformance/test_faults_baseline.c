/* The suite baseline judges as the known earlier suite did: a mesh without faults passes, and which faults it catches
 * is what docs/conformance/faults.md says. Nothing is required of a fault's fate here: it is a measurement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/faults.h"
#include "tests/integration/conformance/fault_page.h"
#include "tests/integration/conformance/fault_run.h"
#include "tests/support/command.h"

#define FAULT(enumerator, name, requirement, what) name,
static const char *const faults[] = {REFERENCE_FAULTS(FAULT)};

static json_int_t total(const json_t *report, const char *name) {
  return json_integer_value(json_object_get(json_object_get(report, "totals"), name));
}

/* One of 10,000 runs would fail by chance (docs/baseline.md): a second one tells. */
static void a_mesh_without_faults_passes(void **state) {
  (void)state;
  json_t *report = fault_run("baseline", NULL, NULL);
  if (total(report, "failed") > 0) {
    json_decref(report);
    report = fault_run("baseline", NULL, NULL);
  }
  assert_string_equal(json_string_value(json_object_get(report, "suite")), "baseline");
  assert_int_equal(total(report, "passed"), 3);
  assert_int_equal(total(report, "planned"), 3);
  assert_int_equal(json_integer_value(json_object_get(report, "exitCode")), 0);
  json_decref(report);
}

/* Whoever repeats a failure must repeat it in the same suite. */
static void a_failure_is_reproduced_in_its_suite(void **state) {
  const char *argv[] = {"trammel",
                        "conformance",
                        "run",
                        "--suite",
                        "baseline",
                        "--mesh",
                        "reference",
                        "--set",
                        "fault=ignore-path",
                        "--case",
                        "specs/http/traffic-spec",
                        "-q",
                        "-o",
                        "markdown",
                        NULL};
  char *directory = scratch_create();
  struct command_result result;
  (void)state;
  setenv("TRAMMEL_STATE_DIR", directory, 1);
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 1);
  assert_non_null(strstr(strbuf_text(&result.out), "baseline"));
  assert_non_null(strstr(strbuf_text(&result.out),
                         "trammel conformance run --mesh reference --set fault=ignore-path --suite baseline --seed "));
  command_result_finish(&result);
  scratch_remove(directory);
}

static void check_fault(void **state) {
  json_t *report = fault_run("baseline", *state, NULL);
  print_message("%-28s %s\n", (const char *)*state, fault_run_caught(report) ? "caught" : "survived");
  assert_page_says_baseline(*state, report);
  json_decref(report);
}

int main(void) {
  enum { COUNT = sizeof(faults) / sizeof(*faults) };
  struct CMUnitTest tests[COUNT + 2];
  tests[0] = (struct CMUnitTest)cmocka_unit_test(a_mesh_without_faults_passes);
  tests[1] = (struct CMUnitTest)cmocka_unit_test(a_failure_is_reproduced_in_its_suite);
  for (size_t i = 0; i < COUNT; i++)
    tests[i + 2] = (struct CMUnitTest){
        .name = faults[i],
        .test_func = check_fault,
        .initial_state = (void *)(uintptr_t)faults[i],
    };
  return cmocka_run_group_tests_name("faults, suite baseline", tests, NULL, NULL);
}
