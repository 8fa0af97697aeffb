/* How many programs answer requests at the same time, and how they end with the host. */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "host/runs/process.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

#define SLEEP "/bin/sleep"
#define LIMIT_NS (120 * NS_PER_SECOND)

static int capture(const char *seconds) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *text = NULL;
  json_auto_t *words = json_pack("[s, s]", SLEEP, seconds);
  return process_capture(SLEEP, words, "/", LIMIT_NS, &text, &err);
}

static const struct timespec pause_between = {.tv_nsec = 10 * NS_PER_MS};

static void *sleep_long(void *ret_r) {
  int r;
  while ((r = capture("100")) == -EAGAIN) /* the test's own has the last place */
    (void)nanosleep(&pause_between, NULL);
  *(int *)ret_r = r;
  return NULL;
}

static void no_more_than_some_are_under_way(void **state) {
  pthread_t threads[CAPTURES_MAX];
  int results[CAPTURES_MAX];
  int64_t until_ns = clock_in_ns(LIMIT_NS);
  (void)state;
  assert_int_equal(capture("0"), 0);
  for (size_t i = 0; i < CAPTURES_MAX; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, sleep_long, &results[i]), 0);
  int r = 0;
  while ((r = capture("0")) == 0 && clock_monotonic_ns() < until_ns)
    (void)nanosleep(&pause_between, NULL);
  assert_int_equal(r, -EAGAIN);
  process_capture_end();
  for (size_t i = 0; i < CAPTURES_MAX; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(results[i], -ESHUTDOWN);
  }
  assert_true(clock_monotonic_ns() < until_ns);
  assert_int_equal(capture("0"), -ESHUTDOWN);
}

int main(void) {
  static const struct CMUnitTest tests[] = {cmocka_unit_test(no_more_than_some_are_under_way)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
