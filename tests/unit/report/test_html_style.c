#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "contrast.h"
#include "host/report/html_page.h"

#define COLOUR_LENGTH 7 /* "#rrggbb" */

static char *style_sheet(void) {
  char *sheet = strndup((const char *)html_style_sheet, html_style_sheet_length);
  assert_non_null(sheet);
  return sheet;
}

/* The value of a variable in the scheme that starts at `scheme`. */
static const char *colour(const char *scheme, const char *name) {
  char declaration[40];
  (void)snprintf(declaration, sizeof declaration, "--%s: #", name);
  const char *found = strstr(scheme, declaration);
  assert_non_null(found);
  return found + strlen(declaration) - 1;
}

/* Every text colour on every ground that it stands on. */
static void assert_readable(const char *scheme) {
  static const char *const pairs[][2] = {
      {"text", "ground"},      {"text", "panel"},       {"text", "code"},      {"text", "good-ground"},
      {"text", "bad-ground"},  {"text", "warn-ground"}, {"soft", "ground"},    {"soft", "panel"},
      {"soft", "code"},        {"link", "ground"},      {"link", "panel"},     {"good", "panel"},
      {"good", "good-ground"}, {"bad", "panel"},        {"bad", "bad-ground"}, {"bad", "code"},
      {"warn", "panel"},       {"warn", "warn-ground"}, {"warn", "ground"},    {"good", "bad-ground"},
      {"good", "ground"},      {"bad", "ground"},       {"good", "code"},      {"warn", "code"},
      {"good", "track"},       {"bad", "track"},        {"warn", "track"},     {"warn", "bad-ground"},
      {"soft", "track"},       {"good", "warn-ground"}};
  for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
    const char *front = colour(scheme, pairs[i][0]);
    const char *ground = colour(scheme, pairs[i][1]);
    double ratio = contrast(front, ground);
    if (ratio < CONTRAST_MIN)
      fail_msg("%s %.*s on %s %.*s: %.2f", pairs[i][0], COLOUR_LENGTH, front, pairs[i][1], COLOUR_LENGTH, ground,
               ratio);
  }
}

static void text_is_readable_in_every_scheme(void **state) {
  (void)state;
  _cleanup_free_ char *sheet = style_sheet();
  static const char *const schemes[] = {":root {", "(prefers-color-scheme: dark)", "@media print"};
  for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
    const char *scheme = strstr(sheet, schemes[i]);
    assert_non_null(scheme);
    assert_readable(scheme);
  }
}

static void contrast_is_that_of_wcag(void **state) {
  (void)state;
  assert_true(contrast("#000000", "#ffffff") > 20.99 && contrast("#000000", "#ffffff") < 21.01);
  assert_true(contrast("#767676", "#ffffff") > 4.53 && contrast("#767676", "#ffffff") < 4.55);
}

/* It stands in <style>, and the page is XML, too. */
static void ends_no_element_and_loads_nothing(void **state) {
  (void)state;
  _cleanup_free_ char *sheet = style_sheet();
  static const char *const none[] = {"<", "&", "]]>", "url(", "@import", "@font-face"};
  for (size_t i = 0; i < ARRAY_COUNT(none); i++)
    assert_null(strstr(sheet, none[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_is_readable_in_every_scheme),
      cmocka_unit_test(contrast_is_that_of_wcag),
      cmocka_unit_test(ends_no_element_and_loads_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
