/* What is judged before it is known what it is about: coverage (sdk/adapter/coverage.h) without its resource. */
#ifndef TRAMMEL_PLUGINS_CONSUL_VERDICT_H
#define TRAMMEL_PLUGINS_CONSUL_VERDICT_H

#include "sdk/adapter/coverage.h"

/* How well something is carried over. {0}: not said yet. */
struct verdict {
  enum coverage_level level;
  const char *code;
  const char *reason;
  const char *remedy;
};

#define VERDICT_EXACT ((struct verdict){.level = COVERAGE_EXACT})

/* Adds what the verdict says of `resource`; the pointer is formatted. Texts live as long as the call. */
void verdict_cover(struct coverage_list *list, const struct smi_meta *resource, struct verdict verdict,
                   const char *pointer, ...) __attribute__((format(printf, 4, 5)));

/* What is exact becomes what the verdict says. */
void verdict_lower(struct coverage_list *list, struct verdict verdict);

#endif
