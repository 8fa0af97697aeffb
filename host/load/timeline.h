/* A run's durations by when they were measured, in at most TIMELINE_BLOCKS_MAX blocks: of one second each at first;
 * then the oldest are folded in pairs, so that memory does not grow with the run. One thread at a time. */
#ifndef TRAMMEL_HOST_LOAD_TIMELINE_H
#define TRAMMEL_HOST_LOAD_TIMELINE_H

#include <stddef.h>

#include "host/load/histogram.h"

#define TIMELINE_BLOCKS_MAX 256 /* even */

struct timeline;

/* NULL without memory. */
struct timeline *timeline_create(void);
void timeline_destroy(struct timeline *timeline);
DEFINE_CLEANUP(struct timeline *, timeline_destroy);

/* `at_ns` is from 0 on, and does not go back. */
void timeline_record(struct timeline *timeline, int64_t at_ns, int64_t value_ns);
/* Nothing more will be recorded: all blocks get the same length. To be called before anything below. */
void timeline_end(struct timeline *timeline);
/* A block of another timeline that had ended, after those that were put before it; all are of the same length, 1, 2, 4
 * … up to TIMELINE_BLOCK_MAX_S. Nothing is recorded in such a timeline. -EINVAL when there is no room, or it is of
 * another length; -ENOMEM. */
#define TIMELINE_BLOCK_MAX_S 4096
int timeline_put(struct timeline *timeline, int64_t block_s, const struct histogram *histogram);
/* Adds one that has ended to another one that has; the longer blocks are those of the sum. */
void timeline_add(struct timeline *to, const struct timeline *from);
/* The same for one that began `later_ns` (0 to INT64_MAX / 2) after it: each block is added to that in which it begins.
 */
void timeline_add_later(struct timeline *to, const struct timeline *from, int64_t later_ns);
/* A kept one that is read back: the next block, of `block_s` as all of them, at most TIMELINE_BLOCKS_MAX (what is
 * beyond is left out). Nothing may be recorded besides. */
void timeline_append(struct timeline *timeline, int64_t block_s, const struct histogram *histogram);
/* -ENOMEM when there was no memory at some time: something is missing then. */
int timeline_check(const struct timeline *timeline);

size_t timeline_count(const struct timeline *timeline);
/* Of a block: 1, 2, 4 …; block i begins at i times that. The last one may be cut by the end. */
int64_t timeline_block_s(const struct timeline *timeline);
/* Adds what is in block `i` to `histogram`, its minimum and maximum exactly. */
void timeline_read(const struct timeline *timeline, size_t i, struct histogram *histogram);

#endif
