#include "tests/integration/certify/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/schema.h"
#include "tests/support/command.h"

#define LIMIT_S 400

char *fixture_directory;
char fixture_state[4096];

int fixture_setup(void **state) {
  char path[4096];
  (void)state;
  fixture_directory = scratch_create();
  (void)snprintf(path, sizeof path, "%s/data", fixture_directory);
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", path, 1), 0);
  (void)snprintf(fixture_state, sizeof fixture_state, "%s/state",
                 fixture_directory); /* what a check leaves behind would be there */
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", fixture_state, 1), 0);
  return 0;
}

int fixture_teardown(void **state) {
  (void)state;
  scratch_remove(fixture_directory);
  return 0;
}

const char *fixture_built(const char *name) {
  static char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", getenv("TRAMMEL_BUILD_DIR"), name);
  return path;
}

const char *fixture_flawed(const char *flaw) {
  char name[128];
  (void)snprintf(name, sizeof name, "tests/flawed-adapters/%s.so", flaw);
  return fixture_built(name);
}

json_t *fixture_check(const char *adapter, const char *only, int *ret_code) {
  const char *const all[] = {"trammel", "adapter", "check", "-o", "json", "--seed", "7", adapter, NULL};
  const char *const one[] = {"trammel", "adapter", "check", "-o", "json", "--seed", "7", adapter, "--only", only, NULL};
  struct command_result result;
  json_error_t error;
  command_run(only ? one : all, NULL, LIMIT_S, &result);
  json_t *report = json_loads(strbuf_text(&result.out), JSON_REJECT_DUPLICATES, &error);
  if (!report)
    fail_msg("%s: %s\n%s\n%s", adapter, error.text, strbuf_text(&result.out), strbuf_text(&result.errors));
  *ret_code = result.exit_code;
  command_result_finish(&result);
  return report;
}

const char *report_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

const json_t *report_find(const json_t *report, const char *id) {
  size_t i;
  const json_t *one;
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    if (strcmp(report_text(one, "id"), id) == 0)
      return one;
  }
  fail_msg("the report has no check %s", id);
  return NULL;
}

void report_require_schema(const json_t *report) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/docs/schema/adapter-check.json", getenv("TRAMMEL_SOURCE_DIR"));
  json_t *schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  struct diagnostics *diagnostics = diagnostics_create();
  if (schema_validate(schema, report, NULL, diagnostics) < 0) {
    diagnostics_print(diagnostics, stderr);
    fail_msg("the report does not fit its schema");
  }
  diagnostics_destroy(diagnostics);
  json_decref(schema);
}

bool fixture_is_anything_left(void) {
  return access(fixture_state, F_OK) == 0;
}

void fixture_require_nothing_left(void) {
  if (fixture_is_anything_left())
    fail_msg("%s was left behind", fixture_state);
}

void fixture_require_code(const char *const *argv, int code, const char *said) {
  struct command_result result;
  command_run(argv, NULL, LIMIT_S, &result);
  if (result.exit_code != code || !strstr(strbuf_text(&result.errors), said))
    fail_msg("%s: exit code %d, expected %d with '%s': %s", argv[3], result.exit_code, code, said,
             strbuf_text(&result.errors));
  command_result_finish(&result);
}

char *fixture_output(const char *const *argv, int code) {
  struct command_result result;
  command_run(argv, NULL, LIMIT_S, &result);
  if (result.exit_code != code)
    fail_msg("%s %s: exit code %d, expected %d: %s%s", argv[1], argv[2], result.exit_code, code,
             strbuf_text(&result.out), strbuf_text(&result.errors));
  char *text = strdup(strbuf_text(&result.out));
  command_result_finish(&result);
  assert_non_null(text);
  return text;
}

void fixture_require_said(const char *const *argv, int code, const char *said) {
  char *text = fixture_output(argv, code);
  if (!strstr(text, said))
    fail_msg("%s %s does not say '%s': %s", argv[1], argv[2], said, text);
  free(text);
}

void fixture_part(int argc, char **argv, unsigned *ret_part, unsigned *ret_parts) {
  *ret_part = argc == 3 ? (unsigned)atoi(argv[1]) : 1;
  *ret_parts = argc == 3 ? (unsigned)atoi(argv[2]) : 1;
  if (*ret_part < 1 || *ret_part > *ret_parts) {
    (void)fprintf(stderr, "usage: %s [PART PARTS]\n", argv[0]);
    exit(2);
  }
}
