/* Coverage of one resource, collected before the objects that carry it exist. */
#ifndef TRAMMEL_SDK_ADAPTER_COVERAGE_H
#define TRAMMEL_SDK_ADAPTER_COVERAGE_H

#include <stdarg.h>

#include "sdk/adapter/translation.h"

struct coverage_list {
  struct call *call;
  struct coverage *items;
  size_t count;
  size_t capacity;
};

/* Adds one; the pointer is formatted. Texts live as long as the call. */
void coverage_add(struct coverage_list *list, const struct coverage *coverage, const char *pointer, ...)
    __attribute__((format(printf, 3, 4)));
void coverage_addv(struct coverage_list *list, const struct coverage *coverage, const char *pointer, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Makes unsupported whatever is not, for the reason given: what it depends on was left out. */
void coverage_withdraw(struct coverage_list *list, const char *code, const char *reason);

/* States all of them. What is not unsupported is carried by `objects`. */
void coverage_state(const struct coverage_list *list, struct translation *translation,
                    const struct native_object *const *objects, size_t count);

#endif
