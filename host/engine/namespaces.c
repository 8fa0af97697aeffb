#include "host/engine/namespaces.h"

#include <errno.h>
#include <stdlib.h>

#include "sdk/base/memory.h"

int namespaces_add(struct namespaces *namespaces, const char *ns) {
  if (!ns || !*ns || json_object_get(namespaces->known, ns))
    return 0;
  if (!namespaces->known)
    namespaces->known = json_object();
  if (array_reserve((void **)&namespaces->names, &namespaces->capacity, namespaces->count, sizeof(*namespaces->names)) <
          0 ||
      json_object_set_new(namespaces->known, ns, json_true()) < 0)
    return -ENOMEM;
  namespaces->names[namespaces->count++] = ns;
  return 0;
}

static int add_target(struct namespaces *namespaces, const struct smi_traffic_target *target) {
  int r = namespaces_add(namespaces, target->meta.ns);

  if (r == 0)
    r = namespaces_add(namespaces, target->destination.ns);
  for (size_t i = 0; r == 0 && i < target->source_count; i++)
    r = namespaces_add(namespaces, target->sources[i].ns);
  return r;
}

int namespaces_add_set(struct namespaces *namespaces, const struct smi_set *set) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < set->target_count; i++)
    r = add_target(namespaces, &set->targets[i]);
  for (size_t i = 0; r == 0 && i < set->route_group_count; i++)
    r = namespaces_add(namespaces, set->route_groups[i].meta.ns);
  for (size_t i = 0; r == 0 && i < set->port_route_count; i++)
    r = namespaces_add(namespaces, set->port_routes[i].meta.ns);
  for (size_t i = 0; r == 0 && i < set->split_count; i++)
    r = namespaces_add(namespaces, set->splits[i].meta.ns);
  for (size_t i = 0; r == 0 && i < set->binding_count; i++)
    r = namespaces_add(namespaces, set->bindings[i].meta.ns);
  return r;
}

void namespaces_finish(struct namespaces *namespaces) {
  free((void *)namespaces->names);
  json_decref(namespaces->known);
  *namespaces = (struct namespaces){0};
}
