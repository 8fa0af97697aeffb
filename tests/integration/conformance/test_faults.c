/* The suite is tested, too: each fault of the embedded mesh must fail a run, in the requirement the fault names, and
 * break nothing but that and what follows from it. A suite that broke everything at every fault would name no cause. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/faults.h"
#include "tests/support/command.h"
#include "tests/support/leftovers.h"

struct fault {
  const char *name;
  const char *requirement;
};

#define FAULT(enumerator, name, requirement, what) {name, requirement},
static const struct fault faults[] = {REFERENCE_FAULTS(FAULT)};

/* What else a fault breaks, and has to. */
struct collateral {
  const char *fault;
  const char *requirements;
};

static const struct collateral collaterals[] = {
    /* Without enforcement no denial holds, whatever it is about. */
    {"allow-by-default", "ACC-02 ACC-03 ACC-04 ACC-05 ACC-06 ACC-07 ACC-08 ACC-10 ACC-11 ACC-14 SPC-01 SPC-02 SPC-03 "
                         "SPC-04 SPC-05 SPC-06 SPC-07 SPC-08 SPC-09"},
    /* Of two targets each opens to the other's source (ACC-02), also after one is deleted (ACC-14); a namespace no
     * longer tells callers apart (ACC-11). */
    {"ignore-source", "ACC-02 ACC-11 ACC-14"},
    /* Matches that differ in their method only: by name (SPC-01), as alternatives (SPC-05). */
    {"ignore-method", "SPC-01 SPC-05"},
    /* Most matches differ in their path, those of a split's condition (SPL-11) as well. */
    {"ignore-path", "ACC-02 ACC-05 ACC-06 SPC-01 SPC-02 SPC-03 SPC-05 SPC-07 SPC-09 SPL-11"},
    /* Matches of headers alone (SPC-06), with the rest (SPC-07), and as a split's condition (SPL-11). */
    {"ignore-headers", "SPC-06 SPC-07 SPL-11"},
    {"exact-only-path", ""},
    {"first-target-only", ""},
    /* The port of older versions is a port of a rule in the mesh. */
    {"ports-ignored", "ACC-07"},
    {"client-side-only", ""},
    {"allow-kept-after-delete", ""},
    /* However weights are written. */
    {"split-equal", "SPL-02 SPL-03"},
    {"split-leak-zero", ""},
    {"unmatched-dropped", ""},
};

static const char *collateral_of(const char *fault) {
  for (size_t i = 0; i < sizeof(collaterals) / sizeof(*collaterals); i++)
    if (strcmp(collaterals[i].fault, fault) == 0)
      return collaterals[i].requirements;
  fail_msg("say in the table what else the fault %s breaks", fault);
  return "";
}

/* Identifiers are of one length, so that none is a part of another. What is listed and holds is an error as well: the
 * suite has lost a case, or the table is out of date. */
static void assert_nothing_else(const struct fault *fault, json_t *broken) {
  const char *allowed = collateral_of(fault->name);
  size_t i;
  json_t *item;
  json_array_foreach(broken, i, item) {
    const char *id = json_string_value(item);
    if (strcmp(id, fault->requirement) != 0 && !strstr(allowed, id))
      fail_msg("%s broke %s, which does not follow from it", fault->name, id);
  }
  size_t listed = (strlen(allowed) + 1) / (strlen(fault->requirement) + 1);
  if (json_array_size(broken) != listed + 1)
    fail_msg("%s broke %zu requirements besides %s; the table has %zu: %s", fault->name, json_array_size(broken) - 1,
             fault->requirement, listed, allowed);
}

static bool names(json_t *list, const char *text) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    if (strcmp(json_string_value(item), text) == 0)
      return true;
  }
  return false;
}

static void check_fault(void **state) {
  const struct fault *fault = *state;
  char setting[128];
  (void)snprintf(setting, sizeof(setting), "fault=%s", fault->name);
  const char *argv[] = {"trammel", "conformance", "run",   "--mesh", "reference", "--set", setting,
                        "-q",      "--converge",  "500ms", "-o",     "json",      NULL};
  char *directory = scratch_create();
  setenv("TRAMMEL_STATE_DIR", directory, 1);
  struct command_result result;
  command_run(argv, NULL, 120, &result);
  json_t *report = json_loadb(strbuf_text(&result.out), result.out.length, 0, NULL);
  if (!report)
    fail_msg("%s: no report: %s", fault->name, strbuf_text(&result.errors));
  json_t *broken = json_object_get(report, "brokenRequirements");
  char *list = json_dumps(broken, JSON_COMPACT | JSON_ENCODE_ANY);
  print_message("%-24s exit %d, broken: %s\n", fault->name, result.exit_code, list);
  if (result.exit_code != 1 || !names(broken, fault->requirement))
    fail_msg("%s survived: exit %d, %s not among the broken %s", fault->name, result.exit_code, fault->requirement,
             list);
  assert_nothing_else(fault, broken);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "totals"), "error")), 0);
  free(list);
  json_decref(report);
  command_result_finish(&result);
  assert_no_leftovers(directory);
  scratch_remove(directory);
}

int main(void) {
  enum { COUNT = sizeof(faults) / sizeof(*faults) };
  struct CMUnitTest tests[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    tests[i] = (struct CMUnitTest){
        .name = faults[i].name,
        .test_func = check_fault,
        .initial_state = (void *)(uintptr_t)&faults[i],
    };
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
