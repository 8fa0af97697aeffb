#include "host/load/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/memory.h"

enum { RANK_SUM_MAX = PAIRS_MAX * (PAIRS_MAX + 1) / 2 };

/* Of each sum of ranks: each rank is in it with a chance of one half. */
static void rank_chances(size_t count, double chance[static RANK_SUM_MAX + 1]) {
  size_t highest = 0;
  memset(chance, 0, (RANK_SUM_MAX + 1) * sizeof(*chance));
  chance[0] = 1;
  for (size_t rank = 1; rank <= count; rank++) {
    highest += rank;
    for (size_t i = highest + 1; i-- > 0;)
      chance[i] = (chance[i] + (i >= rank ? chance[i - rank] : 0)) / 2;
  }
}

double signed_rank_lower(size_t count, uint64_t w) {
  double chance[RANK_SUM_MAX + 1], sum = 0;
  rank_chances(count, chance);
  for (size_t i = 0; i <= RANK_SUM_MAX && i <= w; i++)
    sum += chance[i];
  return sum;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The highest k whose interval, from the k-th lowest mean to the k-th highest, has the level; 0: none. */
static size_t depth(size_t count) {
  double chance[RANK_SUM_MAX + 1], outside = 0;
  size_t k = 0;
  rank_chances(count, chance);
  while ((outside += 2 * chance[k]) <= 1 - PAIRS_LEVEL)
    k++;
  return k;
}

int pairs_estimate(const double *differences, size_t count, struct pairs_estimate *ret_estimate) {
  if (count < 1 || count > PAIRS_MAX)
    return -EINVAL;
  size_t means = count * (count + 1) / 2, n = 0, k = depth(count);
  _cleanup_free_ double *mean = malloc(means * sizeof(*mean));
  if (!mean)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++)
    for (size_t j = i; j < count; j++)
      mean[n++] = (differences[i] + differences[j]) / 2;
  qsort(mean, means, sizeof(*mean), by_value);
  *ret_estimate = (struct pairs_estimate){.centre = (mean[(means - 1) / 2] + mean[means / 2]) / 2};
  if (k == 0)
    return 0;
  ret_estimate->low = mean[k - 1];
  ret_estimate->high = mean[means - k];
  ret_estimate->level = 1 - 2 * signed_rank_lower(count, k - 1);
  return 0;
}
