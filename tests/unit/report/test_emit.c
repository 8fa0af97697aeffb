#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "host/report/emit.h"

static void times_are_utc_with_milliseconds(void **state) {
  (void)state;
  char text[TIME_TEXT_MAX];
  assert_string_equal(time_text(0, text), "1970-01-01T00:00:00.000Z");
  assert_string_equal(time_text(INT64_C(1714564800250999999), text), "2024-05-01T12:00:00.250Z");
  assert_string_equal(time_text(INT64_MAX, text), "2262-04-11T23:47:16.854Z");
  assert_string_equal(time_text(-1, text), "1970-01-01T00:00:00.000Z");
}

static void durations_are_short(void **state) {
  (void)state;
  static const struct {
    int64_t ms;
    const char *text;
  } cases[] = {{-5, "0ms"},    {0, "0ms"},       {99, "99ms"},     {100, "0.10s"},    {999, "0.99s"},
               {1000, "1.0s"}, {59999, "59.9s"}, {60000, "1m00s"}, {125000, "2m05s"}, {3600000, "60m00s"}};
  char text[DURATION_TEXT_MAX];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_string_equal(duration_text(cases[i].ms * 1000000, text), cases[i].text);
}

static void a_failed_append_writes_nothing(void **state) {
  (void)state;
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  struct strbuf buffer = STRBUF_INIT;
  strbuf_puts(&buffer, "half of a report");
  buffer.failed = true;
  assert_int_equal(emit(&buffer, out), -ENOMEM);
  assert_int_equal(fclose(out), 0);
  assert_int_equal(length, 0);
  free(text);
  strbuf_finish(&buffer);
}

static void a_full_disk_is_an_error(void **state) {
  (void)state;
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  strbuf_puts(&buffer, "text");
  assert_int_equal(emit(&buffer, full), -EIO);
  (void)fclose(full);
}

static void a_case_is_repeated_by_the_runs_command_and_its_id(void **state) {
  (void)state;
  const struct test_case test = {.id = "access/http/x", .group = SMI_ACCESS};
  struct case_result result = {.test = &test, .column = {.access = {.group = SMI_ACCESS, .alpha = 2}}};
  struct run_result run = {.command = "trammel conformance run -o json=x --filter a --seed 7",
                           .reproduce = "trammel conformance run --seed 7"};
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  append_reproduction(&buffer, &run, &result);
  assert_string_equal(strbuf_text(&buffer),
                      "trammel conformance run --seed 7 --case access/http/x --spec-version access/v1alpha2");
  result.column.access = (struct smi_version){0};
  strbuf_clear(&buffer);
  append_reproduction(&buffer, &run, &result);
  assert_string_equal(strbuf_text(&buffer), "trammel conformance run --seed 7 --case access/http/x");
  run.reproduce = NULL;
  strbuf_clear(&buffer);
  append_reproduction(&buffer, &run, &result);
  assert_string_equal(strbuf_text(&buffer), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_are_utc_with_milliseconds),
      cmocka_unit_test(durations_are_short),
      cmocka_unit_test(a_failed_append_writes_nothing),
      cmocka_unit_test(a_full_disk_is_an_error),
      cmocka_unit_test(a_case_is_repeated_by_the_runs_command_and_its_id),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
