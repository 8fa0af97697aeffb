/* The binomial distribution in whole numbers: with p = a/b every probability is a natural number over b^n. To hold
 * floating point against. */
#ifndef TRAMMEL_TESTS_RATIONAL_H
#define TRAMMEL_TESTS_RATIONAL_H

#include <stddef.h>
#include <stdint.h>

/* Words of 32 bits of a number: room for b^n below 2^12800. */
#define NATURAL_WORDS 400

struct natural {
  size_t length;
  uint32_t words[NATURAL_WORDS]; /* the lowest first; the highest is not 0 */
};

struct rational_binomial {
  uint64_t n;
  struct natural *weights; /* n + 1: of each count k, C(n, k) a^k (b-a)^(n-k) */
  struct natural whole;    /* b^n, their sum */
};

/* Fails the test when b^n has no room. 0 < a < b. */
void rational_binomial_init(struct rational_binomial *ret_binomial, uint64_t n, uint32_t a, uint32_t b);
void rational_binomial_finish(struct rational_binomial *binomial);

/* Each exact but for one rounding at the end: P(X = k), P(X <= k), and the two-sided p-value, the sum of all
 * probabilities that are at most that of k. */
long double rational_pmf(const struct rational_binomial *binomial, uint64_t k);
long double rational_lower(const struct rational_binomial *binomial, uint64_t k);
long double rational_test(const struct rational_binomial *binomial, uint64_t k);

#endif
