/* SPDX expressions: which texts are some. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/package/licence.h"

static void expressions_are_taken(void **state) {
  (void)state;
  static const char *const good[] = {
      "MIT",
      "Apache-2.0",
      "CDDL-1.0+",
      "LicenseRef-23",
      "DocumentRef-spdx-tool-1.2:LicenseRef-MIT-Style-2",
      "LGPL-2.1-only OR MIT",
      "LGPL-2.1-only AND MIT AND BSD-2-Clause",
      "GPL-2.0-or-later WITH Bison-exception-2.2",
      "LGPL-2.1-only OR BSD-3-Clause AND MIT",
      "MIT AND (LGPL-2.1-or-later OR BSD-3-Clause)",
      "((MIT)) OR(0BSD)AND ISC",
      "  MIT  OR  ( ISC )  ",
      "ORACLE-1.0 AND ANDROID", /* begin as operators do */
  };
  for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
    _cleanup_error_ struct error *err = NULL;
    if (licence_check(good[i], &err) < 0)
      fail_msg("%s", error_message(err));
  }
}

static void what_is_no_expression_is_told_where(void **state) {
  (void)state;
  static const struct {
    const char *text, *said;
  } bad[] = {
      {"", "expected a licence at its end"},
      {"   ", "expected a licence at its end"},
      {"foo bar", "expected AND, OR or WITH, found 'bar' at character 5"},
      {"MIT and ISC", "expected AND, OR or WITH, found 'and' at character 5"},
      {"MIT AND", "expected a licence at its end"},
      {"AND MIT", "expected a licence, found 'AND' at character 1"},
      {"MIT OR OR ISC", "expected a licence, found 'OR' at character 8"},
      {"MIT WITH", "expected an exception at its end"},
      {"MIT WITH (ISC)", "expected an exception, found '(' at character 10"},
      {"(MIT) WITH x", "expected AND, OR or WITH, found 'WITH'"},
      {"(MIT OR ISC", "expected ')' at its end"},
      {"MIT)", "expected AND, OR or WITH, found ')' at character 4"},
      {"()", "expected a licence, found ')' at character 2"},
      {"MIT(ISC)", "expected AND, OR or WITH, found '(' at character 4"},
      {"GPL-2.0 +", "found '+' at character 9"},
      {"GPL-2.0++", "letters, digits, '.' and '-' only, found '+' at character 9"},
      {"MIT WITH x+", "letters, digits, '.' and '-' only, found '+'"},
      {"LicenseRef-", "expected the licence's name at its end"},
      {"LicenseRef-a+", "letters, digits, '.' and '-' only, found '+'"},
      {"DocumentRef-a", "expected ':LicenseRef-NAME' at its end"},
      {"MIT/ISC", "letters, digits, '.' and '-' only, found '/ISC'"},
      {"MIT, ISC", "letters, digits, '.' and '-' only, found ','"},
      {"MIT\nISC", "letters, digits, '.' and '-' only"},
      {"\xc3\xa9", "expected a licence, found"},
  };
  for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
    _cleanup_error_ struct error *err = NULL;
    if (licence_check(bad[i].text, &err) != -EINVAL || !strstr(error_message(err), bad[i].said))
      fail_msg("'%s': expected \"%s\", found \"%s\"", bad[i].text, bad[i].said, error_message(err));
  }
}

static void parentheses_have_a_limit(void **state) {
  (void)state;
  char text[2 * LICENCE_PARENTHESES_MAX + 8];
  for (size_t depth = LICENCE_PARENTHESES_MAX; depth <= LICENCE_PARENTHESES_MAX + 1; depth++) {
    _cleanup_error_ struct error *err = NULL;
    memset(text, '(', depth);
    memcpy(text + depth, "MIT", 3);
    memset(text + depth + 3, ')', depth);
    text[2 * depth + 3] = '\0';
    assert_int_equal(licence_check(text, &err), depth > LICENCE_PARENTHESES_MAX ? -EINVAL : 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(expressions_are_taken),
      cmocka_unit_test(what_is_no_expression_is_told_where),
      cmocka_unit_test(parentheses_have_a_limit),
  };
  return cmocka_run_group_tests_name("licence", tests, NULL, NULL);
}
