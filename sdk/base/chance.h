/* Chance that a seed repeats: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
#ifndef TRAMMEL_SDK_BASE_CHANCE_H
#define TRAMMEL_SDK_BASE_CHANCE_H

#include <stddef.h>
#include <stdint.h>

struct chance {
  uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance) {
  uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* 0 to `n` - 1; of small `n`, so that what the remainder favours is nothing. */
static inline size_t chance_below(struct chance *chance, size_t n) {
  return n ? (size_t)(chance_next(chance) % n) : 0;
}

#endif
