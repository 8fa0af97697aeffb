#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/glyph.h"
#include "run_fixture.h"

static int plain(const struct run_result *run, FILE *out) {
  return report_text(run, false, out);
}

static int coloured(const struct run_result *run, FILE *out) {
  return report_text(run, true, out);
}

static void use_locale(const char *name) {
  assert_int_equal(setenv("LC_ALL", name, 1), 0);
}

static size_t width(const char *line, size_t length) {
  size_t columns = 0;
  uint32_t glyph;
  for (const char *end = line + length; line < end; line += glyph_next(line, &glyph))
    columns++;
  return columns;
}

static void no_line_is_wider_than_80_columns(void **state) {
  (void)state;
  static const char *const locales[] = {"C", "C.UTF-8"};
  for (size_t i = 0; i < 2; i++) {
    use_locale(locales[i]);
    struct run_fixture fixture;
    run_fixture_init(&fixture);
    fixture.cases[FIXTURE_FAILED].cause =
        "a long line of words, one after the other, that goes on beyond the width of any terminal that people use";
    _cleanup_free_ char *text = rendered(plain, &fixture.run);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
      if (width(line, strcspn(line, "\n")) > 80)
        fail_msg("%zu columns: %.*s", width(line, strcspn(line, "\n")), (int)strcspn(line, "\n"), line);
    run_fixture_finish(&fixture);
  }
}

static void a_failure_says_all_there_is_to_know(void **state) {
  (void)state;
  use_locale("C.UTF-8");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  const char *failures = strstr(text, "\nFailures (1)\n");
  assert_non_null(failures);
  static const char *const expected[] = {
      "✗ access/http/union  [access/v1alpha3 specs/v1alpha4]\n  TrafficTargets for one destination add up\n",
      "  requirement   ACC-03 ",
      "(step 2)",
      "  expected      denied\n",
      "  seen          \\x1b[31m<b>&amp;|`x`\xef\xbf\xbd\\x01 \"status\" 200\n",
      "  likely cause  the source of a TrafficTarget is not looked at\n",
      "permission-1",
      "  reproduce     trammel conformance run --mesh some --seed 18446744073709551615",
      "--case access/http/union",
      "--spec-version access/v1alpha3\n"};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
    if (!strstr(failures, expected[i]))
      fail_msg("'%s' is missing in: %s", expected[i], failures);
  run_fixture_finish(&fixture);
}

static void the_head_says_what_ran_and_how_to_run_it_again(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  static const char head[] = "Conformance: suite smi\n"
                             "  mesh          Some Mesh 4.5.6\n"
                             "  adapter       some-adapter 1.2.3, sha256 0123456789ab\n"
                             "  lab           process, seed 18446744073709551615\n"
                             "  started       2024-05-01T12:00:00.250Z, took 3.4s\n"
                             "  trammel       0.1.0\n"
                             "  command       trammel conformance run --mesh some --seed 18446744073709551615\n";
  assert_int_equal(strncmp(text, head, strlen(head)), 0);
  run_fixture_finish(&fixture);
}

static void says_who_makes_smi_work_and_what_it_reads_into_it(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  static const char *const expected[] = {
      "  access  half, 1 of 2 requirements proved; native: v1alpha3; translated:\n          v1alpha2\n",
      "  specs   none, 0 of 1 requirements proved; translated by the adapter\n",
      "  split   none, 0 of 1 requirements proved; native\n",
      "\nInterpretations of docs/smi.md (2)\n",
      "   6  TCPRoute with HTTPRouteGroup in one target. Both must hold: the port and\n      the route.",
      "\n  11  Weights. Negative,",
  };
  for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
    if (!strstr(text, expected[i]))
      fail_msg("'%s' is missing in: %s", expected[i], text);
  run_fixture_finish(&fixture);
}

