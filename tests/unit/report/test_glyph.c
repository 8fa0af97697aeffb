#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/glyph.h"

static void valid(const char *text, const char *expected) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  glyph_append_valid(&buffer, text);
  assert_string_equal(strbuf_text(&buffer), expected);
}

static void text_that_is_utf8_stays(void **state) {
  (void)state;
  valid("", "");
  valid("plain", "plain");
  valid("\xc3\xa9 \xe2\x9c\x93 \xf0\x9f\x8e\xbc", "\xc3\xa9 \xe2\x9c\x93 \xf0\x9f\x8e\xbc");
}

static void each_bad_byte_is_replaced(void **state) {
  (void)state;
  valid("a\xff\xfe", "a\xef\xbf\xbd\xef\xbf\xbd");
  valid("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
  valid("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
  valid("\xe2\x9cx", "\xef\xbf\xbd\xef\xbf\xbdx");               /* broken off */
  valid("\xf0\x9f\x8e", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* broken off by the end */
}

static void the_end_has_no_length(void **state) {
  (void)state;
  uint32_t glyph = 7;
  assert_int_equal(glyph_next("", &glyph), 0);
  assert_int_equal(glyph_next("\xe2\x9c\x93", &glyph), 3);
  assert_int_equal(glyph, 0x2713);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_that_is_utf8_stays),
      cmocka_unit_test(each_bad_byte_is_replaced),
      cmocka_unit_test(the_end_has_no_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
