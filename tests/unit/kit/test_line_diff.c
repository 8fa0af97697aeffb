/* What differs between two texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/kit/line_diff.h"

static void differs(const char *before, const char *after, const char *expected) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  line_diff(&out, before, after);
  assert_false(strbuf_failed(&out));
  assert_string_equal(strbuf_text(&out), expected);
}

static void the_same_text_has_no_difference(void **state) {
  (void)state;
  differs("", "", "");
  differs("a\nb\n", "a\nb\n", "");
}

static void changed_lines_stand_with_three_around_them(void **state) {
  (void)state;
  differs("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
          "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void lines_are_added_and_removed(void **state) {
  (void)state;
  differs("a\nb\n", "a\nx\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n");
  differs("a\nx\nb\n", "a\nb\n", "@@ -1,3 +1,2 @@\n a\n-x\n b\n");
  differs("", "a\n", "@@ -1,0 +1,1 @@\n+a\n");
  differs("a\n", "", "@@ -1,1 +1,0 @@\n-a\n");
}

/* One end in the middle must not tear the lines that both have apart. */
static void what_both_have_stays_between_changes(void **state) {
  (void)state;
  differs("a\nx\nc\ny\ne\n", "a\nb\nc\nd\ne\n", "@@ -1,5 +1,5 @@\n a\n-x\n+b\n c\n-y\n+d\n e\n");
}

static void changes_far_apart_have_heads_of_their_own(void **state) {
  (void)state;
  differs("a\n1\n2\n3\n4\n5\n6\n7\nz\n", "A\n1\n2\n3\n4\n5\n6\n7\nZ\n",
          "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-z\n+Z\n");
}

/* Beyond the limit, the cost must not grow with the square: everything is shown as changed. */
static void long_stretches_are_shown_whole(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf before = STRBUF_INIT, after = STRBUF_INIT, out = STRBUF_INIT;
  for (int i = 0; i < 3 * LINE_DIFF_MAX; i++) {
    strbuf_printf(&before, "%d\n", i);
    strbuf_printf(&after, "%d\n", i + 1);
  }
  line_diff(&out, strbuf_text(&before), strbuf_text(&after));
  assert_false(strbuf_failed(&out));
  size_t lines = 0;
  for (size_t i = 0; i < out.length; i++)
    lines += out.data[i] == '\n';
  assert_int_equal(lines, 2 * 3 * LINE_DIFF_MAX + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_text_has_no_difference),
      cmocka_unit_test(changed_lines_stand_with_three_around_them),
      cmocka_unit_test(lines_are_added_and_removed),
      cmocka_unit_test(what_both_have_stays_between_changes),
      cmocka_unit_test(changes_far_apart_have_heads_of_their_own),
      cmocka_unit_test(long_stretches_are_shown_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
