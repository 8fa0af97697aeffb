/* The resources of a request by name: each is looked for many times. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_LOOKUP_H
#define TRAMMEL_PLUGINS_REFERENCE_LOOKUP_H

#include "sdk/adapter/adapter.h"
#include "sdk/smi/index.h"

struct lookup {
  struct smi_index resources;
  struct smi_index splits; /* by their root service */
};

/* False without memory. */
bool lookup_init(struct lookup *lookup, struct arena *arena, const struct smi_set *set);

/* NULL when absent. */
const struct smi_http_route_group *lookup_route_group(const struct lookup *lookup, const char *ns, const char *name);
const struct smi_port_route *lookup_port_route(const struct lookup *lookup, enum smi_kind kind, const char *ns,
                                               const char *name);
/* The first by name of the splits that have the root service of `split`. */
const struct smi_traffic_split *lookup_first_split(const struct lookup *lookup, const struct smi_traffic_split *split);

#endif
