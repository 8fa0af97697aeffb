#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "outside.h"
#include "run_fixture.h"
#include "sdk/base/schema.h"

static json_t *report(const struct run_result *run) {
  _cleanup_free_ char *text = rendered(report_json, run);
  json_error_t error;
  json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (!value)
    fail_msg("%s at %d:%d", error.text, error.line, error.column);
  return value;
}

static char *schema_path(void) {
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  char *path = NULL;
  assert_non_null(source);
  assert_true(asprintf(&path, "%s/docs/schema/conformance-report.json", source) > 0);
  return path;
}

static void says_what_ran(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  json_t *value = report(&fixture.run);
  assert_string_equal(json_string_value(json_object_get(value, "seed")), "18446744073709551615");
  assert_string_equal(json_string_value(json_object_get(value, "started")), "2024-05-01T12:00:00.250Z");
  assert_int_equal(json_integer_value(json_object_get(value, "exitCode")), 1);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(value, "totals"), "failed")), 1);
  assert_int_equal(json_array_size(json_object_get(value, "cases")), FIXTURE_CASES);
  json_t *broken = json_object_get(value, "brokenRequirements");
  assert_int_equal(json_array_size(broken), 1);
  assert_string_equal(json_string_value(json_array_get(broken, 0)), "ACC-03");
  json_decref(value);
  run_fixture_finish(&fixture);
}

static void a_case_says_how_it_reads_smi_and_what_was_asked(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  json_t *value = report(&fixture.run);
  const json_t *cases = json_object_get(value, "cases");
  const json_t *informative = json_array_get(cases, FIXTURE_INFORMATIVE);
  const json_t *readings = json_object_get(informative, "interpretations");
  assert_int_equal(json_array_size(readings), 2);
  assert_int_equal(json_integer_value(json_array_get(readings, 0)), 6);
  const json_t *failed = json_array_get(cases, FIXTURE_FAILED);
  assert_null(json_object_get(failed, "interpretations"));
  const json_t *check = json_array_get(json_object_get(failed, "checks"), 0);
  assert_int_equal(json_integer_value(json_object_get(check, "repeat")), 1);
  assert_string_equal(json_string_value(json_object_get(check, "version")), "h2c");
  json_decref(value);
  run_fixture_finish(&fixture);
}

static void says_who_makes_smi_work_and_what_it_reads_into_it(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  json_t *value = report(&fixture.run);
  const json_t *native = json_array_get(json_object_get(value, "smi"), 1);
  assert_string_equal(json_string_value(json_object_get(native, "group")), "access");
  assert_string_equal(json_string_value(json_object_get(native, "version")), "v1alpha3");
  assert_string_equal(json_string_value(json_object_get(native, "support")), "native");
  const json_t *readings = json_object_get(value, "interpretations");
  assert_int_equal(json_array_size(readings), 2);
  assert_int_equal(json_integer_value(json_object_get(json_array_get(readings, 0), "number")), 6);
  assert_string_equal(json_string_value(json_object_get(json_array_get(readings, 1), "title")), "Weights");
  assert_string_equal(json_string_value(json_object_get(value, "reproduce")), fixture.run.reproduce);
  json_decref(value);
  run_fixture_finish(&fixture);
}

static void a_failure_keeps_its_evidence_and_repairs_bad_text(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  json_t *value = report(&fixture.run);
  json_t *failed = json_array_get(json_object_get(value, "cases"), FIXTURE_FAILED);
  json_t *check = json_array_get(json_object_get(failed, "checks"), 0);
  assert_string_equal(json_string_value(json_object_get(check, "seen")),
                      "\x1b[31m<b>&amp;|`x`\xef\xbf\xbd\x01 \"status\" 200");
  assert_int_equal(json_integer_value(json_object_get(check, "step")), 2);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(check, "evidence"), "status")), 200);
  assert_null(json_object_get(failed, "propagationNs"));
  assert_non_null(json_object_get(failed, "objects"));
  json_t *passed = json_array_get(json_object_get(value, "cases"), FIXTURE_PASSED);
  assert_int_equal(json_integer_value(json_object_get(passed, "propagationNs")), 12000000);
  assert_null(json_object_get(passed, "objects"));
  json_decref(value);
  run_fixture_finish(&fixture);
}

static void the_matrix_names_group_version_and_state(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  json_t *value = report(&fixture.run);
  json_t *row = json_array_get(json_object_get(value, "requirements"), 1);
  assert_string_equal(json_string_value(json_object_get(row, "id")), "ACC-03");
  assert_string_equal(json_string_value(json_object_get(row, "group")), "access");
  json_t *version = json_array_get(json_object_get(row, "versions"), 1);
  assert_string_equal(json_string_value(json_object_get(version, "version")), "v1alpha3");
  assert_string_equal(json_string_value(json_object_get(version, "state")), "broken");
  json_decref(value);
  run_fixture_finish(&fixture);
}

