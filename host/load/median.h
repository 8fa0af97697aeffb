/* The median of what runs measured, and where it could have been: by order statistics, whatever the distribution is.
 * Pure functions; docs/load-statistics.md. */
#ifndef TRAMMEL_HOST_LOAD_MEDIAN_H
#define TRAMMEL_HOST_LOAD_MEDIAN_H

#include <stddef.h>

#define MEDIAN_VALUES_MAX 100
#define MEDIAN_LEVEL 0.95 /* with fewer than six values, no interval has it */

struct median_estimate {
  double value;     /* the middle one, or halfway between the two in the middle */
  double low, high; /* values that the median of the distribution is between; only with a level */
  double level;     /* that the interval really has, at least MEDIAN_LEVEL; 0: there is none */
};

/* Of `count` independent values, 1 to MEDIAN_VALUES_MAX. -EINVAL. */
int median_estimate(const double *values, size_t count, struct median_estimate *ret_estimate);

#endif
