#include "tests/unit/conformance/multinomial_critical.h"

#include <math.h>
#include <stdlib.h>

/* How much wider than the multinomial the tables are spread that are drawn: its tail of 10^-6 is about this far out. */
#define SPREAD 7.0

/* A table that was drawn: how likely it is, and how much it counts for. */
struct drawn {
  double log_weight;
  double importance;
};

static double log_gamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

double multinomial_log_weight(const struct multinomial_critical *test, const uint64_t *counts) {
  double sum = 0;
  for (size_t i = 0; i < test->categories; i++)
    sum += (double)counts[i] * test->log_probabilities[i] - test->log_factorials[counts[i]];
  return sum;
}

int multinomial_rejects(const struct multinomial_critical *test, const uint64_t *counts) {
  return multinomial_log_weight(test, counts) <= test->bound;
}

/* Draws from the Dirichlet-multinomial with concentration `total`, whose tails are heavier than the multinomial's, so
 * that no table counts for much. What is drawn counts for the ratio of its probabilities under the two. */
static struct drawn draw(const struct multinomial_critical *test, double total, struct sampler *sampler) {
  double shares[MULTINOMIAL_MAX];
  uint64_t counts[MULTINOMIAL_MAX];
  double sum = 0;
  for (size_t i = 0; i < test->categories; i++) {
    shares[i] = sampler_gamma(sampler, total * test->probabilities[i]);
    sum += shares[i];
  }
  for (size_t i = 0; i < test->categories; i++)
    shares[i] /= sum;
  sampler_multinomial(sampler, test->n, shares, test->categories, counts);
  double log_ratio = log_gamma((double)test->n + total) - log_gamma(total);
  for (size_t i = 0; i < test->categories; i++) {
    double alpha = total * test->probabilities[i];
    log_ratio +=
        (double)counts[i] * test->log_probabilities[i] - log_gamma((double)counts[i] + alpha) + log_gamma(alpha);
  }
  return (struct drawn){.log_weight = multinomial_log_weight(test, counts), .importance = exp(log_ratio)};
}

static int compare_drawn(const void *a, const void *b) {
  double left = ((const struct drawn *)a)->log_weight;
  double right = ((const struct drawn *)b)->log_weight;
  return (left > right) - (left < right);
}

void multinomial_critical_init(struct multinomial_critical *ret_test, uint64_t n, const double *probabilities,
                               size_t categories, double alpha, unsigned draws, struct sampler *sampler) {
  struct multinomial_critical test = {.categories = categories, .n = n};
  struct drawn *drawn = calloc(draws, sizeof(*drawn));
  test.log_factorials = calloc(n + 1, sizeof(*test.log_factorials));
  if (!drawn || !test.log_factorials || categories > MULTINOMIAL_MAX)
    abort();
  for (size_t i = 0; i < categories; i++) {
    test.probabilities[i] = probabilities[i];
    test.log_probabilities[i] = log(probabilities[i]);
  }
  for (uint64_t i = 0; i <= n; i++)
    test.log_factorials[i] = log_gamma((double)i + 1);
  for (unsigned i = 0; i < draws; i++)
    drawn[i] = draw(&test, (double)n / SPREAD, sampler);
  qsort(drawn, draws, sizeof(*drawn), compare_drawn);
  double probability = 0;
  test.bound = -INFINITY;
  for (unsigned i = 0; i < draws; i++) {
    probability += drawn[i].importance / draws;
    if (probability > alpha)
      break;
    test.bound = drawn[i].log_weight;
  }
  free(drawn);
  *ret_test = test;
}

void multinomial_critical_finish(struct multinomial_critical *test) {
  free(test->log_factorials);
}
