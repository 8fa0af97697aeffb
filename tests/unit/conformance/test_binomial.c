/* The binomial distribution and its exact test against published values, and against whole numbers.
 *
 * Published are: the example of R's documentation of binom.test (from Conover 1971, p. 97: 682 of 925 at 3/4, with its
 * p-value and its 95% confidence interval), the cumulative binomial table in the appendix of most textbooks (four
 * digits), and the widely used example of 51 of 235 at 1/6. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/conformance/binomial.h"
#include "tests/unit/conformance/confidence.h"
#include "tests/unit/conformance/rational.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_digits(double actual, double published, double half_a_digit) {
  if (fabs(actual - published) > half_a_digit)
    fail_msg("got %.9g, published is %.9g", actual, published);
}

static void test_published_p_values(void **state) {
  (void)state;
  assert_digits(binomial_test(925, 682, 0.75), 0.3825, 5e-5);
  assert_digits(binomial_test(235, 51, 1.0 / 6), 0.0437, 5e-5);
}

static void test_published_confidence_intervals(void **state) {
  (void)state;
  assert_digits(confidence_lower(925, 682, 0.025), 0.7076683, 5e-8);
  assert_digits(confidence_upper(925, 682, 0.025), 0.7654066, 5e-8);
  /* Of none, the bound has a closed form. */
  assert_digits(confidence_upper(100000, 0, 0.001), 1 - pow(0.001, 1e-5), 1e-12);
  assert_true(confidence_lower(100000, 0, 0.001) == 0);
  assert_true(confidence_upper(10, 10, 0.001) == 1);
}

/* P(X <= k) for n = 7, by p = 0.05, 0.10, … 0.50. */
static void test_published_table(void **state) {
  static const double table[][10] = {
      {.6983, .4783, .3206, .2097, .1335, .0824, .0490, .0280, .0152, .0078},
      {.9556, .8503, .7166, .5767, .4449, .3294, .2338, .1586, .1024, .0625},
      {.9962, .9743, .9262, .8520, .7564, .6471, .5323, .4199, .3164, .2266},
      {.9998, .9973, .9879, .9667, .9294, .8740, .8002, .7102, .6083, .5000},
  };
  (void)state;
  for (uint64_t k = 0; k < COUNT(table); k++)
    for (size_t i = 0; i < 10; i++) {
      double p = 0.05 * (double)(i + 1);
      assert_digits(binomial_lower(7, k, p), table[k][i], 5.001e-5);
      assert_digits(binomial_upper(7, k + 1, p), 1 - table[k][i], 5.001e-5);
    }
}

static void assert_close(double actual, long double exact) {
  if (fabsl((long double)actual - exact) > 1e-11L * fabsl(exact))
    fail_msg("got %.17g, exact is %.17Lg", actual, exact);
}

static void assert_count(const struct rational_binomial *exact, uint64_t k, double p) {
  long double log_pmf = logl(rational_pmf(exact, k));
  if (fabsl(binomial_log_pmf(exact->n, k, p) - log_pmf) > 1e-11L)
    fail_msg("ln P(X = %lu) is %.17g, exact is %.17Lg", (unsigned long)k, binomial_log_pmf(exact->n, k, p), log_pmf);
  assert_close(binomial_lower(exact->n, k, p), rational_lower(exact, k));
  assert_close(binomial_test(exact->n, k, p), rational_test(exact, k));
}

/* Every count of small samples, at shares that cases use and at those that go wrong first. */
static void test_every_count_against_whole_numbers(void **state) {
  static const uint32_t shares[][2] = {{1, 2}, {1, 3}, {1, 10}, {1, 20}, {3, 100}, {7, 100}, {93, 100}, {49, 50}};
  static const uint64_t sizes[] = {1, 2, 3, 10, 17, 24, 60, 150};
  (void)state;
  for (size_t i = 0; i < COUNT(shares); i++)
    for (size_t k = 0; k < COUNT(sizes); k++) {
      struct rational_binomial exact;
      rational_binomial_init(&exact, sizes[k], shares[i][0], shares[i][1]);
      for (uint64_t count = 0; count <= sizes[k]; count++)
        assert_count(&exact, count, (double)shares[i][0] / shares[i][1]);
      rational_binomial_finish(&exact);
    }
}

/* The sample sizes of a run: around the middle, and where a verdict tips over and far beyond. */
static void test_samples_of_a_run_against_whole_numbers(void **state) {
  static const struct {
    uint64_t n;
    uint32_t a, b;
    uint64_t counts[8];
  } samples[] = {
      {1661, 1, 20, {0, 34, 60, 83, 84, 122, 134, 300}},       {1205, 3, 100, {0, 10, 36, 37, 66, 71, 97, 250}},
      {2721, 1, 10, {150, 199, 272, 273, 350, 408, 500, 600}}, {688, 1, 100, {0, 1, 6, 7, 8, 20, 40, 100}},
      {925, 3, 4, {500, 620, 682, 693, 694, 750, 760, 925}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(samples); i++) {
    struct rational_binomial exact;
    rational_binomial_init(&exact, samples[i].n, samples[i].a, samples[i].b);
    for (size_t k = 0; k < COUNT(samples[i].counts); k++)
      assert_count(&exact, samples[i].counts[k], (double)samples[i].a / samples[i].b);
    rational_binomial_finish(&exact);
  }
}

static void test_edges(void **state) {
  (void)state;
  assert_true(binomial_log_pmf(10, 11, 0.5) == -INFINITY);
  assert_true(binomial_log_pmf(10, 1, 0) == -INFINITY);
  assert_true(binomial_log_pmf(10, 9, 1) == -INFINITY);
  assert_true(binomial_log_pmf(10, 0, 0) == 0);
  assert_true(binomial_log_pmf(10, 10, 1) == 0);
  assert_true(binomial_lower(10, 10, 0.3) == 1);
  assert_true(binomial_upper(10, 0, 0.3) == 1);
  assert_true(binomial_upper(10, 11, 0.3) == 0);
  assert_true(binomial_lower(10, 3, 0) == 1);
  assert_true(binomial_upper(10, 3, 0) == 0);
  assert_true(binomial_lower(10, 3, 1) == 0);
  assert_true(binomial_test(10, 11, 0.5) == 0);
  assert_true(binomial_test(10, 0, 0) == 1 && binomial_test(10, 1, 0) == 0);
  assert_true(binomial_test(10, 10, 1) == 1 && binomial_test(10, 9, 1) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_published_p_values),
      cmocka_unit_test(test_published_confidence_intervals),
      cmocka_unit_test(test_published_table),
      cmocka_unit_test(test_every_count_against_whole_numbers),
      cmocka_unit_test(test_samples_of_a_run_against_whole_numbers),
      cmocka_unit_test(test_edges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
