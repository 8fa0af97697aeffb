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
  HISTOGRAM_COUNT_BYTES = 9, /* of one count, at most */
  HISTOGRAM_COUNTS_MAX = HISTOGRAM_SIZE * HISTOGRAM_COUNT_BYTES,
};

struct histogram {
  uint64_t total;
  int64_t min, max;
  uint64_t counts[HISTOGRAM_SIZE];
};

/* Where a value from 0 to HISTOGRAM_HIGHEST_NS is counted. */
unsigned histogram_index(int64_t value);
/* The lowest value that is counted at `index`, from 0 to HISTOGRAM_SIZE. */
int64_t histogram_lowest(unsigned index);
/* Adds values that are known by their interval only. -1 when they are more than can be counted. */
int histogram_count_at(struct histogram *histogram, unsigned index, uint64_t count);

/* The counts as V2 has them, without a header: how many bytes, at most HISTOGRAM_COUNTS_MAX. */
size_t histogram_put_counts(const struct histogram *histogram, unsigned char *at);
/* Adds such ones; values are known by their interval only. -EINVAL. */
int histogram_take_counts(struct histogram *histogram, const unsigned char *at, size_t length, struct error **err);

#endif
