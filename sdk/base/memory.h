/* Scope-bound cleanup and overflow-checked allocation. */
#ifndef TRAMMEL_SDK_BASE_MEMORY_H
#define TRAMMEL_SDK_BASE_MEMORY_H

#include <stdlib.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs `f(&variable)` when the variable leaves its scope. For `.c` files only. */
#define _cleanup_(f) __attribute__((cleanup(f)))

/* Defines `static inline void name_p(T *p)`, which calls `f(*p)`: what _cleanup_ needs. */
#define DEFINE_CLEANUP(T, f)                                                                                           \
  static inline void f##_p(T *p) {                                                                                     \
    f(*p);                                                                                                             \
  }                                                                                                                    \
  struct cleanup_semicolon_##f

static inline void free_p(void *p) {
  free(*(void **)p);
}

static inline void close_p(int *fd) {
  if (*fd >= 0)
    (void)close(*fd);
}

/* How many elements an array (not a pointer) has. */
#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define _cleanup_free_ _cleanup_(free_p)
#define _cleanup_close_ _cleanup_(close_p)

/* Hands the value of `lvalue` over and leaves zero behind, so that its cleanup does nothing. */
#define take(lvalue)                                                                                                   \
  ({                                                                                                                   \
    __typeof__(lvalue) take_value_ = (lvalue);                                                                         \
    (lvalue) = (__typeof__(lvalue)){0};                                                                                \
    take_value_;                                                                                                       \
  })

/* Makes room for one more element in the heap array `*array` of `count` elements of `size` bytes whose capacity is
 * `*capacity`; grows by doubling. Returns 0 or -ENOMEM (the array is then as it was). */
int array_reserve(void **array, size_t *capacity, size_t count, size_t size);

#ifdef __cplusplus
}
#endif

#endif
