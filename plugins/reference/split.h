/* TrafficSplits as splits of the mesh. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_SPLIT_H
#define TRAMMEL_PLUGINS_REFERENCE_SPLIT_H

#include "sdk/adapter/coverage.h"

/* The split at `index` of the request. */
void split_translate(struct call *call, const struct translate_request *request, size_t index,
                     struct translation *translation);

#endif
