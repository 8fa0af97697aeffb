/* A set of namespaces: those that resources are about. */
#ifndef TRAMMEL_HOST_ENGINE_NAMESPACES_H
#define TRAMMEL_HOST_ENGINE_NAMESPACES_H

#include <jansson.h>
#include <stddef.h>

#include "sdk/smi/model.h"

struct namespaces {
  const char **names; /* in the order they were added; borrowed texts */
  size_t count, capacity;
  json_t *known; /* the same, as keys */
};

/* Adds one, unless it is there, or NULL or "". 0 or -ENOMEM. */
int namespaces_add(struct namespaces *namespaces, const char *ns);
/* Those of the resources of a set, and of the sources and destinations of its TrafficTargets. */
int namespaces_add_set(struct namespaces *namespaces, const struct smi_set *set);
void namespaces_finish(struct namespaces *namespaces);

#endif
