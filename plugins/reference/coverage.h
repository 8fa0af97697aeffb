/* Coverage of one resource, collected before the objects that carry it exist. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_COVERAGE_H
#define TRAMMEL_PLUGINS_REFERENCE_COVERAGE_H

#include "sdk/adapter/adapter.h"

struct coverage_list {
  struct call *call;
  struct coverage *items;
  size_t count;
  size_t capacity;
};

/* Adds one; the pointer is formatted. Texts live as long as the call. */
void coverage_add(struct coverage_list *list, const struct coverage *coverage, const char *pointer, ...)
    __attribute__((format(printf, 3, 4)));

/* States all of them. What is not unsupported is carried by `objects`. */
void coverage_state(const struct coverage_list *list, struct translation *translation,
                    const struct native_object *const *objects, size_t count);

#endif
