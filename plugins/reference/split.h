/* TrafficSplits as splits of the mesh. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_SPLIT_H
#define TRAMMEL_PLUGINS_REFERENCE_SPLIT_H

#include "plugins/reference/lookup.h"
#include "sdk/adapter/coverage.h"

void split_translate(struct call *call, const struct lookup *lookup, const struct smi_traffic_split *split,
                     struct translation *translation);

#endif
