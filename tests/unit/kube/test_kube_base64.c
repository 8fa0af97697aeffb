/* Base64. The texts are those of RFC 4648, section 10. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/base64.h"

static const char *const pairs[][2] = {{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="},
                                       {"fooba", "Zm9vYmE="},
                                       {"foobar", "Zm9vYmFy"}};

static void test_both_ways(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
    char *data = NULL;
    size_t length = 0;
    char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
    assert_string_equal(text, pairs[i][1]);
    assert_int_equal(base64_decode(text, strlen(text), &data, &length), 0);
    assert_int_equal(length, strlen(pairs[i][0]));
    assert_string_equal(data, pairs[i][0]);
    free(data);
    free(text);
  }
}

static void test_all_bytes(void **state) {
  unsigned char bytes[256];
  char *data = NULL;
  size_t length = 0;

  (void)state;
  for (unsigned i = 0; i < 256; i++)
    bytes[i] = (unsigned char)i;
  char *text = base64_encode(bytes, sizeof(bytes));
  assert_int_equal(base64_decode(text, strlen(text), &data, &length), 0);
  assert_int_equal(length, sizeof(bytes));
  assert_memory_equal(data, bytes, sizeof(bytes));
  free(data);
  free(text);
}

static void test_lines_are_joined(void **state) {
  char *data = NULL;
  size_t length = 0;

  (void)state;
  assert_int_equal(base64_decode("Zm9v\n YmFy\r\n", 11, &data, &length), 0);
  assert_string_equal(data, "foobar");
  free(data);
}

static void test_what_is_none(void **state) {
  static const char *const bad[] = {
      "Zg", "Zg=", "Z===", "=", "Zg==Zg==", "Zm9v=", "Zm-v", "Zm9vY", "Z=g=", "====", "Zm8=="};
  char *data = NULL;
  size_t length = 0;

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    if (base64_decode(bad[i], strlen(bad[i]), &data, &length) != -EINVAL)
      fail_msg("%s is taken for base64", bad[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_ways),
      cmocka_unit_test(test_all_bytes),
      cmocka_unit_test(test_lines_are_joined),
      cmocka_unit_test(test_what_is_none),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
