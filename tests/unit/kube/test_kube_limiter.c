/* The token bucket, by a clock that the test makes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/transport/kube/limiter.h"
#include "sdk/base/clock.h"

#define START (1000 * NS_PER_SECOND)

static void test_a_burst_and_then_the_rate(void **state) {
  struct limiter limiter;

  (void)state;
  assert_int_equal(limiter_init(&limiter, 10, 3, NULL), 0);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(limiter_reserve(&limiter, START, INT64_MAX), 0);
  assert_int_equal(limiter_reserve(&limiter, START, INT64_MAX), 100 * NS_PER_MS);
  assert_int_equal(limiter_reserve(&limiter, START, INT64_MAX), 200 * NS_PER_MS);
  assert_int_equal(limiter_reserve(&limiter, START + 250 * NS_PER_MS, INT64_MAX), 50 * NS_PER_MS);
  limiter_finish(&limiter);
}

static void test_a_pause_saves_up_the_burst_alone(void **state) {
  struct limiter limiter;

  (void)state;
  assert_int_equal(limiter_init(&limiter, 10, 2, NULL), 0);
  assert_int_equal(limiter_reserve(&limiter, START, INT64_MAX), 0);
  for (unsigned i = 0; i < 2; i++)
    assert_int_equal(limiter_reserve(&limiter, START + 100 * NS_PER_SECOND, INT64_MAX), 0);
  assert_int_equal(limiter_reserve(&limiter, START + 100 * NS_PER_SECOND, INT64_MAX), 100 * NS_PER_MS);
  limiter_finish(&limiter);
}

static void test_what_comes_too_late_is_not_taken(void **state) {
  struct limiter limiter;

  (void)state;
  assert_int_equal(limiter_init(&limiter, 1, 1, NULL), 0);
  assert_int_equal(limiter_reserve(&limiter, START, INT64_MAX), 0);
  for (unsigned i = 0; i < 5; i++)
    assert_int_equal(limiter_reserve(&limiter, START, START + NS_PER_SECOND / 2), -1);
  assert_int_equal(limiter_reserve(&limiter, START, START + NS_PER_SECOND), NS_PER_SECOND);
  limiter_finish(&limiter);
}

static void test_no_limit(void **state) {
  struct limiter limiter;

  (void)state;
  assert_int_equal(limiter_init(&limiter, 0, 1, NULL), 0);
  for (unsigned i = 0; i < 1000; i++)
    assert_int_equal(limiter_reserve(&limiter, START, START), 0);
  limiter_finish(&limiter);
  assert_int_equal(limiter_init(&limiter, 1, 0, NULL), -EINVAL);
}

static void test_a_wait_is_cancelled(void **state) {
  atomic_bool cancel = true;

  (void)state;
  assert_int_equal(limiter_wait(3600 * NS_PER_SECOND, &cancel), -ECANCELED);
  atomic_store(&cancel, false);
  assert_int_equal(limiter_wait(0, &cancel), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_burst_and_then_the_rate),
      cmocka_unit_test(test_a_pause_saves_up_the_burst_alone),
      cmocka_unit_test(test_what_comes_too_late_is_not_taken),
      cmocka_unit_test(test_no_limit),
      cmocka_unit_test(test_a_wait_is_cancelled),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
