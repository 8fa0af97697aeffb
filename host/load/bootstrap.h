/* How exact a run's quantile is: its blocks of time are drawn anew, with replacement, many times (block bootstrap). A
 * block stays whole, so that requests that waited together stay together. Pure functions. */
#ifndef TRAMMEL_HOST_LOAD_BOOTSTRAP_H
#define TRAMMEL_HOST_LOAD_BOOTSTRAP_H

#include <stdbool.h>

#include "host/load/timeline.h"

#define BOOTSTRAP_DRAWS 1000
#define BOOTSTRAP_LEVEL 0.95
#define BOOTSTRAP_BLOCKS_MAX 64 /* of more, neighbours are drawn together: time and memory have an end */
#define BOOTSTRAP_BLOCKS_MIN 10 /* with fewer, what is drawn says too little of what could have been */

struct bootstrap;

/* Of a timeline that has ended; does not keep it. -ENOMEM. */
int bootstrap_create(const struct timeline *timeline, struct bootstrap **ret_bootstrap);
void bootstrap_destroy(struct bootstrap *bootstrap);
DEFINE_CLEANUP(struct bootstrap *, bootstrap_destroy);

/* How long what is drawn is: a block, or several together. */
int64_t bootstrap_block_s(const struct bootstrap *bootstrap);

/* The interval that BOOTSTRAP_LEVEL of the draws' quantiles are in; the same for the same seed. False: there are too
 * few blocks, or too few values for this quantile (see quantile_tells()). */
bool bootstrap_interval(const struct bootstrap *bootstrap, double quantile, uint64_t seed, int64_t *ret_low,
                        int64_t *ret_high);

/* Whether `count` values say anything of a quantile: with fewer than ln(0.025) / ln(quantile) it is above all of them
 * at a chance of 2.5%. */
bool quantile_tells(uint64_t count, double quantile);

#endif
