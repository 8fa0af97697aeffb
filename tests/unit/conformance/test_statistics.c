/* Sample sizes, and verdicts on counts. What they rest on is in test_binomial.c; error rates are measured in
 * test_split_simulation.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/conformance/binomial.h"
#include "host/conformance/statistics.h"
#include "tests/unit/conformance/multinomial.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_close(double actual, double expected) {
  if (fabs(actual - expected) > 1e-11 * fabs(expected))
    fail_msg("got %.17g, expected %.17g", actual, expected);
}

/* The rejected counts of a test: what it does is the sum of their probabilities under what is really the case. */
static double rejection(uint64_t n, double p, double alpha, double actual) {
  double sum = 0;
  for (uint64_t k = 0; k <= n; k++)
    if (binomial_test(n, k, p) <= alpha)
      sum += exp(binomial_log_pmf(n, k, actual));
  return sum;
}

static void test_a_fair_split_fails_with_at_most_alpha(void **state) {
  static const double shares[] = {0.05, 0.1, 1.0 / 3, 0.5, 0.98};
  static const double alphas[] = {1e-2, 1e-4, SPLIT_ALPHA};
  (void)state;
  for (size_t i = 0; i < COUNT(shares); i++)
    for (size_t k = 0; k < COUNT(alphas); k++) {
      double rate = rejection(1000, shares[i], alphas[k], shares[i]);
      assert_true(rate <= alphas[k] * (1 + 1e-9));
      assert_true(rate > 0);
    }
}

/* By exact arithmetic: 1661 requests have power 0.99900043 to tell 1/20 from 1/10 at 1e-6, and 1660 have 0.99897386. */
static void test_sample_sizes(void **state) {
  static const double shares[] = {0.95, 0.05};
  (void)state;
  assert_int_equal(split_sample_size(shares, 2, SPLIT_ALPHA, SPLIT_POWER, SPLIT_SHIFT), 1661);
  assert_close(rejection(1661, 0.05, SPLIT_ALPHA, 0.1), 0.9990004339127886);
  assert_close(rejection(1660, 0.05, SPLIT_ALPHA, 0.1), 0.9989738561891405);
  assert_close(rejection(1661, 0.05, SPLIT_ALPHA, 0.05), 8.529893763517542e-07);
  assert_int_equal(split_sample_size((const double[]){0.97, 0.03}, 2, SPLIT_ALPHA, SPLIT_POWER, SPLIT_SHIFT), 1205);
  assert_int_equal(split_sample_size((const double[]){0.93, 0.07}, 2, SPLIT_ALPHA, SPLIT_POWER, SPLIT_SHIFT), 2113);
  assert_int_equal(leak_sample_size(0.01, 0.999), 688); /* 0.99^688 < 0.001 < 0.99^687 */
  assert_true(pow(0.99, 688) < 0.001 && pow(0.99, 687) > 0.001);
  assert_int_equal(leak_sample_size(1, 0.999), 1);
  assert_int_equal(split_sample_size((const double[]){0, 0}, 2, SPLIT_ALPHA, SPLIT_POWER, SPLIT_SHIFT), 0);
}

static void test_a_sample_shows_who_gets_anything(void **state) {
  (void)state;
  assert_int_equal(presence_sample_size((const double[]){1, 0}, 2), 688);
  assert_int_equal(presence_sample_size((const double[]){0.5, 0.5}, 2), 135); /* 0.95^135 < 0.001 < 0.95^134 */
  assert_true(pow(0.95, 135) < 0.001 && pow(0.95, 134) > 0.001);
  /* A small share decides: that it gets nothing must be next to impossible. */
  uint64_t requests = presence_sample_size((const double[]){0.99, 0.01}, 2);
  assert_int_equal(requests, 1444);
  assert_true(pow(0.99, 1444) <= SPLIT_ALPHA / 2 && pow(0.99, 1443) > SPLIT_ALPHA / 2);
  assert_int_equal(presence_sample_size((const double[]){0.99, 0.01, 0}, 3), 1444);
  assert_int_equal(presence_sample_size((const double[]){0, 0}, 2), 688);
}

static void test_a_sample_has_its_power(void **state) {
  static const double sets[][3] = {{0.9, 0.1, 0}, {2.0 / 3, 1.0 / 3, 0}, {0.5, 0.5, 0}, {0.8, 0.1, 0.1}};
  (void)state;
  for (size_t i = 0; i < COUNT(sets); i++) {
    size_t weighted = sets[i][2] > 0 ? 3 : 2;
    double alpha = weighted > 2 ? SPLIT_ALPHA / 3 : SPLIT_ALPHA;
    uint64_t n = split_sample_size(sets[i], 3, SPLIT_ALPHA, SPLIT_POWER, SPLIT_SHIFT);
    for (size_t k = 0; k < weighted; k++) {
      assert_true(rejection(n, sets[i][k], alpha, sets[i][k] - SPLIT_SHIFT) >= SPLIT_POWER);
      assert_true(rejection(n, sets[i][k], alpha, sets[i][k] + SPLIT_SHIFT) >= SPLIT_POWER);
    }
  }
}

