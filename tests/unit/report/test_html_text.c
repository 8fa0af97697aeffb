#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/html_text.h"

static void assert_text(void (*append)(struct strbuf *out, const char *text), const char *text, const char *expected) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  append(&out, text);
  assert_string_equal(strbuf_text(&out), expected);
  assert_false(strbuf_failed(&out));
}

static void markup_becomes_references(void **state) {
  (void)state;
  assert_text(html_text, "<a b=\"c\" d='e'>&amp;", "&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;amp;");
  assert_text(html_text, "", "");
  assert_text(html_text, NULL, "");
}

static void what_html_cannot_hold_is_shown_otherwise(void **state) {
  (void)state;
  assert_text(html_text, "a\x01\x1b\x7f\r", "a\\x01\\x1b\\x7f\\r");
  assert_text(html_text, "\xff\xc3(", "\\xff\\xc3(");
  assert_text(html_text, "\xed\xa0\x80", "\\xed\\xa0\\x80");                      /* a surrogate */
  assert_text(html_text, "\xef\xb7\x90\xef\xbf\xbe", "\xef\xbf\xbd\xef\xbf\xbd"); /* U+FDD0, U+FFFE */
  assert_text(html_text,
              "\xe2\x80\xae"
              "evil",
              "\\u{202e}evil");
  assert_text(html_text, "a\n\tb é ✓ 😀", "a\n\tb é ✓ 😀");
}

static void backticks_in_prose_are_code(void **state) {
  (void)state;
  assert_text(html_prose, "A rule without `matches` and `<b>`.",
              "A rule without <code>matches</code> and "
              "<code>&#60;b&#62;</code>.");
  assert_text(html_prose, "one ` alone", "one ` alone");
  assert_text(html_prose, "``", "<code></code>");
  assert_text(html_prose, "", "");
  assert_text(html_prose, NULL, "");
}

static void an_element_holds_its_text(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  html_element(&out, "b", NULL, "<");
  html_element(&out, "span", "x", NULL);
  assert_string_equal(strbuf_text(&out), "<b>&#60;</b><span class=\"x\"></span>");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(markup_becomes_references),
      cmocka_unit_test(what_html_cannot_hold_is_shown_otherwise),
      cmocka_unit_test(backticks_in_prose_are_code),
      cmocka_unit_test(an_element_holds_its_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
