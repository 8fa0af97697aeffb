/* Intervals of one run's quantiles: none where too little was seen, the same again for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/load/bootstrap.h"
#include "sdk/base/clock.h"

/* Second s has `per_s` values of about `step_ns` (s + 1). */
static struct bootstrap *of_run(int64_t seconds, int64_t per_s, int64_t step_ns) {
  _cleanup_(timeline_destroy_p) struct timeline *timeline = timeline_create();
  struct bootstrap *bootstrap;
  for (int64_t s = 0; s < seconds; s++)
    for (int64_t i = 0; i < per_s; i++)
      timeline_record(timeline, s * NS_PER_SECOND, step_ns ? step_ns * (s + 1) : 500);
  timeline_end(timeline);
  assert_int_equal(bootstrap_create(timeline, &bootstrap), 0);
  return bootstrap;
}

static void too_few_values_tell_nothing(void **state) {
  (void)state;
  assert_false(quantile_tells(367, 0.99));
  assert_true(quantile_tells(368, 0.99));
  assert_false(quantile_tells(3687, 0.999));
  assert_true(quantile_tells(3688, 0.999));
  assert_false(quantile_tells(5, 0.5));
  assert_true(quantile_tells(6, 0.5));
}

static void too_few_blocks_or_values_have_no_interval(void **state) {
  _cleanup_(bootstrap_destroy_p) struct bootstrap *empty = of_run(0, 0, 0), *nine = of_run(9, 1000, 0),
                                                  *ten = of_run(10, 36, 0);
  int64_t low, high;
  (void)state;
  assert_false(bootstrap_interval(empty, 0.5, 1, &low, &high));
  assert_false(bootstrap_interval(nine, 0.5, 1, &low, &high));
  assert_false(bootstrap_interval(ten, 0.99, 1, &low, &high));
  assert_true(bootstrap_interval(ten, 0.9, 1, &low, &high));
  assert_int_equal(low, 500);
  assert_int_equal(high, 500);
}

/* The median of 20 seconds drawn from 1 … 20 is between 5 and 16 at 97.2%, and between 6 and 15 at 93%. */
static void an_interval_is_as_wide_as_the_blocks_differ(void **state) {
  _cleanup_(bootstrap_destroy_p) struct bootstrap *bootstrap = of_run(20, 10, 10);
  int64_t low, high, again_low, again_high;
  (void)state;
  assert_true(bootstrap_interval(bootstrap, 0.5, 3, &low, &high));
  assert_in_range(low, 50, 70);
  assert_in_range(high, 130, 160);
  assert_true(bootstrap_interval(bootstrap, 0.5, 3, &again_low, &again_high));
  assert_int_equal(low, again_low);
  assert_int_equal(high, again_high);
}

/* Of 20 seconds only the last has values: a draw without it says nothing, rather than that nothing took any time. */
static void draws_of_empty_blocks_say_nothing(void **state) {
  _cleanup_(timeline_destroy_p) struct timeline *timeline = timeline_create();
  _cleanup_(bootstrap_destroy_p) struct bootstrap *bootstrap = NULL;
  int64_t low, high;
  (void)state;
  for (int i = 0; i < 1000; i++)
    timeline_record(timeline, 19 * NS_PER_SECOND, 500);
  timeline_end(timeline);
  assert_int_equal(bootstrap_create(timeline, &bootstrap), 0);
  assert_true(bootstrap_interval(bootstrap, 0.5, 1, &low, &high));
  assert_int_equal(low, 500);
  assert_int_equal(high, 500);
}

static void neighbours_are_drawn_together(void **state) {
  _cleanup_(bootstrap_destroy_p) struct bootstrap *few = of_run(64, 10, 1), *many = of_run(130, 10, 1);
  (void)state;
  assert_int_equal(bootstrap_block_s(few), 1);
  assert_int_equal(bootstrap_block_s(many), 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(too_few_values_tell_nothing),
      cmocka_unit_test(too_few_blocks_or_values_have_no_interval),
      cmocka_unit_test(an_interval_is_as_wide_as_the_blocks_differ),
      cmocka_unit_test(draws_of_empty_blocks_say_nothing),
      cmocka_unit_test(neighbours_are_drawn_together),
  };
  return cmocka_run_group_tests_name("bootstrap", tests, NULL, NULL);
}
