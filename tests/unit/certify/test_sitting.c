#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/certify/sitting.h"
#include "sdk/base/utf8.h"

/* Wherever the cut falls in a character, what is left must be UTF-8: JSON takes nothing else. */
static void a_long_reason_is_cut_between_characters(void **state) {
  static const char *const characters[] = {"e", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x83", "\x1b"};
  (void)state;
  for (size_t c = 0; c < sizeof characters / sizeof *characters; c++)
    for (int before = 0; before < 5; before++) {
      struct sitting sitting = {.verdict = CERTIFY_PASSED};
      struct strbuf text = STRBUF_INIT;
      while (text.length < SITTING_REASON_MAX + 8)
        strbuf_puts(&text, characters[c]);
      sitting_fail(&sitting, "%.*s%s", before, "abcde", strbuf_text(&text));
      size_t length = strlen(sitting.reason), bad = 0;
      assert_true(utf8_valid(sitting.reason, length, &bad));
      assert_true(length >= SITTING_REASON_MAX - 5);
      assert_true(sitting_failed(&sitting));
      strbuf_finish(&text);
    }
}

static void the_weightiest_finding_counts_and_the_first_of_its_weight(void **state) {
  (void)state;
  struct sitting sitting = {.verdict = CERTIFY_PASSED};
  sitting_note(&sitting, "a note");
  sitting_warn(&sitting, "a warning");
  assert_false(sitting_failed(&sitting));
  sitting_fail(&sitting, "a failure");
  sitting_fail(&sitting, "another");
  sitting_skip(&sitting, "nothing to do");
  char reason[SITTING_REASON_MAX];
  unsigned findings;
  assert_int_equal(sitting_verdict(&sitting, reason, &findings), CERTIFY_FAILED);
  assert_string_equal(reason, "a failure");
  assert_int_equal(findings, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_reason_is_cut_between_characters),
      cmocka_unit_test(the_weightiest_finding_counts_and_the_first_of_its_weight),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
