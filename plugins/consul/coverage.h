/* Coverage of one resource, collected before the objects that carry it exist. */
#ifndef TRAMMEL_PLUGINS_CONSUL_COVERAGE_H
#define TRAMMEL_PLUGINS_CONSUL_COVERAGE_H

#include "sdk/adapter/adapter.h"

/* How well something is carried over. {0}: not said yet. */
struct verdict {
  enum coverage_level level;
  const char *code;
  const char *reason;
  const char *remedy;
};

#define VERDICT_EXACT ((struct verdict){.level = COVERAGE_EXACT})

struct coverage_list {
  struct call *call;
  struct coverage *items;
  size_t count;
  size_t capacity;
};

/* Adds one; the pointer is formatted. Texts live as long as the call. */
void coverage_add(struct coverage_list *list, const struct smi_meta *resource, struct verdict verdict,
                  const char *pointer, ...) __attribute__((format(printf, 4, 5)));

/* What is not unsupported becomes so: what it is a part of is left out. */
void coverage_withdraw(struct coverage_list *list, struct verdict verdict);

/* What is exact becomes what the verdict says. */
void coverage_lower(struct coverage_list *list, struct verdict verdict);

/* States all of them. What is not unsupported is carried by `objects`. */
void coverage_state(const struct coverage_list *list, struct translation *translation,
                    const struct native_object *const *objects, size_t count);

#endif
