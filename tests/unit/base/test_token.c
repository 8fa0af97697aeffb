#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sdk/base/token.h"

static void tokens_are_those_of_http(void **state) {
  static const char *const tokens[] = {"GET", "x-trammel-id", "!#$%&'*+-.^_`|~09azAZ", "*"};
  static const char *const others[] = {"", "a b", "a:", "a\t", "(", "a/b", "{}", "\"", "\xc3\xa4", "\x7f", "a,"};
  (void)state;
  for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++)
    assert_true(token_valid(tokens[i], strlen(tokens[i])));
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
    assert_false(token_valid(others[i], strlen(others[i])));
  assert_false(token_valid("a\0b", 3));
  assert_true(token_valid("a: b", 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tokens_are_those_of_http)};
  return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
