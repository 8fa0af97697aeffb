#include "host/conformance/statistics.h"

#include <math.h>
#include <stdbool.h>

#include "host/conformance/binomial.h"

/* The counts that the exact test at `alpha` rejects: those below `low` and those from `high` on. */
struct rejection {
  uint64_t low;
  uint64_t high;
};

static struct rejection rejection_region(uint64_t n, double p, double alpha) {
  uint64_t mode = (uint64_t)fmin((double)n, floor((double)(n + 1) * p));
  struct rejection region = {.low = 0, .high = n + 1};
  for (uint64_t high = mode; region.low < high;) { /* the p-value rises up to the mode … */
    uint64_t middle = region.low + (high - region.low) / 2;
    if (binomial_test(n, middle, p) <= alpha)
      region.low = middle + 1;
    else
      high = middle;
  }
  for (uint64_t low = mode + 1; low < region.high;) { /* … and falls behind it */
    uint64_t middle = low + (region.high - low) / 2;
    if (binomial_test(n, middle, p) <= alpha)
      region.high = middle;
    else
      low = middle + 1;
  }
  return region;
}

/* The power of the test of `p` where the share really is `actual`. */
static double rejection_power(uint64_t n, struct rejection region, double actual) {
  double power = binomial_upper(n, region.high, actual);
  if (region.low > 0)
    power += binomial_lower(n, region.low - 1, actual);
  return power;
}

struct power_question {
  const double *probabilities;
  size_t n;
  double alpha; /* of one share's test */
  double power;
  double shift;
};

static bool has_power(const struct power_question *question, uint64_t requests) {
  for (size_t i = 0; i < question->n; i++) {
    double p = question->probabilities[i];
    if (p <= 0)
      continue;
    struct rejection region = rejection_region(requests, p, question->alpha);
    /* A shift that leaves 0…1 cannot happen; the slack keeps 0.05 - 0.05 a shift that can. */
    if (p - question->shift > -1e-12 &&
        rejection_power(requests, region, fmax(0, p - question->shift)) < question->power)
      return false;
    if (p + question->shift < 1 + 1e-12 &&
        rejection_power(requests, region, fmin(1, p + question->shift)) < question->power)
      return false;
  }
  return true;
}

static size_t count_weighted(const double *probabilities, size_t n) {
  size_t weighted = 0;
  for (size_t i = 0; i < n; i++)
    weighted += probabilities[i] > 0;
  return weighted;
}

/* How many independent looks a verdict takes at the data: with two shares the second test is the first one mirrored. */
static double share_alpha(double alpha, size_t weighted) {
  return weighted > 2 ? alpha / (double)weighted : alpha;
}

uint64_t split_sample_size(const double *probabilities, size_t n, double alpha, double power, double shift) {
  size_t weighted = count_weighted(probabilities, n);
  if (weighted == 0)
    return 0;
  struct power_question question = {
      .probabilities = probabilities, .n = n, .alpha = share_alpha(alpha, weighted), .power = power, .shift = shift};
  uint64_t high = 1;
  while (high < SPLIT_REQUESTS_MAX && !has_power(&question, high))
    high *= 2;
  uint64_t low = high / 2;
  while (low + 1 < high) {
    uint64_t middle = low + (high - low) / 2;
    if (has_power(&question, middle))
      high = middle;
    else
      low = middle;
  }
  return high < SPLIT_REQUESTS_MAX ? high : SPLIT_REQUESTS_MAX;
}

uint64_t leak_sample_size(double leak, double power) {
  if (leak >= 1)
    return 1;
  return (uint64_t)ceil(log1p(-power) / log1p(-leak));
}

uint64_t presence_sample_size(const double *probabilities, size_t n) {
  size_t weighted = count_weighted(probabilities, n);
  uint64_t requests = leak_sample_size(weighted < n ? SPLIT_LEAK : SPLIT_SHIFT, SPLIT_POWER);
  for (size_t i = 0; i < n; i++) {
    /* To see a backend with weight is to find a "leak" of its share. */
    uint64_t seen = probabilities[i] > 0 ? leak_sample_size(probabilities[i], 1 - SPLIT_ALPHA / (double)weighted) : 0;
    if (seen > requests)
      requests = seen;
  }
  return requests < SPLIT_REQUESTS_MAX ? requests : SPLIT_REQUESTS_MAX;
}

/* Sums, and where requests went that should have gone elsewhere. */
struct split_totals {
  uint64_t weights;
  uint64_t requests; /* to backends with weight */
  size_t weighted;   /* backends with weight */
  size_t stray;      /* the backend without weight that got most; `n` when none got any */
};

static struct split_totals split_count(const uint64_t *counts, const uint32_t *weights, size_t n,
                                       struct split_verdict *verdict) {
  struct split_totals totals = {.stray = n};
  for (size_t i = 0; i < n; i++) {
    if (weights[i] > 0) {
      totals.weighted++;
      totals.weights += weights[i];
      totals.requests += counts[i];
      continue;
    }
    verdict->strays += counts[i];
    if (counts[i] > 0 && (totals.stray == n || counts[i] > counts[totals.stray]))
      totals.stray = i;
  }
  return totals;
}

void split_judge(const uint64_t *counts, const uint32_t *weights, size_t n, uint64_t unknown, double alpha,
                 struct split_verdict *ret_verdict) {
  struct split_verdict verdict = {.p_value = 1, .strays = unknown};
  struct split_totals totals = split_count(counts, weights, n, &verdict);
  double smallest = 2;
  size_t tested = 0;
  for (size_t i = 0; i < n && totals.requests > 0; i++) {
    if (weights[i] == 0 || (totals.weighted == 2 && tested == 1)) /* the other of two is the same test, mirrored */
      continue;
    tested++;
    double p_value = binomial_test(totals.requests, counts[i], (double)weights[i] / (double)totals.weights);
    if (p_value < smallest) {
      smallest = p_value;
      verdict.worst = i;
    }
  }
  if (totals.requests > 0)
    verdict.p_value = fmin(1, totals.weighted > 2 ? smallest * (double)totals.weighted : smallest);
  if (totals.stray < n)
    verdict.worst = totals.stray;
  verdict.fair = verdict.strays == 0 && verdict.p_value > alpha && (totals.requests > 0 || totals.weights == 0);
  *ret_verdict = verdict;
}
