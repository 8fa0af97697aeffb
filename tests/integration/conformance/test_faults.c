/* The suite is tested, too: each fault of the embedded mesh must fail a run, and the requirement the fault names must
 * be among those broken. */
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
