#include "sdk/base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_FIRST_BYTES ((size_t)4096)
#define BLOCK_MOST_BYTES ((size_t)1 << 20)
#define ARRAY_FIRST_CAPACITY 8

struct block {
  struct block *next;
  alignas(max_align_t) unsigned char data[];
};

struct arena {
  struct block *blocks; /* the first one is the one that is filled */
  size_t used;          /* of the first block */
  size_t room;          /* in the first block, in all */
  size_t next_bytes;    /* of the next block */
  size_t limit;
  size_t taken; /* of the limit: what every allocation uses up, padding and a block of its own included */
};

struct arena *arena_create(size_t limit) {
  struct arena *arena = calloc(1, sizeof(*arena));

  if (!arena)
    return NULL;
  arena->limit = limit;
  arena->next_bytes = BLOCK_FIRST_BYTES;
  return arena;
}

void arena_destroy(struct arena *arena) {
  if (!arena)
    return;
  while (arena->blocks) {
    struct block *next = arena->blocks->next;

    free(arena->blocks);
    arena->blocks = next;
  }
  free(arena);
}

static struct block *block_create(size_t bytes) {
  size_t total;

  if (__builtin_add_overflow(bytes, sizeof(struct block), &total))
    return NULL;
  return calloc(1, total);
}

/* A block of its own for what would waste most of a shared one, put behind the one that is filled. */
static void *arena_alloc_alone(struct arena *arena, size_t size) {
  struct block *block = block_create(size);

  if (!block)
    return NULL;
  if (arena->blocks) {
    block->next = arena->blocks->next;
    arena->blocks->next = block;
  } else {
    arena->blocks = block;
    arena->used = arena->room = 0;
  }
  return block->data;
}

static bool arena_add_block(struct arena *arena) {
  struct block *block = block_create(arena->next_bytes);

  if (!block)
    return false;
  block->next = arena->blocks;
  arena->blocks = block;
  arena->used = 0;
  arena->room = arena->next_bytes;
  if (arena->next_bytes < BLOCK_MOST_BYTES)
    arena->next_bytes *= 2;
  return true;
}

static void *alloc_aligned(struct arena *arena, size_t size, size_t alignment) {
  size_t bytes = size > 0 ? size : 1;
  size_t start = (arena->used + alignment - 1) & ~(alignment - 1); /* at most `room`, which is a multiple of any */
  bool fits = bytes <= arena->room - start;
  bool alone = !fits && bytes > arena->next_bytes / 4;
  size_t extra = fits ? start - arena->used : alone ? sizeof(struct block) : 0, taken;

  if (__builtin_add_overflow(arena->taken, bytes, &taken) || __builtin_add_overflow(taken, extra, &taken) ||
      (arena->limit > 0 && taken > arena->limit))
    return NULL;
  if (!alone && !fits && !arena_add_block(arena))
    return NULL;
  void *memory = alone ? arena_alloc_alone(arena, bytes) : arena->blocks->data + (fits ? start : 0);
  if (!memory)
    return NULL;
  if (!alone)
    arena->used = (fits ? start : 0) + bytes;
  arena->taken = taken;
  return memory;
}

void *arena_alloc(struct arena *arena, size_t size) {
  return alloc_aligned(arena, size, alignof(max_align_t));
}

void *arena_array(struct arena *arena, size_t count, size_t size) {
  size_t bytes;

  return __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_alloc(arena, bytes);
}

int arena_reserve(struct arena *arena, void **array, size_t *capacity, size_t count, size_t size) {
  size_t grown;
  void *moved;

  if (count < *capacity)
    return 0;
  if (__builtin_mul_overflow(*capacity, (size_t)2, &grown))
    return -ENOMEM;
  if (grown < ARRAY_FIRST_CAPACITY)
    grown = ARRAY_FIRST_CAPACITY;
  moved = grown > count ? arena_array(arena, grown, size) : NULL;
  if (!moved)
    return -ENOMEM;
  if (count)
    memcpy(moved, *array, count * size);
  *array = moved;
  *capacity = grown;
  return 0;
}

char *arena_strdup(struct arena *arena, const char *text) {
  return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length) {
  size_t bytes;
  char *copy;

  if (__builtin_add_overflow(length, (size_t)1, &bytes))
    return NULL;
  copy = alloc_aligned(arena, bytes, 1);
  if (copy && length > 0)
    memcpy(copy, text, length);
  return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
  va_list args;
  char *text;
  int length;

  va_start(args, format);
  length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length < 0)
    return NULL;
  text = arena_alloc(arena, (size_t)length + 1);
  if (!text)
    return NULL;
  va_start(args, format);
  (void)vsnprintf(text, (size_t)length + 1, format, args);
  va_end(args);
  return text;
}
