#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/style.h"

static const struct style unicode = {.unicode = true};
static const struct style ascii = {0};

static void text(const struct style *style, const char *text, size_t columns, const char *expected, size_t used) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  assert_int_equal(style_text(style, &buffer, text, columns), used);
  assert_string_equal(strbuf_text(&buffer), expected);
}

static void text_that_fits_is_not_cut(void **state) {
  (void)state;
  text(&unicode, "12345", 5, "12345", 5);
  text(&unicode, "héé", 3, "héé", 3);
  text(&unicode, "", 0, "", 0);
}

static void text_that_is_cut_says_so(void **state) {
  (void)state;
  text(&unicode, "123456", 5, "1234…", 5);
  text(&ascii, "123456", 5, "12...", 5);
  text(&ascii, "123456", 3, "123", 3); /* no room for an ellipsis */
  text(&unicode, "123456", 0, "", 0);
}

static void nothing_steers_the_terminal(void **state) {
  (void)state;
  text(&unicode, "a\nb\tc\r", 80, "a\\nb\\tc\\r", 9);
  text(&unicode, "\x1b]0;x\x07", 80, "\\x1b]0;x\\x07", 12);
  text(&unicode,
       "\xc2\x9b"
       "2J",
       80, "\\x9b2J", 6); /* C1 control */
  text(&unicode,
       "\xe2\x80\xae"
       "x",
       80, "\\u202ex", 7);             /* turns the direction of what follows */
  text(&unicode, "a\x1b", 3, "a…", 2); /* an escape is never cut in the middle */
}

static void a_locale_without_utf8_shows_question_marks(void **state) {
  (void)state;
  text(&ascii, "Möbius ✓", 80, "M?bius ?", 8);
}

static void a_field_has_exactly_its_width(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  style_field(&unicode, &buffer, "é", 4);
  style_field(&unicode, &buffer, "12345", 4);
  assert_string_equal(strbuf_text(&buffer), "é   123…");
}

static void words_wrap_and_line_up(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  style_wrap(&unicode, &buffer, "one two  three\nfour a-word-that-is-longer-than-a-line five", 4, 16);
  assert_string_equal(strbuf_text(&buffer),
                      "one two\n    three four\n    a-word-that-is-longer-than-a-line\n    five\n");
  strbuf_clear(&buffer);
  style_wrap(&unicode, &buffer, "", 4, 16);
  assert_string_equal(strbuf_text(&buffer), "\n");
}

static void tones_need_colour(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  style_begin(&ascii, &buffer, TONE_BAD);
  style_end(&ascii, &buffer, TONE_BAD);
  assert_string_equal(strbuf_text(&buffer), "");
  const struct style colour = {.colour = true};
  style_begin(&colour, &buffer, TONE_BAD);
  style_end(&colour, &buffer, TONE_BAD);
  assert_string_equal(strbuf_text(&buffer), "\x1b[31m\x1b[0m");
}

static void the_environments_locale_decides(void **state) {
  (void)state;
  assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
  assert_true(style_detect(false).unicode);
  assert_int_equal(setenv("LC_ALL", "C", 1), 0);
  assert_false(style_detect(false).unicode);
  assert_int_equal(setenv("LC_ALL", "xx_XX.no-such-locale", 1), 0);
  assert_false(style_detect(false).unicode);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_that_fits_is_not_cut),
      cmocka_unit_test(text_that_is_cut_says_so),
      cmocka_unit_test(nothing_steers_the_terminal),
      cmocka_unit_test(a_locale_without_utf8_shows_question_marks),
      cmocka_unit_test(a_field_has_exactly_its_width),
      cmocka_unit_test(words_wrap_and_line_up),
      cmocka_unit_test(tones_need_colour),
      cmocka_unit_test(the_environments_locale_decides),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
