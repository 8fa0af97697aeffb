/* Latencies counted in buckets whose width grows with the value: every quantile is right to within 1/16 of itself. */
#ifndef TRAMMEL_REFERENCE_MESH_HISTOGRAM_H
#define TRAMMEL_REFERENCE_MESH_HISTOGRAM_H

#include <stdint.h>

enum {
  HISTOGRAM_STEPS_LOG2 = 4, /* buckets per doubling */
  HISTOGRAM_STEPS = 1 << HISTOGRAM_STEPS_LOG2,
  HISTOGRAM_BUCKETS =
      (41 - HISTOGRAM_STEPS_LOG2) * HISTOGRAM_STEPS, /* up to 2^40 ns, some 18 minutes; longer ones count as that */
};

struct histogram {
  uint64_t total;
  uint32_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t value_ns);

/* Adds all that `other` has counted: quantiles of several are those of what they counted together. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The upper bound of the bucket that holds the quantile (0 to 1); 0 when nothing was counted. */
int64_t histogram_quantile(const struct histogram *histogram, double quantile);

#endif
