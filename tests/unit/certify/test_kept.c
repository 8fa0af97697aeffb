#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/certify/kept.h"
#include "tests/support/command.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static char *scratch;

static int setup(void **state) {
  (void)state;
  scratch = scratch_create();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(scratch);
  return 0;
}

static json_t *make_report(const char *digest, int warnings, int crashed) {
  return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:{s:i, s:i}}, s:{s:i, s:i}, "
                   "s:{s:b, s:{s:b, s:s}}, s:{s:i, s:i, s:i, s:i, s:i}, s:i, s:[]}",
                   "format", "trammel.adapter-check/v1", "trammel", "1.2.3", "date", "2026-01-02T03:04:05Z", "seed",
                   "1", "file", "name", "x.trm", "kind", "package", "sha256", digest, "adapter", "id", "x", "version",
                   "1.0.0", "mesh", "x", "sha256", digest, "abi", "major", 1, "minor", 0, "hostAbi", "major", 1,
                   "minor", 0, "conditions", "confined", 1, "configuration", "given", 0, "sha256", digest, "totals",
                   "skipped", 1, "passed", 12, "warning", warnings, "failed", 1, "crashed", crashed, "exitCode", 1,
                   "checks");
}

static void require_summary(const json_t *report, const char *expected) {
  struct strbuf text = STRBUF_INIT;
  kept_summary(report, &text);
  assert_string_equal(strbuf_text(&text), expected);
  strbuf_finish(&text);
}

static void a_report_is_found_by_its_digest(void **state) {
  (void)state;
  json_t *report = make_report(DIGEST, 1, 0), *found = NULL;
  assert_int_equal(kept_read(scratch, DIGEST, &found, NULL), -ENOENT);
  assert_int_equal(kept_write(scratch, report, NULL), 0);
  assert_int_equal(kept_read(scratch, DIGEST, &found, NULL), 0);
  assert_true(json_equal(report, found));
  assert_int_equal(kept_read(scratch, OTHER, &found, NULL), -ENOENT);
  json_decref(found);
  json_decref(report);
}

static void a_later_report_takes_its_place(void **state) {
  (void)state;
  json_t *first = make_report(DIGEST, 0, 0), *second = make_report(DIGEST, 2, 3), *found = NULL;
  assert_int_equal(kept_write(scratch, first, NULL), 0);
  assert_int_equal(kept_write(scratch, second, NULL), 0);
  assert_int_equal(kept_read(scratch, DIGEST, &found, NULL), 0);
  require_summary(found, "12 passed, 2 warnings, 4 failed, 1 skipped, by Trammel 1.2.3");
  json_decref(found);
  json_decref(first);
  json_decref(second);
}

static void a_summary_says_under_what_it_was_made(void **state) {
  (void)state;
  json_t *report = make_report(DIGEST, 1, 0), *conditions = json_object_get(report, "conditions");
  (void)json_object_set_new(conditions, "confined", json_false());
  (void)json_object_set_new(json_object_get(conditions, "configuration"), "given", json_true());
  require_summary(report, "12 passed, 1 warning, 1 failed, 1 skipped, unconfined, with configuration 01234567, by "
                          "Trammel 1.2.3");
  json_t *summary = kept_summary_json(report);
  assert_true(json_equal(json_object_get(summary, "conditions"), conditions));
  json_decref(summary);
  json_decref(report);
}

static void a_summary_is_one_line(void **state) {
  (void)state;
  json_t *report = make_report(DIGEST, 1, 0);
  require_summary(report, "12 passed, 1 warning, 1 failed, 1 skipped, by Trammel 1.2.3");
  require_summary(NULL, "not checked");
  json_t *summary = kept_summary_json(report), *none = kept_summary_json(NULL);
  assert_int_equal(json_integer_value(json_object_get(summary, "failed")), 1);
  assert_true(json_is_null(none));
  json_decref(summary);
  json_decref(none);
  json_decref(report);
}

static void write_file(const char *digest, const char *text) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/checks/%s.json", scratch, digest);
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static void what_is_no_report_of_that_file_is_refused(void **state) {
  (void)state;
  struct error *err = NULL;
  json_t *report = make_report(OTHER, 0, 0), *found = NULL;
  assert_int_equal(kept_write(scratch, report, NULL), 0);
  char *text = json_dumps(report, 0);
  write_file(DIGEST, text);
  assert_int_equal(kept_read(scratch, DIGEST, &found, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), "another file"));
  write_file(DIGEST, "{\"format\":\"trammel.adapter-check/v1\"}");
  assert_int_equal(kept_read(scratch, DIGEST, &found, &err), -EINVAL);
  write_file(DIGEST, "{");
  assert_int_equal(kept_read(scratch, DIGEST, &found, &err), -EINVAL);
  assert_null(found);
  error_free(err);
  free(text);
  json_decref(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_report_is_found_by_its_digest, setup, teardown),
      cmocka_unit_test_setup_teardown(a_later_report_takes_its_place, setup, teardown),
      cmocka_unit_test(a_summary_is_one_line),
      cmocka_unit_test(a_summary_says_under_what_it_was_made),
      cmocka_unit_test_setup_teardown(what_is_no_report_of_that_file_is_refused, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
