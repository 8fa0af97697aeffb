#include <math.h>
#include <stdbool.h>

#include "tests/unit/conformance/multinomial.h"

/* Tables as likely as the one seen count as at least as unlikely, also when rounding says otherwise. */
#define LIKELIHOOD_SLACK 1e-7

/* The categories with a probability above 0; the others cannot occur. */
struct multinomial {
  size_t n;
  uint64_t total;
  double log_probability[MULTINOMIAL_MAX];
  double cumulative[MULTINOMIAL_MAX];
  uint64_t counts[MULTINOMIAL_MAX];
};

static double log_factorial(uint64_t n) {
  int sign = 0;
  return lgamma_r((double)n + 1, &sign);
}

/* ln of the probability of a table, without the factor that all tables share. */
static double table_log_weight(const struct multinomial *m, const uint64_t *counts) {
  double sum = 0;
  for (size_t i = 0; i < m->n; i++)
    sum += (double)counts[i] * m->log_probability[i] - log_factorial(counts[i]);
  return sum;
}

/* The number of tables is C(total + n - 1, n - 1); true when it is at most `most`. */
static bool tables_at_most(const struct multinomial *m, uint64_t most) {
  double tables = 1;
  for (size_t i = 1; i < m->n; i++) {
    tables *= (double)(m->total + i) / (double)i;
    if (tables > (double)most + 0.5)
      return false;
  }
  return true;
}

/* The next table in lexical order (the last category takes what is left); false after the last one. */
static bool next_table(uint64_t *counts, size_t n) {
  size_t i = n - 1;
  uint64_t rest = counts[i];
  while (i > 0 && rest == 0) {
    i--;
    rest = counts[i];
  }
  if (i == 0)
    return false;
  counts[i] = 0;
  counts[i - 1]++;
  counts[n - 1] = rest - 1;
  return true;
}

static double exact_test(const struct multinomial *m, double bound) {
  uint64_t counts[MULTINOMIAL_MAX] = {0};
  counts[m->n - 1] = m->total;
  double shared = log_factorial(m->total);
  double sum = 0;
  do {
    double weight = table_log_weight(m, counts);
    if (weight <= bound)
      sum += exp(weight + shared);
  } while (next_table(counts, m->n));
  return fmin(1, sum);
}

/* SplitMix64: one word of state, passes what a draw of categories needs. */
static uint64_t random_next(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static double monte_carlo_test(const struct multinomial *m, double bound, uint64_t seed, uint64_t draws) {
  uint64_t unlikely = 0;
  for (uint64_t draw = 0; draw < draws; draw++) {
    uint64_t counts[MULTINOMIAL_MAX] = {0};
    for (uint64_t i = 0; i < m->total; i++) {
      double at = (double)(random_next(&seed) >> 11) * 0x1p-53;
      size_t category = 0;
      while (category + 1 < m->n && at >= m->cumulative[category])
        category++;
      counts[category]++;
    }
    unlikely += table_log_weight(m, counts) <= bound;
  }
  return (double)(unlikely + 1) / (double)(draws + 1);
}

double multinomial_test(const uint64_t *counts, const double *probabilities, size_t n, uint64_t seed, uint64_t draws,
                        uint64_t exact_max, int *ret_exact) {
  struct multinomial m = {0};
  double cumulative = 0;
  *ret_exact = 1;
  for (size_t i = 0; i < n; i++) {
    if (probabilities[i] <= 0 && counts[i] > 0)
      return 0;
    if (probabilities[i] <= 0)
      continue;
    if (m.n == MULTINOMIAL_MAX)
      return NAN;
    cumulative += probabilities[i];
    m.log_probability[m.n] = log(probabilities[i]);
    m.cumulative[m.n] = cumulative;
    m.counts[m.n] = counts[i];
    m.total += counts[i];
    m.n++;
  }
  if (m.n <= 1 || m.total == 0)
    return 1;
  double bound = table_log_weight(&m, m.counts) + log1p(LIKELIHOOD_SLACK);
  if (tables_at_most(&m, exact_max))
    return exact_test(&m, bound);
  *ret_exact = 0;
  return monte_carlo_test(&m, bound, seed, draws);
}
