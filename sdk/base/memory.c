#include "sdk/base/memory.h"

#include <errno.h>
#include <stdint.h>

#define ARRAY_FIRST_CAPACITY 8

int array_reserve(void **array, size_t *capacity, size_t count, size_t size) {
  size_t grown, bytes;
  void *moved;

  if (count < *capacity)
    return 0;
  grown = *capacity > 0 ? *capacity : ARRAY_FIRST_CAPACITY / 2;
  if (__builtin_mul_overflow(grown, (size_t)2, &grown) || grown <= count || __builtin_mul_overflow(grown, size, &bytes))
    return -ENOMEM;
  moved = realloc(*array, bytes);
  if (!moved)
    return -ENOMEM;
  *array = moved;
  *capacity = grown;
  return 0;
}
