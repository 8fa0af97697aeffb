/* How a histogram lies in memory: for histogram*.c alone. The first bucket counts each value by itself; each further
 * one has half as many intervals, twice as wide. */
#ifndef TRAMMEL_HOST_LOAD_HISTOGRAM_LAYOUT_H
#define TRAMMEL_HOST_LOAD_HISTOGRAM_LAYOUT_H

#include "host/load/histogram.h"

enum {
  BUCKET_BITS = 11, /* three significant digits want 2 * 1000 intervals: 2048 */
  BUCKET_SIZE = 1 << BUCKET_BITS,
  BUCKET_HALF = BUCKET_SIZE / 2,
  BUCKETS = 32, /* 2048 * 2^31 is more than HISTOGRAM_HIGHEST_NS */
  HISTOGRAM_SIZE = (BUCKETS + 1) * BUCKET_HALF,
};

struct histogram {
  uint64_t total;
  int64_t min, max;
  uint64_t counts[HISTOGRAM_SIZE];
};

/* The lowest value that is counted at `index`, from 0 to HISTOGRAM_SIZE. */
int64_t histogram_lowest(unsigned index);
/* Adds values that are known by their interval only. -1 when they are more than can be counted. */
int histogram_count_at(struct histogram *histogram, unsigned index, uint64_t count);

#endif
