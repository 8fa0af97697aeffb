/* Bytes as hexadecimal digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sdk/base/hex.h"

static void bytes_become_two_digits_each(void **state) {
  (void)state;
  static const unsigned char bytes[] = {0x00, 0x0f, 0xa0, 0xff, 0x7e};
  char text[2 * sizeof bytes + 1];
  hex_write(bytes, sizeof bytes, text);
  assert_string_equal(text, "000fa0ff7e");
  hex_write(bytes, 0, text);
  assert_string_equal(text, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_become_two_digits_each)};
  return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
