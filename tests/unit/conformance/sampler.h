/* Random numbers with a seed, and exact samples of the distributions that simulations need. */
#ifndef TRAMMEL_TESTS_SAMPLER_H
#define TRAMMEL_TESTS_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

/* xoshiro256++ (Blackman and Vigna, 2019). */
struct sampler {
  uint64_t words[4];
};

void sampler_seed(struct sampler *sampler, uint64_t seed);
uint64_t sampler_bits(struct sampler *sampler);
double sampler_uniform(struct sampler *sampler); /* in [0, 1), in steps of 2^-53 */

/* How many of n succeed. Exact: one uniform number is spent on the probabilities of the counts, from the mode outwards.
 */
uint64_t sampler_binomial(struct sampler *sampler, uint64_t n, double p);

/* Shares n out: as n draws of a category each, in `categories` binomial samples. Probabilities sum to 1. */
void sampler_multinomial(struct sampler *sampler, uint64_t n, const double *probabilities, size_t categories,
                         uint64_t *ret_counts);

/* Gamma with this shape (above 0) and scale 1 (Marsaglia and Tsang, 2000). */
double sampler_gamma(struct sampler *sampler, double shape);

#endif
