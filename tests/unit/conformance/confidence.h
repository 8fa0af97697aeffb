/* Exact confidence bounds of a rate that was measured (Clopper and Pearson, 1934). */
#ifndef TRAMMEL_TESTS_CONFIDENCE_H
#define TRAMMEL_TESTS_CONFIDENCE_H

#include <stdint.h>

/* Of `k` in `n`: the rate is at least the lower one, or at most the upper one, unless something happened that happens
 * with a probability of at most `doubt`. */
double confidence_lower(uint64_t n, uint64_t k, double doubt);
double confidence_upper(uint64_t n, uint64_t k, double doubt);

#endif
