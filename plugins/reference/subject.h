/* Who a subject of a TrafficTarget is, as the mesh tells callers apart: by namespace and ServiceAccount. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_SUBJECT_H
#define TRAMMEL_PLUGINS_REFERENCE_SUBJECT_H

#include "sdk/adapter/coverage.h"

struct account {
  const char *ns;
  const char *name;
};

struct accounts {
  struct account *items; /* sorted, each once */
  size_t count;
  size_t capacity;
};

/* Adds the accounts of `subject`, at `pointer` of the target. What cannot be told exactly is left out, never widened,
 * and covered. */
void subject_resolve(struct coverage_list *coverage, const struct translate_request *request,
                     const struct smi_traffic_target *target, const struct smi_subject *subject, const char *pointer,
                     struct accounts *accounts);

#endif