/* A check of each kind of expectation that a report can hold beside those of the fixture. */
static const struct counted_server counted_servers[] = {{"server", 50, 50}, {"other", 1, COUNTED_ANY}};
static const struct counted counted = {
    .succeeded = 50, .failed = 0, .servers = counted_servers, .server_count = 2, .ordered = true, .more = 0, .less = 1};
static const struct check counted_check = {.kind = CHECK_COUNTED,
                                           .requirement = "ACC-03",
                                           .from = "main/client",
                                           .to = "main/server",
                                           .port = 80,
                                           .protocol = PROTOCOL_HTTP,
                                           .method = "GET",
                                           .path = "/echo",
                                           .repeat = 50,
                                           .counted = &counted};

static void counters_are_written_as_in_cases(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.checks[2].check = &counted_check;
  json_t *value = report(&fixture.run);
  const json_t *failed = json_array_get(json_object_get(value, "cases"), FIXTURE_FAILED);
  const json_t *check = json_array_get(json_object_get(failed, "checks"), 1);
  assert_string_equal(json_string_value(json_object_get(check, "kind")), "counted");
  assert_int_equal(json_integer_value(json_object_get(check, "repeat")), 50);
  json_t *wanted = json_pack("{s:i, s:i, s:{s:i, s:s}, s:[s, s]}", "succeeded", 50, "failed", 0, "received", "server",
                             50, "other", "some", "more", "server", "other");
  assert_true(json_equal(json_object_get(check, "counted"), wanted));
  json_decref(wanted);
  json_decref(value);
  run_fixture_finish(&fixture);
}

/* Trammel's own validator refuses keywords it does not know, so that the published schema keeps to what it checks. */
static void output_fits_the_published_schema(void **state) {
  (void)state;
  _cleanup_free_ char *path = schema_path();
  json_error_t error;
  json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
  if (!schema)
    fail_msg("%s: %s", path, error.text);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  _cleanup_error_ struct error *err = NULL;
  if (schema_check(schema, &err) < 0)
    fail_msg("%s", error_message(err));
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.checks[2].check = &counted_check;
  json_t *value = report(&fixture.run);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  assert_non_null(diagnostics);
  if (schema_validate(schema, value, NULL, diagnostics) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail_msg("the report does not fit its schema");
  }
  assert_int_equal(json_object_set_new(value, "surprise", json_true()), 0);
  assert_int_not_equal(schema_validate(schema, value, NULL, NULL), 0);
  json_decref(value);
  json_decref(schema);
  run_fixture_finish(&fixture);
}

static void output_fits_the_schema_by_another_validator(void **state) {
  (void)state;
  static const char script[] = "import json, sys\n"
                               "try:\n"
                               "  import jsonschema\n"
                               "except ImportError:\n"
                               "  sys.exit(77)\n"
                               "schema = json.load(open(sys.argv[1]))\n"
                               "jsonschema.Draft202012Validator.check_schema(schema)\n"
                               "validator = jsonschema.Draft202012Validator(schema)\n"
                               "errors = [e.message for e in validator.iter_errors(json.load(sys.stdin))]\n"
                               "sys.exit('; '.join(errors)[:500] if errors else 0)\n";
  _cleanup_free_ char *path = schema_path();
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.checks[2].check = &counted_check;
  _cleanup_free_ char *text = rendered(report_json, &fixture.run);
  run_fixture_finish(&fixture);
  int r = outside_check((const char *const[]){"python3", "-c", script, path, NULL}, text);
  if (r == OUTSIDE_ABSENT) {
    print_message("python3-jsonschema is not installed\n");
    skip();
  }
  assert_int_equal(r, 0);
  assert_int_not_equal(outside_check((const char *const[]){"python3", "-c", script, path, NULL}, "{}"), 0);
}

static void an_empty_run_is_a_report_too(void **state) {
  (void)state;
  struct run_result run = {.suite = "smi"};
  json_t *value = report(&run);
  assert_int_equal(json_array_size(json_object_get(value, "cases")), 0);
  assert_int_equal(json_integer_value(json_object_get(value, "exitCode")), 3);
  json_decref(value);
}

static void a_full_disk_is_an_error(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  assert_int_equal(report_json(&fixture.run, full), -EIO);
  (void)fclose(full);
  run_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_what_ran),
      cmocka_unit_test(a_case_says_how_it_reads_smi_and_what_was_asked),
      cmocka_unit_test(says_who_makes_smi_work_and_what_it_reads_into_it),
      cmocka_unit_test(a_failure_keeps_its_evidence_and_repairs_bad_text),
      cmocka_unit_test(the_matrix_names_group_version_and_state),
      cmocka_unit_test(counters_are_written_as_in_cases),
      cmocka_unit_test(output_fits_the_published_schema),
      cmocka_unit_test(output_fits_the_schema_by_another_validator),
      cmocka_unit_test(an_empty_run_is_a_report_too),
      cmocka_unit_test(a_full_disk_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
