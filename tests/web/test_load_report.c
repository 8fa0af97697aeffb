/* The page of load results as a browser shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "browser.h"
#include "tests/support/command.h"
#include "tests/unit/report/load_fixture.h"

#define PHONE 360
#define DESKTOP 1280

static char *page_of(size_t count) {
  struct load_fixture fixtures[2];
  load_fixture_init(&fixtures[0], SCHEDULE_CONSTANT, 1);
  load_fixture_init(&fixtures[1], SCHEDULE_CONSTANT, 3);
  const struct load_report reports[] = {fixtures[0].report, fixtures[1].report};
  char *page = load_rendered_all(load_report_html, reports, count);
  load_fixture_finish(&fixtures[0]);
  load_fixture_finish(&fixtures[1]);
  return page;
}

static size_t count(const char *page, const char *what) {
  size_t result = 0;
  for (const char *at = page; (at = strstr(at, what)); at += strlen(what))
    result++;
  return result;
}

static void texts_from_outside_make_no_elements(void **state) {
  static const char *const tags[] = {"<script", "<b>", "<svg", "<path", "<circle", "<td", "<li", "<figure", "<style"};
  for (size_t runs = 1; runs <= 2; runs++) {
    _cleanup_free_ char *page = page_of(runs);
    _cleanup_free_ char *dom = browser_dom(*state, page, false);
    for (size_t i = 0; i < ARRAY_COUNT(tags); i++)
      assert_int_equal(count(dom, tags[i]), count(page, tags[i]));
  }
}

/* Each line has a length, lies in its picture, and has a colour that is none of the panel's; no line hides another one.
 */
#define CHARTS                                                                                                         \
  "const charts = [...document.querySelectorAll('figure.chart > .scroll > svg')];"                                     \
  "const bad = charts.flatMap(svg => { const frame = svg.getBoundingClientRect();"                                     \
  " return [...svg.querySelectorAll('g.line > path')].filter(path => { const box = path.getBoundingClientRect();"      \
  "  return !(path.getTotalLength() > 100) || box.left < frame.left || box.right > frame.right + 1 ||"                 \
  "   box.top < frame.top || box.bottom > frame.bottom + 1; }) });"                                                    \
  "const colours = new Set([...charts[0].querySelectorAll('g.line > path')].map(e => getComputedStyle(e).stroke));"    \
  "const texts = charts.flatMap(svg => [...svg.querySelectorAll('text')]).filter(e => {"                               \
  " const box = e.getBoundingClientRect(), frame = e.ownerSVGElement.getBoundingClientRect();"                         \
  " return box.width < 1 || box.left < frame.left - 1 || box.right > frame.right + 1; });"                             \
  "return `${charts.length} charts, ${bad.length} bad lines, ${colours.size} colours, ${texts.length} texts cut, ` +"  \
  " `${performance.getEntriesByType('resource').length} loaded`"

static void charts_are_drawn(void **state) {
  for (size_t runs = 1; runs <= 2; runs++) {
    _cleanup_free_ char *page = page_of(runs);
    for (int dark = 0; dark <= 1; dark++) {
      _cleanup_free_ char *measured = browser_measure(*state, page, DESKTOP, dark, CHARTS);
      assert_string_equal(measured, "4 charts, 0 bad lines, 2 colours, 0 texts cut, 0 loaded");
    }
  }
}

#define WIDTHS                                                                                                         \
  "const root = document.documentElement;"                                                                             \
  "document.querySelectorAll('details').forEach(e => e.open = true);"                                                  \
  "return `${root.scrollWidth} of ${root.clientWidth}`"

static void it_fits_a_phone_and_a_desktop(void **state) {
  static const unsigned widths[] = {PHONE, DESKTOP};
  for (size_t i = 0; i < ARRAY_COUNT(widths); i++) {
    _cleanup_free_ char *page = page_of(2);
    _cleanup_free_ char *measured = browser_measure(*state, page, widths[i], false, WIDTHS);
    char expected[40];
    (void)snprintf(expected, sizeof expected, "%u of %u", widths[i], widths[i]);
    assert_string_equal(measured, expected);
  }
}

static int make_directory(void **state) {
  *state = scratch_create();
  return 0;
}

static int remove_directory(void **state) {
  scratch_remove(*state);
  return 0;
}

int main(void) {
  if (!browser_is_there()) {
    printf("skipped: the Debian package %s is not installed\n", BROWSER_PACKAGE);
    return 77;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_from_outside_make_no_elements),
      cmocka_unit_test(charts_are_drawn),
      cmocka_unit_test(it_fits_a_phone_and_a_desktop),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
