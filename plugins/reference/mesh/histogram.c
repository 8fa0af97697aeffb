#include "plugins/reference/mesh/histogram.h"

#include <math.h>

/* Values below HISTOGRAM_STEPS have a bucket each; above, the bits after the highest one choose. */
static uint32_t bucket_of(uint64_t value) {
  if (value < HISTOGRAM_STEPS)
    return (uint32_t)value;
  uint32_t shift = (uint32_t)(63 - __builtin_clzll(value)) - HISTOGRAM_STEPS_LOG2;
  uint32_t bucket = (shift + 1) * HISTOGRAM_STEPS + (uint32_t)((value >> shift) & (HISTOGRAM_STEPS - 1));
  return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static int64_t bucket_upper(uint32_t bucket) {
  if (bucket < HISTOGRAM_STEPS)
    return bucket;
  uint32_t shift = bucket / HISTOGRAM_STEPS - 1;
  uint64_t low = (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << shift;
  return (int64_t)(low + (UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, int64_t value_ns) {
  histogram->counts[bucket_of(value_ns > 0 ? (uint64_t)value_ns : 0)]++;
  histogram->total++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other) {
  histogram->total += other->total;
  for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
    histogram->counts[i] += other->counts[i];
}

int64_t histogram_quantile(const struct histogram *histogram, double quantile) {
  if (histogram->total == 0)
    return 0;
  uint64_t rank = (uint64_t)ceil(quantile * (double)histogram->total), seen = 0;
  for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += histogram->counts[i];
    if (seen > 0 && seen >= rank)
      return bucket_upper(i);
  }
  return bucket_upper(HISTOGRAM_BUCKETS - 1);
}
