#include "host/report/propagation.h"

#include <errno.h>

#include "sdk/base/clock.h"

/* Each bucket is below its limit and not below the one before. */
static const struct {
  int64_t limit_ns;
  const char *name;
} buckets[PROPAGATION_BUCKETS] = {
    {NS_PER_MS, "below 1 ms"},        {3 * NS_PER_MS, "1 to 3 ms"},      {10 * NS_PER_MS, "3 to 10 ms"},
    {30 * NS_PER_MS, "10 to 30 ms"},  {100 * NS_PER_MS, "30 to 100 ms"}, {300 * NS_PER_MS, "100 to 300 ms"},
    {1000 * NS_PER_MS, "0.3 to 1 s"}, {3000 * NS_PER_MS, "1 to 3 s"},    {10000 * NS_PER_MS, "3 to 10 s"},
    {INT64_MAX, "10 s and more"},
};

const char *propagation_bucket_name(size_t bucket) {
  return bucket < PROPAGATION_BUCKETS ? buckets[bucket].name : "";
}

static size_t bucket_of(int64_t duration_ns) {
  size_t i = 0;
  while (i + 1 < PROPAGATION_BUCKETS && duration_ns >= buckets[i].limit_ns)
    i++;
  return i;
}

static int compare_times(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a;
  int64_t right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

/* The smallest value that at least `percent` of all do not exceed. */
static int64_t nearest_rank(const int64_t *sorted, size_t count, unsigned percent) {
  size_t rank = (count * percent + 99) / 100;
  return sorted[rank > 0 ? rank - 1 : 0];
}

static bool is_judged(const struct case_result *result) {
  return result->outcome != OUTCOME_SKIPPED && result->outcome != OUTCOME_ERROR;
}

int propagation_of(const struct run_result *run, enum smi_group group, struct propagation *ret_propagation) {
  struct propagation propagation = {0};
  _cleanup_free_ int64_t *times = calloc(run->case_count + 1, sizeof *times);
  if (!times)
    return -ENOMEM;
  for (size_t i = 0; i < run->case_count; i++) {
    const struct case_result *result = &run->cases[i];
    if (result->test->group != group || !is_judged(result))
      continue;
    if (result->propagation_ns < 0) {
      propagation.never++;
      continue;
    }
    times[propagation.settled++] = result->propagation_ns;
    propagation.buckets[bucket_of(result->propagation_ns)]++;
  }
  if (propagation.settled > 0) {
    qsort(times, propagation.settled, sizeof *times, compare_times);
    propagation.median_ns = nearest_rank(times, propagation.settled, 50);
    propagation.p90_ns = nearest_rank(times, propagation.settled, 90);
    propagation.max_ns = times[propagation.settled - 1];
  }
  *ret_propagation = propagation;
  return 0;
}