/* A report that was read back may hold anything. */
static void a_reason_to_stop_steers_no_terminal(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.interrupted = true;
  fixture.run.stop_reason = "\x1b[2J";
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  assert_null(strchr(text, '\x1b'));
  assert_non_null(strstr(text, "Ended early (\\x1b[2J): 5 of 5 cases ran.\n"));
  run_fixture_finish(&fixture);
}

static void ends_with_broken_requirements_and_totals(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  const char *end = "\nBroken: ACC-03\n1 passed, 1 failed, 1 not judged, 1 skipped, 1 informative (2 not applicable)\n";
  assert_true(strlen(text) > strlen(end));
  assert_string_equal(text + strlen(text) - strlen(end), end);
  run_fixture_finish(&fixture);
}

static void a_locale_without_utf8_gets_ascii(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.mesh_name = "Möbius";
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  for (const char *c = text; *c != '\0'; c++)
    assert_true((*c >= ' ' && *c <= '~') || *c == '\n');
  assert_non_null(strstr(text, "M?bius"));
  assert_non_null(strstr(text, "\nx access/http/union"));
  run_fixture_finish(&fixture);
}

/* A line of the matrix: its cells are at the end. */
static void matrix_shows_a_symbol_per_version(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  const char *row = strstr(text, "\n  ACC-02");
  assert_non_null(row);
  assert_memory_equal(strchr(row + 1, '\n') - 6, "  +  !", 6);
  row = strstr(text, "\n  ACC-03");
  assert_non_null(row);
  assert_memory_equal(strchr(row + 1, '\n') - 6, "  +  x", 6);
  row = strstr(text, "\n  SPL-01");
  assert_non_null(row);
  assert_memory_equal(strchr(row + 1, '\n') - 6, "  -  .", 6);
  run_fixture_finish(&fixture);
}

static void escape_sequences_only_with_colour(void **state) {
  (void)state;
  use_locale("C.UTF-8");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *without = rendered(plain, &fixture.run);
  assert_null(strchr(without, '\x1b'));
  _cleanup_free_ char *with = rendered(coloured, &fixture.run);
  assert_non_null(strstr(with, "\x1b[31m✗ \x1b[0m"));
  assert_null(strstr(with, "\x1b[31m<b>"));
  run_fixture_finish(&fixture);
}

static void cases_with_the_same_reason_share_it(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.cases[FIXTURE_INFORMATIVE].outcome = OUTCOME_SKIPPED;
  fixture.cases[FIXTURE_INFORMATIVE].reason = fixture.cases[FIXTURE_SKIPPED].reason;
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  assert_non_null(strstr(text, "\nSkipped (2)\n- split/weights  [split/v1alpha1]\n- split/zero-sum  [split/v1alpha4]\n"
                               "  the mesh has no traffic splits\n\n"));
  run_fixture_finish(&fixture);
}

static void an_interrupted_run_says_so(void **state) {
  (void)state;
  use_locale("C");
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.interrupted = true;
  fixture.run.stop_reason = "--fail-fast";
  fixture.run.planned = 84;
  _cleanup_free_ char *text = rendered(plain, &fixture.run);
  assert_non_null(strstr(text, "Ended early (--fail-fast): 5 of 84 cases ran.\n"));
  run_fixture_finish(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_line_is_wider_than_80_columns),
      cmocka_unit_test(a_failure_says_all_there_is_to_know),
      cmocka_unit_test(ends_with_broken_requirements_and_totals),
      cmocka_unit_test(a_locale_without_utf8_gets_ascii),
      cmocka_unit_test(matrix_shows_a_symbol_per_version),
      cmocka_unit_test(escape_sequences_only_with_colour),
      cmocka_unit_test(the_head_says_what_ran_and_how_to_run_it_again),
      cmocka_unit_test(says_who_makes_smi_work_and_what_it_reads_into_it),
      cmocka_unit_test(a_reason_to_stop_steers_no_terminal),
      cmocka_unit_test(cases_with_the_same_reason_share_it),
      cmocka_unit_test(an_interrupted_run_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
