#include "tests/unit/conformance/rational.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void natural_set(struct natural *number, uint32_t value) {
  number->length = value > 0;
  number->words[0] = value;
}

static void natural_multiply(struct natural *number, uint64_t factor) {
  uint64_t carry = 0;
  assert_true(factor <= UINT32_MAX);
  for (size_t i = 0; i < number->length; i++) {
    carry += (uint64_t)number->words[i] * factor;
    number->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry == 0)
    return;
  assert_true(number->length < NATURAL_WORDS);
  number->words[number->length++] = (uint32_t)carry;
}

/* Only where nothing is left over. */
static void natural_divide(struct natural *number, uint64_t divisor) {
  uint64_t rest = 0;
  for (size_t i = number->length; i-- > 0;) {
    rest = rest << 32 | number->words[i];
    number->words[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  assert_int_equal(rest, 0);
  while (number->length > 0 && number->words[number->length - 1] == 0)
    number->length--;
}

static void natural_add(struct natural *sum, const struct natural *number) {
  uint64_t carry = 0;
  for (size_t i = 0; i < number->length || carry > 0; i++) {
    assert_true(i < NATURAL_WORDS);
    if (i == sum->length)
      sum->words[sum->length++] = 0;
    carry += (uint64_t)sum->words[i] + (i < number->length ? number->words[i] : 0);
    sum->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

static int natural_compare(const struct natural *a, const struct natural *b) {
  if (a->length != b->length)
    return a->length < b->length ? -1 : 1;
  for (size_t i = a->length; i-- > 0;)
    if (a->words[i] != b->words[i])
      return a->words[i] < b->words[i] ? -1 : 1;
  return 0;
}

/* The highest 96 bits or more, and the power of 2 they are to be taken times. */
static long double natural_top(const struct natural *number, int *ret_exponent) {
  size_t low = number->length > 4 ? number->length - 4 : 0;
  long double top = 0;
  for (size_t i = number->length; i-- > low;)
    top = top * 0x1p32L + number->words[i];
  *ret_exponent = (int)low * 32;
  return top;
}

static long double natural_ratio(const struct natural *a, const struct natural *b) {
  int above, below;
  long double top = natural_top(a, &above);
  long double bottom = natural_top(b, &below);
  return ldexpl(top / bottom, above - below);
}

void rational_binomial_init(struct rational_binomial *ret_binomial, uint64_t n, uint32_t a, uint32_t b) {
  struct natural weight;
  ret_binomial->n = n;
  ret_binomial->weights = calloc(n + 1, sizeof(*ret_binomial->weights));
  assert_non_null(ret_binomial->weights);
  natural_set(&ret_binomial->whole, 1);
  natural_set(&weight, 1);
  for (uint64_t i = 0; i < n; i++) {
    natural_multiply(&ret_binomial->whole, b);
    natural_multiply(&weight, b - a);
  }
  for (uint64_t k = 0; k <= n; k++) {
    ret_binomial->weights[k] = weight;
    if (k == n)
      break;
    natural_divide(&weight, b - a);
    natural_multiply(&weight, (n - k) * a);
    natural_divide(&weight, k + 1);
  }
}

void rational_binomial_finish(struct rational_binomial *binomial) {
  free(binomial->weights);
}

long double rational_pmf(const struct rational_binomial *binomial, uint64_t k) {
  return natural_ratio(&binomial->weights[k], &binomial->whole);
}

long double rational_lower(const struct rational_binomial *binomial, uint64_t k) {
  struct natural sum = {0};
  for (uint64_t i = 0; i <= k; i++)
    natural_add(&sum, &binomial->weights[i]);
  return natural_ratio(&sum, &binomial->whole);
}

long double rational_test(const struct rational_binomial *binomial, uint64_t k) {
  struct natural sum = {0};
  for (uint64_t i = 0; i <= binomial->n; i++)
    if (natural_compare(&binomial->weights[i], &binomial->weights[k]) <= 0)
      natural_add(&sum, &binomial->weights[i]);
  return natural_ratio(&sum, &binomial->whole);
}
