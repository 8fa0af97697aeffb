/* The multinomial test at a level: which tables it rejects. By importance sampling, because there are too many tables
 * to visit and far too few of them in a tail of one in a million to be met by plain draws. */
#ifndef TRAMMEL_TESTS_MULTINOMIAL_CRITICAL_H
#define TRAMMEL_TESTS_MULTINOMIAL_CRITICAL_H

#include "tests/unit/conformance/multinomial.h"
#include "tests/unit/conformance/sampler.h"

struct multinomial_critical {
  size_t categories;
  uint64_t n;
  double probabilities[MULTINOMIAL_MAX];
  double log_probabilities[MULTINOMIAL_MAX];
  double *log_factorials; /* n + 1, heap */
  double bound;           /* tables whose log weight is at most this are rejected */
};

/* The test at `alpha` of n requests over categories that all have a probability above 0. `draws` tables are
 * drawn; 100,000 know alpha to within a few percent. */
void multinomial_critical_init(struct multinomial_critical *ret_test, uint64_t n, const double *probabilities,
                               size_t categories, double alpha, unsigned draws, struct sampler *sampler);
void multinomial_critical_finish(struct multinomial_critical *test);

/* ln of the probability of a table, without the factor that all tables share. */
double multinomial_log_weight(const struct multinomial_critical *test, const uint64_t *counts);
int multinomial_rejects(const struct multinomial_critical *test, const uint64_t *counts);

#endif
