/* Numbers that look random and are the same for the same seed, on every machine (SplitMix64). Not for secrets. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_RANDOM_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
  uint64_t state; /* the seed */
};

uint64_t random_next(struct random *random);

/* 0 to count - 1; 0 for a count of 0. */
size_t random_below(struct random *random, size_t count);

/* True in `times` of `of`. */
bool random_chance(struct random *random, unsigned times, unsigned of);

/* An item of an array. */
#define random_item(random, array) ((array)[random_below((random), sizeof(array) / sizeof *(array))])

#endif
