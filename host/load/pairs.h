/* Whether one system is slower than another one, from runs in pairs: the unit is the run, never the request. Requests
 * of one run depend on each other, and a test that takes them for independent finds differences between identical
 * systems. Pure functions; docs/load-statistics.md says why these. */
#ifndef TRAMMEL_HOST_LOAD_PAIRS_H
#define TRAMMEL_HOST_LOAD_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#define PAIRS_MIN 6 /* with fewer, no interval has 95% */
#define PAIRS_MAX 100
#define PAIRS_LEVEL 0.95

/* P(W <= w) of Wilcoxon's signed-rank statistic of `count` differences, at most PAIRS_MAX, that are symmetric around 0;
 * exact. */
double signed_rank_lower(size_t count, uint64_t w);

struct pairs_estimate {
  double centre;    /* Hodges and Lehmann's: the median of the means of all two */
  double low, high; /* order statistics of these means (Tukey); only with PAIRS_MIN */
  double level;     /* that the interval really has, at least PAIRS_LEVEL; 0: there is none */
};

/* Of `count` differences, 1 to PAIRS_MAX. -EINVAL, -ENOMEM. */
int pairs_estimate(const double *differences, size_t count, struct pairs_estimate *ret_estimate);

#endif
