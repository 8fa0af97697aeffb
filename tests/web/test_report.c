/* The HTML report as a browser shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "browser.h"
#include "sdk/base/document.h"
#include "tests/support/command.h"
#include "tests/unit/report/hostile_fixture.h"

#define PHONE 360
#define DESKTOP 1280

/* How wide the page is and may be, closed and with all of it open, and what sticks out. */
#define WIDTHS                                                                                                         \
  "const root = document.documentElement;"                                                                             \
  "const culprit = () => [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && "               \
  "e.getBoundingClientRect().right > root.clientWidth + 1).map(e => e.tagName + '.' + e.className)[0] || 'none';"      \
  "const widths = () => `${root.scrollWidth} of ${root.clientWidth}, sticking out: ${culprit()}`;"                     \
  "const closed = widths();"                                                                                           \
  "document.querySelectorAll('details').forEach(e => e.open = true);"                                                  \
  "return `closed: ${closed}; open: ${widths()}`"

#define COLOURS "return getComputedStyle(document.body).backgroundColor + ' ' + getComputedStyle(document.body).color"

static char *hostile_page(void) {
  struct hostile_fixture fixture;
  hostile_fixture_init(&fixture);
  char *page = rendered(report_html, &fixture.base.run);
  hostile_fixture_finish(&fixture);
  return page;
}

static size_t count(const char *page, const char *what) {
  size_t result = 0;
  for (const char *at = page; (at = strstr(at, what)); at += strlen(what))
    result++;
  return result;
}

static void assert_fits(const char *directory, const char *page, unsigned width) {
  _cleanup_free_ char *measured = browser_measure(directory, page, width, false, WIDTHS);
  char expected[160];
  (void)snprintf(expected, sizeof expected, "closed: %u of %u, sticking out: none; open: %u of %u, sticking out: none",
                 width, width, width, width);
  assert_string_equal(measured, expected);
}

/* ---- a run that tries to break out */

/* What the browser made of the page has no more elements than were written. */
static void hostile_texts_make_no_elements(void **state) {
  const char *directory = *state;
  _cleanup_free_ char *page = hostile_page();
  _cleanup_free_ char *dom = browser_dom(directory, page, false);
  static const char *const tags[] = {"<script", "<img",     "<b>",      "<code>", "<li",    "<td",    "<dd>",
                                     "<a ",     "<details", "<section", "<pre>",  "<style", "<title", "<summary"};
  for (size_t i = 0; i < ARRAY_COUNT(tags); i++)
    assert_int_equal(count(dom, tags[i]), count(page, tags[i]));
  assert_int_equal(count(dom, "<details class=\"case\""), FIXTURE_CASES);
  assert_null(strstr(dom, "onerror=\""));
}

static void hostile_texts_fit_a_phone_and_a_desktop(void **state) {
  _cleanup_free_ char *page = hostile_page();
  assert_fits(*state, page, PHONE);
  assert_fits(*state, page, DESKTOP);
}

/* ---- what the page allows */

static char *with_script(const char *page, bool policy) {
  const char *end = strstr(page, "</body>");
  const char *content = strstr(page, "Content-Security-Policy");
  char *result = NULL;
  assert_non_null(end);
  assert_non_null(content);
  assert_true(asprintf(&result, "%.*s%s%.*s<script>document.title = 'it ran'</script>%s", (int)(content - page), page,
                       policy ? "" : "no-", (int)(end - content), content, end) > 0);
  return result;
}

static void its_policy_forbids_scripts(void **state) {
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = rendered(report_html, &fixture.run);
  run_fixture_finish(&fixture);
  _cleanup_free_ char *forbidden = with_script(page, true);
  _cleanup_free_ char *dom = browser_dom(*state, forbidden, false);
  assert_null(strstr(dom, "<title>it ran</title>"));
  _cleanup_free_ char *allowed = with_script(page, false);
  _cleanup_free_ char *control = browser_dom(*state, allowed, false);
  assert_non_null(strstr(control, "<title>it ran</title>"));
}

static void it_is_light_or_dark_as_the_reader_wants(void **state) {
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *page = rendered(report_html, &fixture.run);
  run_fixture_finish(&fixture);
  _cleanup_free_ char *light = browser_measure(*state, page, DESKTOP, false, COLOURS);
  _cleanup_free_ char *dark = browser_measure(*state, page, DESKTOP, true, COLOURS);
  assert_string_equal(light, "rgb(244, 245, 247) rgb(27, 32, 39)");
  assert_string_equal(dark, "rgb(17, 21, 26) rgb(228, 232, 237)");
}

/* ---- a real run */

static char *real_page(const char *directory) {
  _cleanup_free_ char *file = NULL;
  _cleanup_free_ char *output = NULL;
  assert_true(asprintf(&file, "%s/run.html", directory) > 0);
  assert_true(asprintf(&output, "html=%s", file) > 0);
  const char *argv[] = {"trammel", "conformance", "run",  "--set", "fault=ignore-source", "--filter", "unlisted-",
                        "--quiet", "-o",          output, NULL};
  struct command_result result;
  command_run(argv, NULL, 120, &result);
  assert_int_equal(result.exit_code, 1);
  command_result_finish(&result);
  char *page = NULL;
  size_t length;
  assert_int_equal(file_read(file, FILE_READ_MAX, &page, &length, NULL), 0);
  return page;
}

static void a_run_that_found_something_fits_and_says_so(void **state) {
  const char *directory = *state;
  _cleanup_free_ char *page = real_page(directory);
  _cleanup_free_ char *dom = browser_dom(directory, page, false);
  assert_non_null(strstr(dom, "1 requirement is broken"));
  assert_non_null(strstr(dom, "<b>ACC-03</b>"));
  assert_non_null(strstr(dom, "Native objects in force"));
  assert_int_equal(count(dom, "<details"), count(page, "<details"));
  assert_fits(directory, page, PHONE);
  assert_fits(directory, page, DESKTOP);
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
      cmocka_unit_test(hostile_texts_make_no_elements),
      cmocka_unit_test(hostile_texts_fit_a_phone_and_a_desktop),
      cmocka_unit_test(its_policy_forbids_scripts),
      cmocka_unit_test(it_is_light_or_dark_as_the_reader_wants),
      cmocka_unit_test(a_run_that_found_something_fits_and_says_so),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
