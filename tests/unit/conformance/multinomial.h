/* The multinomial test that splits are not judged by (docs/decisions.md), for comparison. */
#ifndef TRAMMEL_TESTS_MULTINOMIAL_H
#define TRAMMEL_TESTS_MULTINOMIAL_H

#include <stddef.h>
#include <stdint.h>

#define MULTINOMIAL_MAX 64 /* categories with a probability above 0 */

/* Exact multinomial goodness of fit by the same method where the number of tables is at most `exact_max`, else Monte
 * Carlo with `draws` from `seed`, never reporting less than 1/(draws+1). `*ret_exact` says which. Probabilities must
 * sum to 1. A count where the probability is 0 gives 0; more than MULTINOMIAL_MAX categories give NAN. */
double multinomial_test(const uint64_t *counts, const double *probabilities, size_t n, uint64_t seed, uint64_t draws,
                        uint64_t exact_max, int *ret_exact);

#endif
