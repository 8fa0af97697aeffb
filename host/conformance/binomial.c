#include "host/conformance/binomial.h"

#include <math.h>

/* p-values of outcomes that are equally likely differ in the last digits; R's binom.test uses the same slack. */
#define LIKELIHOOD_SLACK 1e-7
/* A tail is summed until a term adds less than this part of it. */
#define TAIL_PRECISION 1e-18

/* ln(n!) minus Stirling's formula. The series is good to the last digit from 16 on. */
static double stirling_error(uint64_t count) {
  double n = (double)count;
  if (count < 16) {
    int sign = 0;
    return lgamma_r(n + 1, &sign) - ((n + 0.5) * log(n) - n + 0.5 * log(2 * M_PI));
  }
  double square = n * n;
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / square) / square) / square) / square) / n;
}

/* x ln(x/m) + m - x, without the cancellation when x is close to m. */
static double deviance(double x, double m) {
  if (fabs(x - m) >= 0.1 * (x + m))
    return x * log(x / m) + m - x;
  double v = (x - m) / (x + m);
  double sum = (x - m) * v;
  double term = 2 * x * v;
  for (int j = 1; j < 1000; j++) {
    term *= v * v;
    double next = sum + term / (2 * j + 1);
    if (next == sum)
      break;
    sum = next;
  }
  return sum;
}

/* Loader's saddle-point form: ln(n!) alone is so large that differences of ln-gamma lose the digits that tails are made
 * of. */
double binomial_log_pmf(uint64_t n, uint64_t k, double p) {
  if (k > n)
    return -INFINITY;
  if (p <= 0)
    return k == 0 ? 0 : -INFINITY;
  if (p >= 1)
    return k == n ? 0 : -INFINITY;
  if (k == 0)
    return (double)n * log1p(-p);
  if (k == n)
    return (double)n * log(p);
  double count = (double)n;
  double hits = (double)k;
  double misses = (double)(n - k);
  return stirling_error(n) - stirling_error(k) - stirling_error(n - k) - deviance(hits, count * p) -
         deviance(misses, count * (1 - p)) + 0.5 * log(count / (2 * M_PI * hits * misses));
}

/* Sum of the probabilities of k, k-1, … 0, for a k where they fall. */
static double sum_down(uint64_t n, uint64_t k, double p) {
  double sum = exp(binomial_log_pmf(n, k, p));
  double term = sum;
  for (uint64_t i = k; i > 0 && term > TAIL_PRECISION * sum; i--) {
    term *= (double)i / (double)(n - i + 1) * ((1 - p) / p);
    sum += term;
  }
  return sum;
}

double binomial_lower(uint64_t n, uint64_t k, double p) {
  if (k >= n || p <= 0)
    return 1;
  if (p >= 1)
    return 0;
  /* Sum on the side where terms fall, so that a small tail keeps all its digits. */
  if ((double)k < (double)n * p)
    return fmin(1, sum_down(n, k, p));
  return fmax(0, 1 - sum_down(n, n - k - 1, 1 - p));
}

double binomial_upper(uint64_t n, uint64_t k, double p) {
  if (k == 0)
    return 1;
  if (k > n)
    return 0;
  return binomial_lower(n, n - k, 1 - p);
}

/* The smallest count above the mean that is at most as likely as `bound` (a log); n + 1 when there is none. */
static uint64_t first_unlikely_above(uint64_t n, double p, double bound) {
  uint64_t low = (uint64_t)ceil((double)n * p);
  uint64_t high = n + 1;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (binomial_log_pmf(n, middle, p) <= bound)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

double binomial_test(uint64_t n, uint64_t k, double p) {
  if (k > n)
    return 0;
  if (p <= 0)
    return k == 0 ? 1 : 0;
  if (p >= 1)
    return k == n ? 1 : 0;
  double mean = (double)n * p;
  if ((double)k == mean)
    return 1;
  if ((double)k > mean)
    return binomial_test(n, n - k, 1 - p); /* now the count is below the mean; at most one level deep */
  double bound = binomial_log_pmf(n, k, p) + log1p(LIKELIHOOD_SLACK);
  uint64_t above = first_unlikely_above(n, p, bound);
  return fmin(1, binomial_lower(n, k, p) + binomial_upper(n, above, p));
}
