#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "contrast.h"
#include "hostile_fixture.h"
#include "outside.h"
#include "sdk/base/utf8.h"

static void looks_like_this(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *badge = rendered(report_badge, &fixture.run);
  assert_string_equal(
      badge, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"169\" height=\"20\" role=\"img\" "
             "aria-label=\"SMI conformance: 1 broken\">\n"
             "<title>SMI conformance: 1 broken</title>\n"
             "<clipPath id=\"round\"><rect width=\"169\" height=\"20\" rx=\"3\"/></clipPath>\n"
             "<g clip-path=\"url(#round)\">\n"
             "<rect width=\"108\" height=\"20\" fill=\"#3d444d\"/>\n"
             "<rect x=\"108\" width=\"61\" height=\"20\" fill=\"#b3261e\"/>\n"
             "</g>\n"
             "<g fill=\"#ffffff\" font-family=\"Verdana,'DejaVu Sans',sans-serif\" font-size=\"11\">\n"
             "<text x=\"6\" y=\"14\" textLength=\"96\" lengthAdjust=\"spacingAndGlyphs\">SMI conformance</text>\n"
             "<text x=\"114\" y=\"14\" textLength=\"49\" lengthAdjust=\"spacingAndGlyphs\">1 broken</text>\n"
             "</g>\n</svg>\n");
  run_fixture_finish(&fixture);
}

/* The run with only its first `count` cases. */
static char *badge_of(struct run_fixture *fixture, size_t count) {
  fixture->run.case_count = count;
  return rendered(report_badge, &fixture->run);
}

static void assert_badge(const char *badge, const char *title, const char *fill) {
  char expected[128];
  (void)snprintf(expected, sizeof expected, "<title>%s</title>", title);
  assert_non_null(strstr(badge, expected));
  (void)snprintf(expected, sizeof expected, "fill=\"%s\"", fill);
  assert_non_null(strstr(badge, expected));
  assert_true(contrast(fill, "#ffffff") >= CONTRAST_MIN);
}

static void text_and_colour_go_by_outcome(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *nothing = badge_of(&fixture, 0);
  assert_badge(nothing, "SMI conformance: nothing tested", "#57606a");
  _cleanup_free_ char *part = badge_of(&fixture, 1); /* of the requirements it names, it proves all */
  assert_badge(part, "SMI conformance: 1/1", "#1a7f37");
  run_fixture_replace(&fixture, 1, FIXTURE_SKIPPED);
  _cleanup_free_ char *skipped = badge_of(&fixture, 2);
  assert_badge(skipped, "SMI conformance: 1/2 in part", "#8a5a00");
  run_fixture_replace(&fixture, 2, FIXTURE_INFORMATIVE);
  fixture.cases[2].held = true;
  _cleanup_free_ char *informative = badge_of(&fixture, 3); /* does not count */
  assert_badge(informative, "SMI conformance: 1/2 in part", "#8a5a00");
  fixture.cases[1].outcome = OUTCOME_ERROR;
  _cleanup_free_ char *unjudged = badge_of(&fixture, 2);
  assert_badge(unjudged, "SMI conformance: 1 not judged", "#57606a");
  fixture.run.interrupted = true;
  _cleanup_free_ char *early = badge_of(&fixture, 1);
  assert_badge(early, "SMI conformance: ended early", "#57606a");
  run_fixture_finish(&fixture);
}

static void a_failure_without_a_broken_check_counts(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.cases[0].outcome = OUTCOME_FAILED;
  _cleanup_free_ char *badge = badge_of(&fixture, 1);
  assert_badge(badge, "SMI conformance: 1 failed", "#b3261e");
  run_fixture_finish(&fixture);
}

static void another_suite_is_named(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.suite = "baseline";
  _cleanup_free_ char *badge = badge_of(&fixture, 1);
  assert_badge(badge, "SMI baseline: 1/1", "#1a7f37");
  run_fixture_finish(&fixture);
}

static void a_hostile_name_is_inert_and_cut(void **state) {
  (void)state;
  struct hostile_fixture fixture;
  hostile_fixture_init(&fixture);
  _cleanup_free_ char *badge = rendered(report_badge, &fixture.base.run);
  hostile_fixture_finish(&fixture);
  assert_null(strstr(badge, "<script"));
  assert_non_null(strstr(badge, "…"));
  assert_true(strlen(badge) < 4096);
  assert_true(utf8_valid(badge, strlen(badge), NULL));
  static const char *const argv[] = {"xmllint", "--noout", "--nonet", "-", NULL};
  int code = outside_check(argv, badge);
  if (code == OUTSIDE_ABSENT)
    skip();
  assert_int_equal(code, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(looks_like_this),
      cmocka_unit_test(text_and_colour_go_by_outcome),
      cmocka_unit_test(a_failure_without_a_broken_check_counts),
      cmocka_unit_test(another_suite_is_named),
      cmocka_unit_test(a_hostile_name_is_inert_and_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
