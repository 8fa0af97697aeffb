#include "host/load/timeline.h"

#include <errno.h>
#include <string.h>

#include "host/load/histogram_layout.h"
#include "sdk/base/clock.h"

struct block {
  int64_t min, max;
  unsigned char *counts; /* heap: as histogram_put_counts() has it; NULL: nothing was recorded */
  size_t length;
};

struct timeline {
  struct histogram *current; /* of the block that is not finished */
  struct histogram *scratch;
  unsigned char *buffer; /* for the counts of any histogram */
  int64_t begin_s;       /* of the current one */
  int64_t block_s;
  size_t count, folded; /* finished blocks; the first ones of these are twice as long already */
  bool failed;
  struct block blocks[TIMELINE_BLOCKS_MAX];
};

struct timeline *timeline_create(void) {
  struct timeline *timeline = calloc(1, sizeof(*timeline));
  if (!timeline)
    return NULL;
  timeline->block_s = 1;
  timeline->current = histogram_create();
  timeline->scratch = histogram_create();
  timeline->buffer = malloc(HISTOGRAM_COUNTS_MAX);
  if (timeline->current && timeline->scratch && timeline->buffer)
    return timeline;
  timeline_destroy(timeline);
  return NULL;
}

void timeline_destroy(struct timeline *timeline) {
  if (!timeline)
    return;
  for (size_t i = 0; i < timeline->count; i++)
    free(timeline->blocks[i].counts);
  histogram_destroy(timeline->current);
  histogram_destroy(timeline->scratch);
  free(timeline->buffer);
  free(timeline);
}

/* ---- blocks */

static void add_block(const struct block *block, struct histogram *histogram) {
  int64_t min = histogram->min < block->min ? histogram->min : block->min;
  int64_t max = histogram->max > block->max ? histogram->max : block->max;
  if (!block->counts)
    return;
  (void)histogram_take_counts(histogram, block->counts, block->length, NULL); /* its own: nothing is wrong with it */
  histogram->min = min;
  histogram->max = max;
}

/* Replaces what is in the block. */
static void store(struct timeline *timeline, struct block *block, const struct histogram *histogram) {
  free(block->counts);
  *block = (struct block){.min = histogram->min, .max = histogram->max};
  if (histogram->total == 0)
    return;
  block->length = histogram_put_counts(histogram, timeline->buffer);
  block->counts = malloc(block->length);
  if (block->counts)
    memcpy(block->counts, timeline->buffer, block->length);
  timeline->failed |= !block->counts;
}

static void add_to_block(struct timeline *timeline, struct block *to, const struct histogram *histogram) {
  histogram_clear(timeline->scratch);
  add_block(to, timeline->scratch);
  histogram_add(timeline->scratch, histogram);
  store(timeline, to, timeline->scratch);
}

/* The first two blocks that are not folded become one. */
static void fold_pair(struct timeline *timeline) {
  struct block *first = &timeline->blocks[timeline->folded++], *second = first + 1;
  histogram_clear(timeline->scratch);
  add_block(first, timeline->scratch);
  add_block(second, timeline->scratch);
  store(timeline, first, timeline->scratch);
  free(second->counts);
  timeline->count--;
  memmove(second, second + 1, (timeline->count - timeline->folded) * sizeof(*second));
}

/* A pair for each block that comes, so that no moment is long. */
static void finish_block(struct timeline *timeline) {
  timeline->begin_s += timeline->block_s;
  if (timeline->folded == TIMELINE_BLOCKS_MAX - 1) {
    add_to_block(timeline, &timeline->blocks[timeline->folded], timeline->current);
    timeline->folded = 0;
    timeline->block_s *= 2;
  } else {
    if (timeline->count == TIMELINE_BLOCKS_MAX)
      fold_pair(timeline);
    struct block *block = &timeline->blocks[timeline->count++];
    block->counts = NULL;
    store(timeline, block, timeline->current);
  }
  histogram_clear(timeline->current);
}

/* All blocks get twice as long. */
static void fold(struct timeline *timeline) {
  while (timeline->count - timeline->folded >= 2)
    fold_pair(timeline);
  timeline->folded = 0;
  timeline->block_s *= 2;
}

/* ---- the whole */

void timeline_record(struct timeline *timeline, int64_t at_ns, int64_t value_ns) {
  while (at_ns >= (timeline->begin_s + timeline->block_s) * NS_PER_SECOND)
    finish_block(timeline);
  histogram_record(timeline->current, value_ns);
}

void timeline_end(struct timeline *timeline) {
  if (timeline->current->total > 0)
    finish_block(timeline);
  if (timeline->folded > 0)
    fold(timeline);
}

int timeline_put(struct timeline *timeline, int64_t block_s, const struct histogram *histogram) {
  bool fits = block_s >= 1 && block_s <= TIMELINE_BLOCK_MAX_S && (block_s & (block_s - 1)) == 0;
  if (!fits || timeline->count == TIMELINE_BLOCKS_MAX || (timeline->count > 0 && timeline->block_s != block_s))
    return -EINVAL;
  timeline->block_s = block_s;
  struct block *block = &timeline->blocks[timeline->count++];
  block->counts = NULL;
  store(timeline, block, histogram);
  return timeline_check(timeline);
}

static size_t place_of(const struct timeline *to, const struct timeline *from, size_t i, int64_t later_ns) {
  return (size_t)((later_ns / NS_PER_SECOND + (int64_t)i * from->block_s) / to->block_s);
}

void timeline_add(struct timeline *to, const struct timeline *from) {
  timeline_add_later(to, from, 0);
}

void timeline_add_later(struct timeline *to, const struct timeline *from, int64_t later_ns) {
  struct histogram *read = histogram_create();
  to->failed |= from->failed || !read;
  while (to->block_s < from->block_s ||
         (from->count > 0 && place_of(to, from, from->count - 1, later_ns) >= TIMELINE_BLOCKS_MAX))
    fold(to);
  for (size_t i = 0; read && i < from->count; i++) {
    size_t place = place_of(to, from, i, later_ns);
    while (to->count <= place)
      to->blocks[to->count++] = (struct block){.min = INT64_MAX};
    histogram_clear(read);
    add_block(&from->blocks[i], read);
    add_to_block(to, &to->blocks[place], read);
  }
  histogram_destroy(read);
}

void timeline_append(struct timeline *timeline, int64_t block_s, const struct histogram *histogram) {
  timeline->block_s = block_s;
  if (timeline->count == TIMELINE_BLOCKS_MAX)
    return;
  struct block *block = &timeline->blocks[timeline->count++];
  block->counts = NULL;
  store(timeline, block, histogram);
}

int timeline_check(const struct timeline *timeline) {
  return timeline->failed ? -ENOMEM : 0;
}

size_t timeline_count(const struct timeline *timeline) {
  return timeline->count;
}

int64_t timeline_block_s(const struct timeline *timeline) {
  return timeline->block_s;
}

void timeline_read(const struct timeline *timeline, size_t i, struct histogram *histogram) {
  add_block(&timeline->blocks[i], histogram);
}
