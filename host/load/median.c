#include "host/load/median.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* How many values may be left out on each side so that the rest has the level, and the level that it has: each value is
 * below the median with a chance of one half. */
static size_t depth(size_t count, double *ret_level) {
  double chance = 1, outside = 0; /* of exactly k of them; of at most k, on either side */
  size_t k = 0;
  *ret_level = 0;
  for (size_t i = 0; i < count; i++)
    chance /= 2;
  for (; (outside += 2 * chance) <= 1 - MEDIAN_LEVEL; k++) {
    *ret_level = 1 - outside;
    chance *= (double)(count - k) / (double)(k + 1);
  }
  return k;
}

int median_estimate(const double *values, size_t count, struct median_estimate *ret_estimate) {
  double sorted[MEDIAN_VALUES_MAX];
  if (count < 1 || count > MEDIAN_VALUES_MAX)
    return -EINVAL;
  memcpy(sorted, values, count * sizeof(*values));
  qsort(sorted, count, sizeof(*sorted), by_value);
  *ret_estimate = (struct median_estimate){.value = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2};
  size_t k = depth(count, &ret_estimate->level);
  if (k == 0)
    return 0;
  ret_estimate->low = sorted[k - 1];
  ret_estimate->high = sorted[count - k];
  return 0;
}
