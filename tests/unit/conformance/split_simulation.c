#include "tests/unit/conformance/split_simulation.h"

#include <math.h>
#include <string.h>

#include "host/conformance/binomial.h"
#include "host/conformance/statistics.h"
#include "tests/unit/conformance/multinomial_critical.h"

#define CRITICAL_DRAWS 100000

const struct weighting simulation_weightings[] = {
    {2, {97, 3}},      {2, {90, 10}},  {2, {1000, 500}},         {2, {50, 50}},
    {3, {50, 30, 20}}, {3, {1, 1, 1}}, {5, {40, 25, 20, 10, 5}},
};
const size_t simulation_weighting_count = sizeof(simulation_weightings) / sizeof(simulation_weightings[0]);

static void fair_shares(const struct weighting *weighting, double *ret_shares) {
  double sum = 0;
  for (size_t i = 0; i < weighting->backends; i++)
    sum += weighting->weights[i];
  for (size_t i = 0; i < weighting->backends; i++)
    ret_shares[i] = weighting->weights[i] / sum;
}

uint64_t simulation_requests(const struct weighting *weighting) {
  double shares[SIMULATION_BACKENDS_MAX];
  fair_shares(weighting, shares);
  return split_sample_size(shares, weighting->backends, SPLIT_ALPHA, SPLIT_POWER, SPLIT_SHIFT);
}

/* Of one share's test. */
static double share_alpha(const struct weighting *weighting) {
  return weighting->backends > 2 ? SPLIT_ALPHA / (double)weighting->backends : SPLIT_ALPHA;
}

/* How often the test of `p` rejects where the share is one of `actual`: the sum over all counts. */
static void rejection_rates(uint64_t n, double p, double alpha, const double *actual, size_t count, double *ret_rates) {
  for (size_t i = 0; i < count; i++)
    ret_rates[i] = 0;
  for (uint64_t k = 0; k <= n; k++) {
    if (binomial_test(n, k, p) > alpha)
      continue;
    for (size_t i = 0; i < count; i++)
      ret_rates[i] += exp(binomial_log_pmf(n, k, actual[i]));
  }
}

/* With two backends the second test is the first one mirrored; with more the rates add up at most. */
static double computed_false_failures(const struct weighting *weighting, uint64_t n, const double *shares) {
  double sum = 0;
  for (size_t i = 0; i < (weighting->backends > 2 ? weighting->backends : 1); i++) {
    double rate;
    rejection_rates(n, shares[i], share_alpha(weighting), &shares[i], 1, &rate);
    sum += rate;
  }
  return sum;
}

struct fair_result simulate_fair(const struct weighting *weighting, uint64_t seed) {
  double shares[SIMULATION_BACKENDS_MAX];
  uint64_t counts[SIMULATION_BACKENDS_MAX];
  struct fair_result result = {0};
  struct sampler sampler;
  uint64_t n = simulation_requests(weighting);
  fair_shares(weighting, shares);
  sampler_seed(&sampler, seed);
  for (unsigned i = 0; i < SIMULATION_TRIALS; i++) {
    struct split_verdict verdict;
    sampler_multinomial(&sampler, n, shares, weighting->backends, counts);
    split_judge(counts, weighting->weights, weighting->backends, 0, SPLIT_ALPHA, &verdict);
    result.at_hundredth += verdict.p_value <= 0.01;
    result.at_thousandth += verdict.p_value <= 0.001;
    result.at_run += !verdict.fair;
  }
  result.computed = computed_false_failures(weighting, n, shares);
  return result;
}

struct shift simulation_hardest(const struct weighting *weighting, uint64_t requests, double *ret_power) {
  double shares[SIMULATION_BACKENDS_MAX];
  struct shift hardest = {.other = SIMULATION_IN_PROPORTION};
  *ret_power = 2;
  fair_shares(weighting, shares);
  for (size_t i = 0; i < weighting->backends; i++) {
    double power[2];
    const double off[] = {shares[i] + SPLIT_SHIFT, shares[i] - SPLIT_SHIFT};
    size_t possible = off[1] < -1e-12 ? 1 : 2;
    rejection_rates(requests, shares[i], share_alpha(weighting), off, possible, power);
    for (size_t k = 0; k < possible; k++) {
      if (off[k] > 1 || power[k] >= *ret_power)
        continue;
      *ret_power = power[k];
      hardest.share = i;
      hardest.by = k == 0 ? SPLIT_SHIFT : -SPLIT_SHIFT;
    }
  }
  return hardest;
}

static void shifted_shares(const struct weighting *weighting, const struct shift *shift, double *ret_shares) {
  double fair[SIMULATION_BACKENDS_MAX];
  fair_shares(weighting, fair);
  for (size_t i = 0; i < weighting->backends; i++) {
    if (i == shift->share)
      ret_shares[i] = fmax(0, fair[i] + shift->by);
    else if (shift->other == SIMULATION_IN_PROPORTION)
      ret_shares[i] = fair[i] * (1 - shift->by / (1 - fair[shift->share]));
    else
      ret_shares[i] = i == shift->other ? fair[i] - shift->by : fair[i];
  }
}

unsigned simulate_shift(const struct weighting *weighting, const struct shift *shift, uint64_t requests, uint64_t seed,
                        unsigned *ret_by_multinomial) {
  double fair[SIMULATION_BACKENDS_MAX];
  double shares[SIMULATION_BACKENDS_MAX];
  uint64_t counts[SIMULATION_BACKENDS_MAX];
  unsigned found = 0;
  unsigned by_multinomial = 0;
  struct multinomial_critical multinomial = {0};
  struct sampler sampler;
  fair_shares(weighting, fair);
  shifted_shares(weighting, shift, shares);
  sampler_seed(&sampler, seed);
  if (ret_by_multinomial)
    multinomial_critical_init(&multinomial, requests, fair, weighting->backends, SPLIT_ALPHA, CRITICAL_DRAWS, &sampler);
  for (unsigned i = 0; i < SIMULATION_TRIALS; i++) {
    struct split_verdict verdict;
    sampler_multinomial(&sampler, requests, shares, weighting->backends, counts);
    split_judge(counts, weighting->weights, weighting->backends, 0, SPLIT_ALPHA, &verdict);
    found += !verdict.fair;
    by_multinomial += ret_by_multinomial && multinomial_rejects(&multinomial, counts);
  }
  multinomial_critical_finish(&multinomial);
  if (ret_by_multinomial)
    *ret_by_multinomial = by_multinomial;
  return found;
}

unsigned simulate_leak(double leak, uint64_t requests, uint64_t seed) {
  struct sampler sampler;
  unsigned found = 0;
  sampler_seed(&sampler, seed);
  for (unsigned i = 0; i < SIMULATION_TRIALS; i++) {
    struct split_verdict verdict;
    uint64_t leaked = sampler_binomial(&sampler, requests, leak);
    const uint64_t counts[] = {requests - leaked, leaked};
    split_judge(counts, (const uint32_t[]){1, 0}, 2, 0, SPLIT_ALPHA, &verdict);
    found += !verdict.fair;
  }
  return found;
}
