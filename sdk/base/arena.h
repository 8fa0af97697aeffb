/* An arena: many small allocations, one free. For parse trees and per-request data. Not thread-safe. */
#ifndef TRAMMEL_SDK_BASE_ARENA_H
#define TRAMMEL_SDK_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "sdk/base/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

struct arena;

/* `limit` is the most bytes that allocations use up in all, each rounded up to its alignment; 0 for no limit. The last
 * block may reserve up to 1 MiB more. NULL without memory. */
struct arena *arena_create(size_t limit);
void arena_destroy(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_destroy);
#define _cleanup_arena_ _cleanup_(arena_destroy_p)

/* Zeroed memory, aligned for any type, that lives as long as the arena. NULL when memory or the limit is used up, or
 * when `count * size` overflows. A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);

/* Makes room for one more element in the array `*array` of `count` elements of `size` bytes whose capacity is
 * `*capacity`; grows by doubling, into new memory of the arena. Returns 0 or -ENOMEM (the array is then as it was). */
int arena_reserve(struct arena *arena, void **array, size_t *capacity, size_t count, size_t size);

/* Copies into the arena, NUL-terminated. NULL as above; arena_strdup(NULL) is NULL. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define arena_new(arena, T) ((T *)arena_alloc((arena), sizeof(T)))

#ifdef __cplusplus
}
#endif

#endif
