#include "tests/unit/conformance/sampler.h"

#include <math.h>
#include <stdbool.h>

#include "host/conformance/binomial.h"

static uint64_t rotate(uint64_t x, int k) {
  return x << k | x >> (64 - k);
}

/* SplitMix64 fills the state, as the generator's authors recommend. */
void sampler_seed(struct sampler *sampler, uint64_t seed) {
  for (size_t i = 0; i < 4; i++) {
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    sampler->words[i] = z ^ (z >> 31);
  }
}

uint64_t sampler_bits(struct sampler *sampler) {
  uint64_t *s = sampler->words;
  uint64_t result = rotate(s[0] + s[3], 23) + s[0];
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

double sampler_uniform(struct sampler *sampler) {
  return (double)(sampler_bits(sampler) >> 11) * 0x1p-53;
}

uint64_t sampler_binomial(struct sampler *sampler, uint64_t n, double p) {
  if (n == 0 || p <= 0)
    return 0;
  if (p >= 1)
    return n;
  double odds = p / (1 - p);
  double left = sampler_uniform(sampler);
  uint64_t below = (uint64_t)fmin((double)n, floor((double)(n + 1) * p)); /* the mode */
  uint64_t above = below;
  double below_term = exp(binomial_log_pmf(n, below, p));
  double above_term = below_term;
  left -= below_term;
  while (left >= 0) {
    below_term = below > 0 ? below_term * (double)below / ((double)(n - below + 1) * odds) : 0;
    above_term = above < n ? above_term * (double)(n - above) * odds / (double)(above + 1) : 0;
    if (below_term <= 0 && above_term <= 0)
      return above; /* what rounding left over */
    if (above_term > 0) {
      above++;
      left -= above_term;
      if (left < 0)
        return above;
    }
    if (below_term > 0) {
      below--;
      left -= below_term;
      if (left < 0)
        return below;
    }
  }
  return below;
}

void sampler_multinomial(struct sampler *sampler, uint64_t n, const double *probabilities, size_t categories,
                         uint64_t *ret_counts) {
  double rest = 1;
  for (size_t i = 0; i + 1 < categories; i++) {
    ret_counts[i] = sampler_binomial(sampler, n, rest > 0 ? fmin(1, probabilities[i] / rest) : 0);
    n -= ret_counts[i];
    rest -= probabilities[i];
  }
  ret_counts[categories - 1] = n;
}

static double standard_normal(struct sampler *sampler) {
  double u = 1 - sampler_uniform(sampler); /* above 0 */
  return sqrt(-2 * log(u)) * cos(2 * M_PI * sampler_uniform(sampler));
}

double sampler_gamma(struct sampler *sampler, double shape) {
  if (shape < 1)
    return sampler_gamma(sampler, shape + 1) * pow(1 - sampler_uniform(sampler), 1 / shape);
  double d = shape - 1.0 / 3;
  double c = 1 / sqrt(9 * d);
  for (;;) {
    double x = standard_normal(sampler);
    double v = 1 + c * x;
    v = v * v * v;
    if (v > 0 && log(1 - sampler_uniform(sampler)) < x * x / 2 + d - d * v + d * log(v))
      return d * v;
  }
}
