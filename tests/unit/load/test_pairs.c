/* Pairs of runs: against published tables, and by hand. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/load/histogram.h"
#include "host/load/pairs.h"
#include "sdk/base/memory.h"

static void assert_close(double actual, double expected, double tolerance) {
  if (!(fabs(actual - expected) <= tolerance))
    fail_msg("%.10g should be %.10g", actual, expected);
}

/* Critical values of Wilcoxon's signed-rank test, two-sided at 5% and 1% (Wilcoxon and Wilcox, 1964; in most
 * textbooks): the highest sum of ranks that rejects. */
static void signed_ranks_are_those_of_the_tables(void **state) {
  static const struct {
    size_t count;
    int at_5, at_1; /* -1: none */
  } table[] = {{5, -1, -1},  {6, 0, -1},   {7, 2, -1},   {8, 3, 0},    {9, 5, 1},    {10, 8, 3},   {11, 10, 5},
               {12, 13, 7},  {13, 17, 9},  {14, 21, 12}, {15, 25, 15}, {16, 29, 19}, {17, 34, 23}, {18, 40, 27},
               {19, 46, 32}, {20, 52, 37}, {21, 58, 42}, {22, 65, 48}, {23, 73, 54}, {24, 81, 61}, {25, 89, 68}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
    size_t count = table[i].count;
    if (table[i].at_5 >= 0)
      assert_true(2 * signed_rank_lower(count, (uint64_t)table[i].at_5) <= 0.05);
    assert_true(2 * signed_rank_lower(count, (uint64_t)(table[i].at_5 + 1)) > 0.05);
    if (table[i].at_1 >= 0)
      assert_true(2 * signed_rank_lower(count, (uint64_t)table[i].at_1) <= 0.01);
    assert_true(2 * signed_rank_lower(count, (uint64_t)(table[i].at_1 + 1)) > 0.01);
  }
  assert_close(signed_rank_lower(6, 0), 1.0 / 64, 1e-15);
  assert_close(signed_rank_lower(4, 5), 9.0 / 16, 1e-15); /* of 16 sums, those up to 5: 1 1 1 2 2 2 */
  assert_close(signed_rank_lower(100, 5050), 1, 1e-12);
}

/* Depression scale factors of nine patients before and after a therapy (Hollander and Wolfe, Nonparametric Statistical
 * Methods, table 3.1): R's wilcox.test gives the estimate -0.46 and, of exact 96.1%, -0.786 to -0.010. */
static void the_estimate_is_that_of_hollander_and_wolfe(void **state) {
  static const double before[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
  static const double after[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
  double differences[9];
  struct pairs_estimate estimate;
  (void)state;
  for (size_t i = 0; i < 9; i++)
    differences[i] = after[i] - before[i];
  assert_int_equal(pairs_estimate(differences, 9, &estimate), 0);
  assert_close(estimate.centre, -0.46, 1e-9);
  assert_close(estimate.low, -0.786, 1e-9);
  assert_close(estimate.high, -0.010, 1e-9);
  assert_close(estimate.level, 1 - 20.0 / 512, 1e-12);
}

static void six_pairs_have_the_interval_from_the_lowest_to_the_highest(void **state) {
  static const double differences[] = {0.03, -0.01, 0.05, 0.02, 0.04, 0.01};
  struct pairs_estimate estimate;
  (void)state;
  assert_int_equal(pairs_estimate(differences, 6, &estimate), 0);
  assert_close(estimate.low, -0.01, 1e-15);
  assert_close(estimate.high, 0.05, 1e-15);
  assert_close(estimate.level, 0.96875, 1e-15);
}

static void fewer_have_none(void **state) {
  static const double differences[PAIRS_MAX + 1] = {0.03, 0.01, 0.05, 0.02, 0.04};
  struct pairs_estimate estimate;
  (void)state;
  for (size_t count = 1; count < PAIRS_MIN; count++) {
    assert_int_equal(pairs_estimate(differences, count, &estimate), 0);
    assert_true(estimate.level == 0);
  }
  assert_close(estimate.centre, 0.03, 1e-15);
  assert_int_equal(pairs_estimate(differences, 0, &estimate), -EINVAL);
  assert_int_equal(pairs_estimate(differences, PAIRS_MAX, &estimate), 0);
  assert_true(estimate.level >= PAIRS_LEVEL);
  assert_int_equal(pairs_estimate(differences, PAIRS_MAX + 1, &estimate), -EINVAL);
}

static void superiority_counts_who_is_higher(void **state) {
  _cleanup_(histogram_destroy_p) struct histogram *a = histogram_create(), *b = histogram_create();
  (void)state;
  assert_true(isnan(histogram_superiority(a, b)));
  for (int64_t i = 1; i <= 4; i++)
    histogram_record(a, i);
  histogram_record(b, 2);
  histogram_record(b, 3);
  assert_close(histogram_superiority(a, a), 0.5, 1e-15);
  assert_close(histogram_superiority(a, b), 0.5, 1e-15);
  histogram_record(a, 1000000);
  assert_close(histogram_superiority(a, b), 0.6, 1e-15); /* 8 pairs with 2 wins of each and ties, and 2 wins */
  assert_close(histogram_superiority(b, a), 0.4, 1e-15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signed_ranks_are_those_of_the_tables),
      cmocka_unit_test(the_estimate_is_that_of_hollander_and_wolfe),
      cmocka_unit_test(six_pairs_have_the_interval_from_the_lowest_to_the_highest),
      cmocka_unit_test(fewer_have_none),
      cmocka_unit_test(superiority_counts_who_is_higher),
  };
  return cmocka_run_group_tests_name("pairs", tests, NULL, NULL);
}
