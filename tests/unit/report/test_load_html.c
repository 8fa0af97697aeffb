/* The page of load results: well-formed whatever is in them, with the numbers that the charts show. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contrast.h"
#include "load_fixture.h"
#include "outside.h"
#include "sdk/base/memory.h"

extern const unsigned char html_style_sheet[], html_load_style_sheet[];
extern const size_t html_style_sheet_length, html_load_style_sheet_length;

static char *page_of(size_t count, bool answered) {
  struct load_fixture fixtures[LOAD_HTML_RUNS_MAX];
  struct load_report reports[LOAD_HTML_RUNS_MAX] = {0};
  for (size_t i = 0; i < count; i++) {
    load_fixture_init(&fixtures[i], i % 2 == 0 ? SCHEDULE_CONSTANT : SCHEDULE_CLOSED, 1 + (double)i);
    if (!answered) {
      load_result_finish(&fixtures[i].result);
      assert_int_equal(tally_init(&fixtures[i].result.tally, NULL), 0);
      fixtures[i].result.doubts = 2 * LOAD_DOUBT_LAST - 1; /* all there are */
      fixtures[i].result.problem = strdup(LOAD_FIXTURE_URL);
    }
    reports[i] = fixtures[i].report;
  }
  char *page = load_rendered_all(load_report_html, reports, count);
  for (size_t i = 0; i < count; i++)
    load_fixture_finish(&fixtures[i]);
  return page;
}

static void assert_well_formed(const char *page) {
  int xml = outside_check((const char *const[]){"xmllint", "--noout", "--nonet", "-", NULL}, page);
  int html = outside_check((const char *const[]){"tidy", "-q", "-e", "--show-info", "no", NULL}, page);
  assert_true(xml == 0 || xml == OUTSIDE_ABSENT);
  assert_true(html == 0 || html == OUTSIDE_ABSENT);
}

static void pages_are_well_formed_and_texts_no_markup(void **state) {
  static const size_t counts[] = {1, 2, LOAD_HTML_RUNS_MAX};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(counts); i++)
    for (int answered = 0; answered <= 1; answered++) {
      _cleanup_free_ char *page = page_of(counts[i], answered);
      assert_well_formed(page);
      assert_null(strstr(page, "shop.test/\"q\""));
      assert_null(strstr(page, "\x1b"));
      assert_null(strstr(page, "nan"));
      assert_null(strstr(page, "<script"));
      assert_non_null(strstr(page, "Content-Security-Policy"));
      for (unsigned doubt = 1; !answered && doubt <= LOAD_DOUBT_LAST; doubt <<= 1)
        assert_non_null(strstr(page, load_doubt_text(doubt)));
    }
}

static void the_numbers_of_the_charts_are_in_tables(void **state) {
  static const char *const wanted[] = {"id=\"percentiles\"", "id=\"distribution\"", "id=\"latencies\"",
                                       "id=\"throughput\"",  "</svg> service</li>", "<td>12000</td><td>1.000</td>",
                                       "status 503",         "error reset",         "Valid: the numbers tell"};
  (void)state;
  _cleanup_free_ char *page = page_of(1, true);
  for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
    if (!strstr(page, wanted[i]))
      fail_msg("the page lacks %s", wanted[i]);
  size_t rows = 0;
  for (const char *at = page; (at = strstr(at, "<td>1000</td><td>1000.000</td>")); at++)
    rows++;
  assert_int_equal(rows, LOAD_FIXTURE_SECONDS);
}

static void runs_that_are_too_many_are_refused(void **state) {
  struct load_report none[LOAD_HTML_RUNS_MAX + 1] = {0};
  (void)state;
  assert_int_equal(load_report_html(none, 0, stdout), -EINVAL);
  assert_int_equal(load_report_html(none, LOAD_HTML_RUNS_MAX + 1, stdout), -EINVAL);
}

/* The value of a variable after the place where a scheme begins. */
static const char *colour(const char *sheet, const char *scheme, const char *name) {
  char declaration[40];
  (void)snprintf(declaration, sizeof declaration, "--%s: #", name);
  const char *begin = strstr(sheet, scheme);
  const char *found = begin ? strstr(begin, declaration) : NULL;
  assert_non_null(found);
  return found + strlen(declaration) - 1;
}

static void lines_are_seen_on_their_panel_in_every_scheme(void **state) {
  static const char *const schemes[] = {":root {", "(prefers-color-scheme: dark)", "@media print"};
  _cleanup_free_ char *pages = strndup((const char *)html_style_sheet, html_style_sheet_length);
  _cleanup_free_ char *lines = strndup((const char *)html_load_style_sheet, html_load_style_sheet_length);
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(schemes); i++)
    for (unsigned line = 0; line < LOAD_HTML_RUNS_MAX; line++) {
      char name[16];
      (void)snprintf(name, sizeof name, "s%u", line);
      double ratio = contrast(colour(lines, schemes[i], name), colour(pages, schemes[i], "panel"));
      if (ratio < CONTRAST_MIN)
        fail_msg("%s in %s: %.2f", name, schemes[i], ratio);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pages_are_well_formed_and_texts_no_markup),
      cmocka_unit_test(the_numbers_of_the_charts_are_in_tables),
      cmocka_unit_test(runs_that_are_too_many_are_refused),
      cmocka_unit_test(lines_are_seen_on_their_panel_in_every_scheme),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
