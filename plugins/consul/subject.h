/* Who a subject of a TrafficTarget is. */
#ifndef TRAMMEL_PLUGINS_CONSUL_SUBJECT_H
#define TRAMMEL_PLUGINS_CONSUL_SUBJECT_H

#include "plugins/consul/directory.h"

struct account_list {
  struct account *items; /* sorted, each once, after accounts_sort */
  size_t count, capacity;
};

/* Adds the accounts of `subject`, at `pointer` of the target. What cannot be told is left out, never widened, and
 * covered. */
void subject_resolve(const struct directory *directory, const struct smi_traffic_target *target,
                     const struct smi_subject *subject, const char *pointer, struct coverage_list *coverage,
                     struct account_list *accounts);

void accounts_sort(struct account_list *accounts);

#endif
