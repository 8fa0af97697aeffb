#include "plugins/reference/lookup.h"

#include <string.h>

bool lookup_init(struct lookup *lookup, struct arena *arena, const struct smi_set *set) {
  if (smi_index_set(&lookup->resources, arena, set) < 0 || smi_index_init(&lookup->splits, arena, set->split_count) < 0)
    return false;
  for (size_t i = 0; i < set->split_count; i++)
    smi_index_add(&lookup->splits, SMI_TRAFFIC_SPLIT, set->splits[i].meta.ns, set->splits[i].service,
                  &set->splits[i].meta);
  smi_index_sort(&lookup->splits);
  return true;
}

const struct smi_http_route_group *lookup_route_group(const struct lookup *lookup, const char *ns, const char *name) {
  return (const struct smi_http_route_group *)smi_index_get(&lookup->resources, SMI_HTTP_ROUTE_GROUP, ns, name);
}

const struct smi_port_route *lookup_port_route(const struct lookup *lookup, enum smi_kind kind, const char *ns,
                                               const char *name) {
  return (const struct smi_port_route *)smi_index_get(&lookup->resources, kind, ns, name);
}

const struct smi_traffic_split *lookup_first_split(const struct lookup *lookup, const struct smi_traffic_split *split) {
  size_t count = 0;
  const struct smi_index_entry *entries =
      smi_index_find(&lookup->splits, SMI_TRAFFIC_SPLIT, split->meta.ns, split->service, &count);
  const struct smi_meta *first = &split->meta;
  for (size_t i = 0; i < count; i++)
    if (strcmp(entries[i].meta->name, first->name) < 0)
      first = entries[i].meta;
  return (const struct smi_traffic_split *)first;
}
