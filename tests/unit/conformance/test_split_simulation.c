/* The error rates of split verdicts, measured at the settings of a run. What is asserted are exact bounds: a rate that
 * is as promised gives such a result with a probability of more than one in a million, and the seeds are fixed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/conformance/binomial.h"
#include "host/conformance/statistics.h"
#include "tests/unit/conformance/confidence.h"
#include "tests/unit/conformance/multinomial_critical.h"
#include "tests/unit/conformance/split_simulation.h"

#define BELIEF 1e-6

static void assert_at_most(uint64_t trials, uint64_t count, double rate) {
  if (binomial_upper(trials, count, rate) < BELIEF)
    fail_msg("%lu of %lu is more than a rate of %g gives", (unsigned long)count, (unsigned long)trials, rate);
}

static void assert_at_least(uint64_t trials, uint64_t count, double rate) {
  if (binomial_lower(trials, count, rate) < BELIEF)
    fail_msg("%lu of %lu is less than a rate of %g gives", (unsigned long)count, (unsigned long)trials, rate);
}

/* The test is exact, so it fails nearly as many as it may: a rate far below would mean that the splits drawn are none.
 */
static void test_fair_splits_fail_as_seldom_as_stated(void **state) {
  unsigned failed = 0;
  (void)state;
  for (size_t i = 0; i < simulation_weighting_count; i++) {
    struct fair_result result = simulate_fair(&simulation_weightings[i], SIMULATION_SEED_FAIR + i);
    assert_at_most(SIMULATION_TRIALS, result.at_hundredth, 1e-2);
    assert_at_least(SIMULATION_TRIALS, result.at_hundredth, 7e-3);
    assert_at_most(SIMULATION_TRIALS, result.at_thousandth, 1e-3);
    assert_at_least(SIMULATION_TRIALS, result.at_thousandth, 7e-4);
    assert_in_range(result.at_run, 0, 1); /* one is to be expected in ten such simulations */
    assert_true(result.computed <= SPLIT_ALPHA && result.computed > SPLIT_ALPHA / 2);
    failed += result.at_run;
  }
  assert_at_most(simulation_weighting_count * (uint64_t)SIMULATION_TRIALS, failed, SPLIT_ALPHA);
}

static void test_a_shift_is_found_as_often_as_stated(void **state) {
  (void)state;
  for (size_t i = 0; i < simulation_weighting_count; i++) {
    uint64_t requests = simulation_requests(&simulation_weightings[i]);
    double power;
    struct shift shift = simulation_hardest(&simulation_weightings[i], requests, &power);
    unsigned found = simulate_shift(&simulation_weightings[i], &shift, requests, SIMULATION_SEED_SHIFT + i, NULL);
    assert_true(power >= SPLIT_POWER);
    assert_at_least(SIMULATION_TRIALS, found, SPLIT_POWER);
    if (simulation_weightings[i].backends == 2) /* other shares may fail, too */
      assert_at_most(SIMULATION_TRIALS, found, power);
  }
}

static void test_a_leak_is_found_as_often_as_stated(void **state) {
  uint64_t requests = leak_sample_size(SPLIT_LEAK, SPLIT_POWER);
  unsigned found = simulate_leak(SPLIT_LEAK, requests, SIMULATION_SEED_LEAK);
  (void)state;
  assert_int_equal(requests, 688);
  assert_at_least(SIMULATION_TRIALS, found, SPLIT_POWER);
  assert_at_most(SIMULATION_TRIALS, found, 1 - pow(0.99, 688));
  assert_int_equal(simulate_leak(0, requests, SIMULATION_SEED_LEAK), 0);
}

/* The sum over all tables of three categories that the test rejects is what was asked for. */
static void test_the_multinomial_test_has_its_level(void **state) {
  static const double shares[] = {0.5, 0.3, 0.2};
  const uint64_t n = 300;
  struct multinomial_critical test;
  struct sampler sampler;
  double level = 0;
  (void)state;
  sampler_seed(&sampler, 1);
  multinomial_critical_init(&test, n, shares, 3, SPLIT_ALPHA, 100000, &sampler);
  for (uint64_t a = 0; a <= n; a++)
    for (uint64_t b = 0; a + b <= n; b++) {
      const uint64_t counts[] = {a, b, n - a - b};
      if (multinomial_rejects(&test, counts))
        level += exp(test.log_factorials[n] + multinomial_log_weight(&test, counts));
    }
  multinomial_critical_finish(&test);
  if (fabs(level - SPLIT_ALPHA) > 0.05 * SPLIT_ALPHA)
    fail_msg("the level is %g", level);
}

/* Chi-square of 20,000 samples against the probabilities of the counts. */
static void assert_binomial_samples(struct sampler *sampler, uint64_t n, double p) {
  enum { SAMPLES = 20000, CELLS = 64 };
  unsigned seen[CELLS] = {0};
  double chi = 0;
  unsigned cells = 0;
  assert_true(n < CELLS);
  for (unsigned i = 0; i < SAMPLES; i++) {
    uint64_t k = sampler_binomial(sampler, n, p);
    assert_true(k <= n);
    seen[k]++;
  }
  for (uint64_t k = 0; k <= n; k++) {
    double expected = SAMPLES * exp(binomial_log_pmf(n, k, p));
    if (expected < 5)
      continue;
    chi += (seen[k] - expected) * (seen[k] - expected) / expected;
    cells++;
  }
  double spread = sqrt(2.0 * cells);
  if (chi > cells + 5 * spread || chi < cells - 5 * spread)
    fail_msg("chi-square %g in %u cells of %lu at %g", chi, cells, (unsigned long)n, p);
}

static void test_samples_are_binomial(void **state) {
  struct sampler sampler;
  (void)state;
  sampler_seed(&sampler, 42);
  assert_binomial_samples(&sampler, 40, 0.5);
  assert_binomial_samples(&sampler, 63, 0.03);
  assert_binomial_samples(&sampler, 30, 0.9);
  assert_int_equal(sampler_binomial(&sampler, 0, 0.5), 0);
  assert_int_equal(sampler_binomial(&sampler, 9, 0), 0);
  assert_int_equal(sampler_binomial(&sampler, 9, 1), 9);
}

/* The first numbers of the generator with the state 1, 2, 3, 4, worked out by hand from its definition. */
static void test_the_generator_is_the_published_one(void **state) {
  struct sampler sampler = {.words = {1, 2, 3, 4}};
  (void)state;
  assert_int_equal(sampler_bits(&sampler), 41943041);
  assert_int_equal(sampler_bits(&sampler), 58720359);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_generator_is_the_published_one),
      cmocka_unit_test(test_samples_are_binomial),
      cmocka_unit_test(test_fair_splits_fail_as_seldom_as_stated),
      cmocka_unit_test(test_a_shift_is_found_as_often_as_stated),
      cmocka_unit_test(test_a_leak_is_found_as_often_as_stated),
      cmocka_unit_test(test_the_multinomial_test_has_its_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
