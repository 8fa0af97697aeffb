/* TrafficTargets as grants of intentions. */
#ifndef TRAMMEL_PLUGINS_CONSUL_TARGET_H
#define TRAMMEL_PLUGINS_CONSUL_TARGET_H

#include "plugins/consul/intention.h"
#include "plugins/consul/protocol.h"

/* Grants what the target at `index` of the request allows, and collects its coverage, to be stated once the objects
 * are there. */
void target_translate(struct intentions *intentions, struct protocols *protocols, size_t index,
                      struct coverage_list *coverage);

#endif
