#include "host/load/bootstrap.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/load/histogram_layout.h"
#include "sdk/base/chance.h"

/* The intervals that have a value, and how many values are there or below. */
struct steps {
  uint16_t *place;
  uint64_t *count;
  size_t length;
};

struct bootstrap {
  size_t blocks;
  int64_t block_s;
  uint64_t total;
  int64_t max;
  unsigned low, high; /* the first and the last interval of all blocks */
  struct steps steps[BOOTSTRAP_BLOCKS_MAX];
};

bool quantile_tells(uint64_t count, double quantile) {
  return (double)count >= log(0.025) / log(quantile);
}

static int take_steps(const struct histogram *histogram, struct steps *steps) {
  uint64_t sum = 0;
  size_t used = 0;
  for (unsigned i = 0; i < HISTOGRAM_SIZE; i++)
    used += histogram->counts[i] > 0;
  steps->place = malloc(used * sizeof(*steps->place) + 1);
  steps->count = malloc(used * sizeof(*steps->count) + 1);
  if (!steps->place || !steps->count)
    return -ENOMEM;
  for (unsigned i = 0; i < HISTOGRAM_SIZE; i++) {
    if (histogram->counts[i] == 0)
      continue;
    sum += histogram->counts[i];
    steps->place[steps->length] = (uint16_t)i;
    steps->count[steps->length++] = sum;
  }
  return 0;
}

static void note_ends(struct bootstrap *bootstrap, const struct steps *steps) {
  if (steps->length == 0)
    return;
  unsigned first = steps->place[0], last = steps->place[steps->length - 1];
  bootstrap->low = first < bootstrap->low ? first : bootstrap->low;
  bootstrap->high = last > bootstrap->high ? last : bootstrap->high;
}

int bootstrap_create(const struct timeline *timeline, struct bootstrap **ret_bootstrap) {
  _cleanup_(bootstrap_destroy_p) struct bootstrap *bootstrap = calloc(1, sizeof(*bootstrap));
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  if (!bootstrap || !histogram)
    return -ENOMEM;
  size_t count = timeline_count(timeline), together = (count + BOOTSTRAP_BLOCKS_MAX - 1) / BOOTSTRAP_BLOCKS_MAX;
  bootstrap->blocks = count > 0 ? (count + together - 1) / together : 0;
  bootstrap->block_s = (int64_t)together * timeline_block_s(timeline);
  bootstrap->low = HISTOGRAM_SIZE;
  for (size_t i = 0; i < bootstrap->blocks; i++) {
    histogram_clear(histogram);
    for (size_t k = i * together; k < (i + 1) * together && k < count; k++)
      timeline_read(timeline, k, histogram);
    bootstrap->total += histogram->total;
    bootstrap->max = histogram->max > bootstrap->max ? histogram->max : bootstrap->max;
    if (take_steps(histogram, &bootstrap->steps[i]) < 0)
      return -ENOMEM;
    note_ends(bootstrap, &bootstrap->steps[i]);
  }
  *ret_bootstrap = bootstrap;
  bootstrap = NULL;
  return 0;
}

void bootstrap_destroy(struct bootstrap *bootstrap) {
  if (!bootstrap)
    return;
  for (size_t i = 0; i < bootstrap->blocks; i++) {
    free(bootstrap->steps[i].place);
    free(bootstrap->steps[i].count);
  }
  free(bootstrap);
}

int64_t bootstrap_block_s(const struct bootstrap *bootstrap) {
  return bootstrap->block_s;
}

/* ---- one draw */

/* How many of a block are in interval `place` or a lower one. */
static uint64_t count_to(const struct steps *steps, unsigned place) {
  size_t low = 0, high = steps->length;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (steps->place[middle] <= place)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? steps->count[low - 1] : 0;
}

static uint64_t drawn_to(const struct bootstrap *bootstrap, const unsigned *times, unsigned place) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bootstrap->blocks; i++)
    if (times[i] > 0)
      sum += times[i] * count_to(&bootstrap->steps[i], place);
  return sum;
}

static int64_t draw(const struct bootstrap *bootstrap, double quantile, struct chance *chance) {
  unsigned times[BOOTSTRAP_BLOCKS_MAX];
  unsigned low = bootstrap->low, high = bootstrap->high;
  uint64_t total = 0;
  while (total == 0) { /* a draw of empty blocks alone has no quantile: it is drawn anew */
    memset(times, 0, sizeof(times));
    for (size_t i = 0; i < bootstrap->blocks; i++)
      times[chance_below(chance, bootstrap->blocks)]++;
    total = drawn_to(bootstrap, times, high);
  }
  uint64_t wanted = (uint64_t)ceil(quantile * (double)total);
  while (low < high) {
    unsigned middle = (low + high) / 2;
    if (drawn_to(bootstrap, times, middle) >= wanted)
      high = middle;
    else
      low = middle + 1;
  }
  int64_t highest = histogram_lowest(low + 1) - 1;
  return highest < bootstrap->max ? highest : bootstrap->max;
}

/* ---- all draws */

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

bool bootstrap_interval(const struct bootstrap *bootstrap, double quantile, uint64_t seed, int64_t *ret_low,
                        int64_t *ret_high) {
  enum { OUTSIDE = (int)(BOOTSTRAP_DRAWS * (1 - BOOTSTRAP_LEVEL) / 2) }; /* on each side */
  int64_t drawn[BOOTSTRAP_DRAWS];
  struct chance chance = {seed};
  if (bootstrap->blocks < BOOTSTRAP_BLOCKS_MIN || !quantile_tells(bootstrap->total, quantile))
    return false;
  for (size_t i = 0; i < BOOTSTRAP_DRAWS; i++)
    drawn[i] = draw(bootstrap, quantile, &chance);
  qsort(drawn, BOOTSTRAP_DRAWS, sizeof(*drawn), by_value);
  *ret_low = drawn[OUTSIDE];
  *ret_high = drawn[BOOTSTRAP_DRAWS - 1 - OUTSIDE];
  return true;
}
