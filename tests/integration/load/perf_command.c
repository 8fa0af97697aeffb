#include "tests/integration/load/perf_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sdk/base/schema.h"
#include "tests/support/command.h"

#define RUN_S 60

void perf_assert_schema(const json_t *json, const char *name) {
  char path[4096];
  struct diagnostics *diagnostics = diagnostics_create();
  (void)snprintf(path, sizeof(path), "%s/docs/schema/%s", getenv("TRAMMEL_SOURCE_DIR"), name);
  json_t *schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  if (schema_validate(schema, json, "result", diagnostics) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail();
  }
  diagnostics_destroy(diagnostics);
  json_decref(schema);
}

json_t *perf_command_run(const char *url, const char *const *options, int exit_code) {
  const char *argv[40] = {"trammel", "perf", "run", "--url", url, "-o", "json"};
  struct command_result result;
  size_t count = 7;
  while (*options)
    argv[count++] = *options++;
  command_run(argv, NULL, RUN_S, &result);
  json_t *json = json_loads(strbuf_text(&result.out), 0, NULL);
  if (exit_code == PERF_AS_VERDICT)
    exit_code = json_is_true(json_object_get(json, "valid")) ? 0 : 3;
  if (!json || result.exit_code != exit_code)
    fail_msg("exit code %d: %s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
  perf_assert_schema(json, "load-result.json");
  assert_int_equal(perf_number(json, "scheduled"),
                   perf_number(json, "completed") + perf_number(json, "failed") + perf_number(json, "censored"));
  return json;
}

json_int_t perf_number(const json_t *json, const char *name) {
  const json_t *value = json_object_get(json, name);
  return value ? json_integer_value(value) : 0;
}

json_int_t perf_errors(const json_t *json, const char *name) {
  return perf_number(json_object_get(json, "errors"), name);
}

json_int_t perf_latency_count(const json_t *json, const char *histogram) {
  return perf_number(json_object_get(json_object_get(json, "latencyMs"), histogram), "count");
}