static void test_judge_shares(void **state) {
  struct split_verdict verdict;
  (void)state;
  split_judge((const uint64_t[]){682, 243}, (const uint32_t[]){3, 1}, 2, 0, 0.05, &verdict);
  assert_true(verdict.fair);
  assert_close(verdict.p_value, 3.824915595748517e-01);
  split_judge((const uint64_t[]){184, 51}, (const uint32_t[]){5, 1}, 2, 0, 0.05, &verdict);
  assert_false(verdict.fair);
  assert_int_equal(verdict.strays, 0);
  /* With three backends each is tested, and the smallest p-value counts three times. */
  split_judge((const uint64_t[]){300, 350, 350}, (const uint32_t[]){1, 1, 1}, 3, 0, 0.05, &verdict);
  assert_true(verdict.fair);
  assert_close(verdict.p_value, 3 * 2.678905546950108e-02);
  assert_int_equal(verdict.worst, 0);
}

static void test_judge_strays(void **state) {
  struct split_verdict verdict;
  (void)state;
  split_judge((const uint64_t[]){500, 500, 1}, (const uint32_t[]){1, 1, 0}, 3, 0, SPLIT_ALPHA, &verdict);
  assert_false(verdict.fair);
  assert_int_equal(verdict.strays, 1);
  assert_int_equal(verdict.worst, 2);
  split_judge((const uint64_t[]){500, 500, 0}, (const uint32_t[]){1, 1, 0}, 3, 2, SPLIT_ALPHA, &verdict);
  assert_false(verdict.fair);
  assert_int_equal(verdict.strays, 2);
  split_judge((const uint64_t[]){500, 500, 0}, (const uint32_t[]){1, 1, 0}, 3, 0, SPLIT_ALPHA, &verdict);
  assert_true(verdict.fair);
}

static void test_judge_nothing(void **state) {
  struct split_verdict verdict;
  (void)state;
  split_judge((const uint64_t[]){0, 0}, (const uint32_t[]){1, 1}, 2, 0, SPLIT_ALPHA, &verdict);
  assert_false(verdict.fair); /* no request shows nothing */
  split_judge((const uint64_t[]){0, 0}, (const uint32_t[]){0, 0}, 2, 0, SPLIT_ALPHA, &verdict);
  assert_true(verdict.fair);
  split_judge((const uint64_t[]){10}, (const uint32_t[]){5}, 1, 0, SPLIT_ALPHA, &verdict);
  assert_true(verdict.fair);
}

static void test_multinomial_exact(void **state) {
  static const double thirds[] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  static const double quarters[] = {0.25, 0.25, 0.25, 0.25};
  static const double uneven[] = {0.5, 0.3, 0.2};
  int exact = 0;
  (void)state;
  assert_close(multinomial_test((const uint64_t[]){1, 2, 7}, thirds, 3, 1, 100, 1000, &exact), 9.312604785855814e-02);
  assert_int_equal(exact, 1);
  assert_close(multinomial_test((const uint64_t[]){12, 5, 3, 0}, quarters, 4, 1, 100, 10000, &exact),
               8.005118870642036e-04);
  assert_close(multinomial_test((const uint64_t[]){30, 15, 5}, uneven, 3, 1, 100, 10000, &exact),
               1.641801561722879e-01);
  assert_int_equal(exact, 1);
}

static void test_multinomial_edges(void **state) {
  int exact = 0;
  (void)state;
  assert_true(multinomial_test((const uint64_t[]){5, 1}, (const double[]){1, 0}, 2, 1, 100, 100, &exact) == 0);
  assert_true(multinomial_test((const uint64_t[]){5, 0}, (const double[]){1, 0}, 2, 1, 100, 100, &exact) == 1);
  assert_true(multinomial_test((const uint64_t[]){0, 0}, (const double[]){0.5, 0.5}, 2, 1, 100, 100, &exact) == 1);
  /* With two categories it is the binomial test. */
  assert_close(multinomial_test((const uint64_t[]){61, 39}, (const double[]){0.5, 0.5}, 2, 1, 100, 1000, &exact),
               3.520020021770481e-02);
  assert_close(multinomial_test((const uint64_t[]){61, 39}, (const double[]){0.5, 0.5}, 2, 1, 100, 1000, &exact),
               binomial_test(100, 61, 0.5));
}

static void test_multinomial_monte_carlo(void **state) {
  static const double uneven[] = {0.5, 0.3, 0.2};
  int exact = 1;
  (void)state;
  double p_value = multinomial_test((const uint64_t[]){30, 15, 5}, uneven, 3, 42, 40000, 10, &exact);
  assert_int_equal(exact, 0);
  assert_true(fabs(p_value - 0.1641801561722879) < 4 * sqrt(0.164 * 0.836 / 40000));
  assert_true(multinomial_test((const uint64_t[]){30, 15, 5}, uneven, 3, 42, 40000, 10, &exact) == p_value);
  double least = multinomial_test((const uint64_t[]){0, 0, 50}, uneven, 3, 42, 999, 10, &exact);
  assert_close(least, 1.0 / 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_fair_split_fails_with_at_most_alpha),
      cmocka_unit_test(test_sample_sizes),
      cmocka_unit_test(test_a_sample_shows_who_gets_anything),
      cmocka_unit_test(test_a_sample_has_its_power),
      cmocka_unit_test(test_judge_shares),
      cmocka_unit_test(test_judge_strays),
      cmocka_unit_test(test_judge_nothing),
      cmocka_unit_test(test_multinomial_exact),
      cmocka_unit_test(test_multinomial_edges),
      cmocka_unit_test(test_multinomial_monte_carlo),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
