/* TrafficTargets as permissions. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_TARGET_H
#define TRAMMEL_PLUGINS_REFERENCE_TARGET_H

#include "plugins/reference/lookup.h"
#include "sdk/adapter/coverage.h"

void target_translate(struct call *call, const struct translate_request *request, const struct lookup *lookup,
                      const struct smi_traffic_target *target, struct translation *translation);

#endif
