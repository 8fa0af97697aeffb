#include "host/load/histogram.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "host/load/histogram_layout.h"

struct histogram *histogram_create(void) {
  struct histogram *histogram = calloc(1, sizeof(*histogram));
  if (histogram)
    histogram_clear(histogram);
  return histogram;
}

void histogram_destroy(struct histogram *histogram) {
  free(histogram);
}

/* The highest bit beyond those of the first bucket says which bucket; the bits below it say where in it. */
unsigned histogram_index(int64_t value) {
  unsigned bucket = 64 - BUCKET_BITS - (unsigned)__builtin_clzll((unsigned long long)value | (BUCKET_SIZE - 1));
  unsigned within = (unsigned)(value >> bucket);
  return bucket * BUCKET_HALF + within;
}

void histogram_clear(struct histogram *histogram) {
  if (histogram->total > 0) {
    unsigned first = histogram_index(histogram->min), last = histogram_index(histogram->max);
    memset(&histogram->counts[first], 0, (last - first + 1) * sizeof(*histogram->counts));
  }
  histogram->total = 0;
  histogram->min = INT64_MAX;
  histogram->max = 0;
}

int64_t histogram_lowest(unsigned index) {
  if (index < BUCKET_SIZE)
    return index;
  if (index > HISTOGRAM_SIZE)
    index = HISTOGRAM_SIZE;
  unsigned bucket = index / BUCKET_HALF - 1;
  return (int64_t)(index % BUCKET_HALF + BUCKET_HALF) << bucket;
}

void histogram_record(struct histogram *histogram, int64_t value_ns) {
  int64_t value = value_ns < 0 ? 0 : value_ns > HISTOGRAM_HIGHEST_NS ? HISTOGRAM_HIGHEST_NS : value_ns;
  histogram->counts[histogram_index(value)]++;
  histogram->total++;
  if (value < histogram->min)
    histogram->min = value;
  if (value > histogram->max)
    histogram->max = value;
}

void histogram_add(struct histogram *to, const struct histogram *from) {
  if (from->total == 0)
    return;
  for (unsigned i = histogram_index(from->min); i <= histogram_index(from->max); i++)
    to->counts[i] += from->counts[i];
  to->total += from->total;
  to->min = from->min < to->min ? from->min : to->min;
  to->max = from->max > to->max ? from->max : to->max;
}

uint64_t histogram_count(const struct histogram *histogram) {
  return histogram->total;
}

int64_t histogram_min(const struct histogram *histogram) {
  return histogram->total > 0 ? histogram->min : 0;
}

int64_t histogram_max(const struct histogram *histogram) {
  return histogram->max;
}

static double middle(unsigned index) {
  return (double)histogram_lowest(index) + (double)(histogram_lowest(index + 1) - 1 - histogram_lowest(index)) / 2;
}

double histogram_mean(const struct histogram *histogram) {
  double sum = 0;
  if (histogram->total == 0)
    return 0;
  for (unsigned i = histogram_index(histogram->min); i <= histogram_index(histogram->max); i++)
    if (histogram->counts[i] > 0)
      sum += (double)histogram->counts[i] * middle(i);
  return sum / (double)histogram->total;
}

double histogram_deviation(const struct histogram *histogram) {
  double mean = histogram_mean(histogram), sum = 0;
  if (histogram->total == 0)
    return 0;
  for (unsigned i = histogram_index(histogram->min); i <= histogram_index(histogram->max); i++)
    if (histogram->counts[i] > 0)
      sum += (double)histogram->counts[i] * (middle(i) - mean) * (middle(i) - mean);
  return sqrt(sum / (double)histogram->total);
}

int64_t histogram_quantile(const struct histogram *histogram, double quantile) {
  uint64_t wanted = (uint64_t)ceil(quantile * (double)histogram->total), seen = 0;
  if (histogram->total == 0)
    return 0;
  for (unsigned i = histogram_index(histogram->min); i <= histogram_index(histogram->max); i++) {
    seen += histogram->counts[i];
    if (seen < wanted || seen == 0)
      continue;
    int64_t highest = histogram_lowest(i + 1) - 1;
    return highest < histogram->max ? highest : histogram->max;
  }
  return histogram->max;
}

uint64_t histogram_count_to(const struct histogram *histogram, int64_t value_ns) {
  uint64_t seen = 0;
  if (histogram->total == 0 || value_ns < histogram->min)
    return 0;
  int64_t last = value_ns < histogram->max ? value_ns : histogram->max;
  for (unsigned i = histogram_index(histogram->min); i <= histogram_index(last); i++)
    seen += histogram->counts[i];
  return seen;
}

double histogram_superiority(const struct histogram *a, const struct histogram *b) {
  double below = 0, sum = 0; /* of `b`: lower than the interval */
  for (unsigned i = 0; i < HISTOGRAM_SIZE; i++) {
    sum += (double)a->counts[i] * (below + (double)b->counts[i] / 2);
    below += (double)b->counts[i];
  }
  return sum / ((double)a->total * (double)b->total);
}

int histogram_bound(struct histogram *histogram, int64_t min_ns, int64_t max_ns) {
  if (histogram->total == 0)
    return min_ns == 0 && max_ns == 0 ? 0 : -EINVAL;
  if (min_ns < 0 || max_ns > HISTOGRAM_HIGHEST_NS || min_ns > max_ns ||
      histogram_index(min_ns) != histogram_index(histogram->min) ||
      histogram_index(max_ns) != histogram_index(histogram->max))
    return -EINVAL;
  histogram->min = min_ns;
  histogram->max = max_ns;
  return 0;
}

int histogram_count_at(struct histogram *histogram, unsigned index, uint64_t count) {
  int64_t lowest = histogram_lowest(index), highest = histogram_lowest(index + 1) - 1;
  if (count > UINT64_MAX / 2 - histogram->total)
    return -1;
  histogram->counts[index] += count;
  histogram->total += count;
  histogram->min = lowest < histogram->min ? lowest : histogram->min;
  histogram->max = highest > histogram->max ? highest : histogram->max;
  return 0;
}

static bool same_interval(int64_t a_ns, int64_t b_ns) {
  return a_ns >= 0 && a_ns <= HISTOGRAM_HIGHEST_NS && histogram_index(a_ns) == histogram_index(b_ns);
}

void histogram_narrow(struct histogram *histogram, int64_t min_ns, int64_t max_ns) {
  if (histogram->total > 0 && same_interval(min_ns, histogram->min))
    histogram->min = min_ns;
  if (histogram->total > 0 && same_interval(max_ns, histogram->max))
    histogram->max = max_ns;
}
