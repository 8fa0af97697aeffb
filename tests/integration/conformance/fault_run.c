#include "tests/integration/conformance/fault_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/command.h"
#include "tests/support/leftovers.h"

#define RUN_TIMEOUT_S 300
#define ATTEMPTS 3
#define ARGUMENTS_MAX 16 /* besides cases */

/* The command line of a run, in `argv`, which has room for it. */
static void put_arguments(const char **argv, const char *suite, const char *setting, const char *converge,
                          const json_t *cases) {
  const char *const start[] = {"trammel",   "conformance", "run",        "--suite", suite, "--mesh",
                               "reference", "-q",          "--converge", converge,  "-o",  "json"};
  size_t count = 0;
  size_t i;
  const json_t *item;
  for (; count < sizeof(start) / sizeof(*start); count++)
    argv[count] = start[count];
  if (setting[0]) {
    argv[count++] = "--set";
    argv[count++] = setting;
  }
  json_array_foreach(cases, i, item) {
    argv[count++] = "--case";
    argv[count++] = json_string_value(item);
  }
  argv[count] = NULL;
}

/* A machine that is far too busy gets more time with each attempt. */
static json_t *run_once(const char *suite, const char *fault, const json_t *cases, int attempt) {
  char converge[16];
  char setting[128] = "";
  const char **argv = calloc(2 * json_array_size(cases) + ARGUMENTS_MAX, sizeof(*argv));
  assert_non_null(argv);
  (void)snprintf(converge, sizeof(converge), "%ds", 1 << attempt);
  if (fault)
    (void)snprintf(setting, sizeof(setting), "fault=%s", fault);
  put_arguments(argv, suite, setting, converge, cases);
  char *directory = scratch_create();
  setenv("TRAMMEL_STATE_DIR", directory, 1);
  struct command_result result;
  command_run(argv, NULL, RUN_TIMEOUT_S, &result);
  json_t *report = json_loadb(strbuf_text(&result.out), result.out.length, 0, NULL);
  if (!report)
    fail_msg("%s with %s: no report: %s", suite, fault ? fault : "no fault", strbuf_text(&result.errors));
  command_result_finish(&result);
  assert_no_leftovers(directory);
  scratch_remove(directory);
  free(argv);
  return report;
}

/* What could not be judged, told; how many these are. */
static json_int_t print_errors(const json_t *report) {
  size_t i;
  const json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    if (strcmp(json_string_value(json_object_get(item, "outcome")), "error") == 0)
      print_message("%s: %s\n", json_string_value(json_object_get(item, "id")),
                    json_string_value(json_object_get(item, "reason")));
  }
  return json_integer_value(json_object_get(json_object_get(report, "totals"), "error"));
}

json_t *fault_run(const char *suite, const char *fault, const json_t *cases) {
  json_t *report = NULL;
  for (int i = 0; i < ATTEMPTS; i++) {
    json_decref(report);
    report = run_once(suite, fault, cases, i);
    if (print_errors(report) == 0)
      break;
  }
  return report;
}

/* An informative case that does not hold has found another reading of SMI, which is what it is there for. */
static bool case_failed(const json_t *item) {
  return strcmp(json_string_value(json_object_get(item, "outcome")), "failed") == 0 ||
         json_is_false(json_object_get(item, "held"));
}

bool fault_run_caught(const json_t *report) {
  return json_integer_value(json_object_get(report, "exitCode")) == 1;
}

/* Cases come sorted by id in reports, once for each combination of versions. */
json_t *fault_run_cases(const json_t *report) {
  json_t *cases = json_array();
  size_t i;
  const json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    json_t *id = json_object_get(item, "id");
    size_t count = json_array_size(cases);
    if (case_failed(item) && (count == 0 || !json_equal(json_array_get(cases, count - 1), id)))
      json_array_append(cases, id);
  }
  return cases;
}

bool fault_cases_have(const json_t *cases, const json_t *id) {
  size_t i;
  const json_t *item;
  json_array_foreach(cases, i, item) {
    if (json_equal(item, id))
      return true;
  }
  return false;
}

json_t *fault_cases_part(const json_t *cases, const json_t *others, bool in) {
  json_t *part = json_array();
  size_t i;
  json_t *item;
  json_array_foreach(cases, i, item) {
    if (fault_cases_have(others, item) == in)
      json_array_append(part, item);
  }
  return part;
}

bool fault_run_certain(const json_t *report) {
  size_t i;
  const json_t *item;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    if (case_failed(item) && !json_object_get(item, "propagationNs"))
      return true;
  }
  return false;
}
