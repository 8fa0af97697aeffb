/* What an adapter hears of a topology. */
#ifndef TRAMMEL_HOST_LAB_INVENTORY_H
#define TRAMMEL_HOST_LAB_INVENTORY_H

#include "host/lab/site.h"
#include "host/lab/topology.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* The inventory of a topology whose workload i lives at `sites[i]`; `namespace_of` gives the real name of an alias.
 * Lives in `arena`. NULL without memory. */
Trammel__Adapter__V1__Inventory *lab_inventory(struct arena *arena, const struct topology *topology,
                                               const struct site *sites,
                                               const char *(*namespace_of)(const void *ctx, const char *alias),
                                               const void *ctx);

#endif
