/* The binomial distribution to the last digits, also far out in its tails, and the exact test of it. Pure functions. */
#ifndef TRAMMEL_HOST_CONFORMANCE_BINOMIAL_H
#define TRAMMEL_HOST_CONFORMANCE_BINOMIAL_H

#include <stdint.h>

/* ln of C(n, k) p^k (1-p)^(n-k); -INFINITY where it is 0. */
double binomial_log_pmf(uint64_t n, uint64_t k, double p);

/* Two-sided exact p-value, by the method of small p-values (as R's binom.test). */
double binomial_test(uint64_t n, uint64_t k, double p);

/* P(X <= k) and P(X >= k). */
double binomial_lower(uint64_t n, uint64_t k, double p);
double binomial_upper(uint64_t n, uint64_t k, double p);

#endif
