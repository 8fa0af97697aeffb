/* The median and its interval: against published tables, and by hand. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/load/median.h"
#include "sdk/base/memory.h"

static void the_middle_is_found_in_any_order(void **state) {
  static const double odd[] = {5, 1, 9}, even[] = {4, 1, 3, 2}, one[] = {7};
  struct median_estimate estimate;
  (void)state;
  assert_int_equal(median_estimate(odd, 3, &estimate), 0);
  assert_true(estimate.value == 5 && estimate.level == 0);
  assert_int_equal(median_estimate(even, 4, &estimate), 0);
  assert_true(estimate.value == 2.5 && estimate.level == 0);
  assert_int_equal(median_estimate(one, 1, &estimate), 0);
  assert_true(estimate.value == 7 && estimate.level == 0);
}

/* Which order statistics hold the median at 95% (Conover, Practical Nonparametric Statistics, 3.2; in most textbooks
 * as the table of the sign test at 5%): from the k-th lowest to the k-th highest. */
static void intervals_are_those_of_the_tables(void **state) {
  static const struct {
    size_t count, k; /* 0: none */
    double level;
  } table[] = {{5, 0, 0},         {6, 1, 0.96875},  {7, 1, 0.984375}, {8, 1, 0.9921875},
               {9, 2, 0.9609375}, {10, 2, 0.97852}, {12, 3, 0.96143}, {15, 4, 0.96484},
               {20, 6, 0.95861},  {25, 8, 0.95671}, {30, 10, 0.95723}};
  double values[MEDIAN_VALUES_MAX];
  struct median_estimate estimate;
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
    size_t count = table[i].count;
    for (size_t j = 0; j < count; j++) /* 1 to count, backwards */
      values[j] = (double)(count - j);
    assert_int_equal(median_estimate(values, count, &estimate), 0);
    assert_true(fabs(estimate.level - table[i].level) < 5e-6);
    if (table[i].k == 0)
      continue;
    assert_true(estimate.low == (double)table[i].k);
    assert_true(estimate.high == (double)(count + 1 - table[i].k));
  }
}

static void what_is_no_series_is_refused(void **state) {
  double values[MEDIAN_VALUES_MAX + 1] = {0};
  struct median_estimate estimate;
  (void)state;
  assert_int_equal(median_estimate(values, 0, &estimate), -EINVAL);
  assert_int_equal(median_estimate(values, MEDIAN_VALUES_MAX + 1, &estimate), -EINVAL);
  assert_int_equal(median_estimate(values, MEDIAN_VALUES_MAX, &estimate), 0);
  assert_true(estimate.level >= 0.95 && estimate.level < 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_middle_is_found_in_any_order),
      cmocka_unit_test(intervals_are_those_of_the_tables),
      cmocka_unit_test(what_is_no_series_is_refused),
  };
  return cmocka_run_group_tests_name("median", tests, NULL, NULL);
}
