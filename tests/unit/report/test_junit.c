#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "outside.h"
#include "run_fixture.h"

static void well_formed_by_another_parser(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.cases[FIXTURE_ERROR].reason = FIXTURE_SEEN "\xef\xbf\xbf\n\ttwo lines";
  _cleanup_free_ char *text = rendered(report_junit, &fixture.run);
  run_fixture_finish(&fixture);
  int r = outside_check((const char *const[]){"xmllint", "--noout", "-", NULL}, text);
  if (r == OUTSIDE_ABSENT) {
    print_message("xmllint is not installed\n");
    skip();
  }
  assert_int_equal(r, 0);
}

static void counts_by_outcome(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(report_junit, &fixture.run);
  assert_non_null(strstr(text, "<testsuites name=\"smi\" tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\""));
  assert_non_null(strstr(text, "<testsuite name=\"access\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""));
  assert_non_null(strstr(text, "<testsuite name=\"split\" tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"1\""));
  assert_non_null(strstr(text, "time=\"0.120000\""));
  run_fixture_finish(&fixture);
}

static void text_from_a_mesh_is_escaped(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.cases[FIXTURE_FAILED].reason = "\"quoted\"\nnext";
  _cleanup_free_ char *text = rendered(report_junit, &fixture.run);
  assert_non_null(strstr(text, "message=\"&#34;quoted&#34;&#10;next\""));
  assert_non_null(
      strstr(text, "\xef\xbf\xbd[31m&#60;b&#62;&#38;amp;|`x`\xef\xbf\xbd\xef\xbf\xbd &#34;status&#34; 200"));
  assert_null(strchr(text, '\x1b'));
  run_fixture_finish(&fixture);
}

/* Characters whose low byte is that of a markup character. */
static void other_letters_stay_as_they_are(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.cases[FIXTURE_SKIPPED].reason = "Ħ ļ";
  _cleanup_free_ char *text = rendered(report_junit, &fixture.run);
  assert_non_null(strstr(text, "message=\"Ħ ļ\""));
  run_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(well_formed_by_another_parser),
      cmocka_unit_test(counts_by_outcome),
      cmocka_unit_test(text_from_a_mesh_is_escaped),
      cmocka_unit_test(other_letters_stay_as_they_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
