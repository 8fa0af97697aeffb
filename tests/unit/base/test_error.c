#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/error.h"

static void an_error_carries_code_and_text(void **state) {
  _cleanup_error_ struct error *err = NULL;

  (void)state;
  assert_int_equal(error_set(&err, ENOENT, "no %s at %d", "file", 7), -ENOENT);
  assert_int_equal(error_code(err), ENOENT);
  assert_string_equal(error_message(err), "no file at 7");
}

static void a_new_error_may_quote_the_one_it_replaces(void **state) {
  _cleanup_error_ struct error *err = NULL;

  (void)state;
  (void)error_set(&err, EINVAL, "first");
  assert_int_equal(error_set(&err, EIO, "second after %s", error_message(err)), -EIO);
  assert_string_equal(error_message(err), "second after first");
}

static void wrapping_puts_context_in_front_and_keeps_the_code(void **state) {
  _cleanup_error_ struct error *err = NULL;

  (void)state;
  (void)error_set(&err, EINVAL, "line 3");
  assert_int_equal(error_wrap(&err, "reading %s", "a.yaml"), -EINVAL);
  assert_int_equal(error_wrap(&err, "loading"), -EINVAL);
  assert_string_equal(error_message(err), "loading: reading a.yaml: line 3");
}

static void nobody_has_to_take_the_error(void **state) {
  struct error *none = NULL;

  (void)state;
  assert_int_equal(error_set(NULL, EPERM, "dropped"), -EPERM);
  assert_int_equal(error_wrap(NULL, "dropped"), -EIO);
  assert_int_equal(error_wrap(&none, "dropped"), -EIO);
  assert_null(none);
  assert_string_equal(error_message(NULL), "");
  assert_int_equal(error_code(NULL), 0);
  error_free(NULL);
}

/* A wide character that the C locale cannot write makes vasprintf() fail, as running out of memory would. */
static void the_code_survives_without_memory_for_the_text(void **state) {
  _cleanup_error_ struct error *err = NULL;

  (void)state;
  assert_int_equal(error_set(&err, ENOSPC, "%ls", L"\u00e4"), -ENOSPC);
  assert_int_equal(error_code(err), ENOSPC);
  assert_non_null(strstr(error_message(err), "out of memory"));
  assert_int_equal(error_wrap(&err, "reading"), -ENOSPC);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_error_carries_code_and_text),
      cmocka_unit_test(a_new_error_may_quote_the_one_it_replaces),
      cmocka_unit_test(wrapping_puts_context_in_front_and_keeps_the_code),
      cmocka_unit_test(nobody_has_to_take_the_error),
      cmocka_unit_test(the_code_survives_without_memory_for_the_text),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
