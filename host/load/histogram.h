/* Counts of durations with three significant digits in fixed memory: the layout of HdrHistogram (lowest discernible
 * value 1, highest HISTOGRAM_HIGHEST_NS, 3 digits), so that what it writes can be read by its readers and added without
 * loss. */
#ifndef TRAMMEL_HOST_LOAD_HISTOGRAM_H
#define TRAMMEL_HOST_LOAD_HISTOGRAM_H

#include <stdint.h>

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

/* An hour. Longer ones are counted as this long. */
#define HISTOGRAM_HIGHEST_NS INT64_C(3600000000000)

struct histogram;

/* NULL without memory. */
struct histogram *histogram_create(void);
void histogram_destroy(struct histogram *histogram);
DEFINE_CLEANUP(struct histogram *, histogram_destroy);

/* A negative one is counted as 0. */
void histogram_record(struct histogram *histogram, int64_t value_ns);
void histogram_add(struct histogram *to, const struct histogram *from);
void histogram_clear(struct histogram *histogram);

uint64_t histogram_count(const struct histogram *histogram);
/* Exact; 0 when there is none. */
int64_t histogram_min(const struct histogram *histogram);
int64_t histogram_max(const struct histogram *histogram);
/* Of the middles of the intervals that values are counted in. */
double histogram_mean(const struct histogram *histogram);
/* The standard deviation of the same. */
double histogram_deviation(const struct histogram *histogram);
/* The highest value of the interval that the quantile is in, at most the maximum; `quantile` is from 0 to 1. 0 when
 * empty. */
int64_t histogram_quantile(const struct histogram *histogram, double quantile);
/* How many were in the interval of `value_ns` or a lower one. */
uint64_t histogram_count_to(const struct histogram *histogram, int64_t value_ns);
/* The chance that a value of `a` is higher than one of `b`, and half of that that they are in the same interval: 0.5
 * when neither tends to be higher. NaN when one is empty. */
double histogram_superiority(const struct histogram *a, const struct histogram *b);

/* Says what the lowest and the highest value really were, of a histogram that was decoded: a count is known by its
 * interval only. -EINVAL when they are not in the lowest and the highest interval that has any. */
int histogram_bound(struct histogram *histogram, int64_t min_ns, int64_t max_ns);

/* Appends what HdrHistogram's readers take: V2, compressed by zlib, in base64. -ENOMEM. */
int histogram_encode(const struct histogram *histogram, struct strbuf *out);
/* Adds what histogram_encode(), or another writer of V2, wrote for the same lowest value, digits and at most the same
 * highest value. -EINVAL says what is wrong; the histogram is then as it was. */
int histogram_decode(struct histogram *histogram, const char *text, size_t length, struct error **err);
/* Sets the exact minimum and maximum of what was decoded, where they are known otherwise; what is not in the interval
 * of the decoded one is left out. */
void histogram_narrow(struct histogram *histogram, int64_t min_ns, int64_t max_ns);

#endif
