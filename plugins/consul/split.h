/* TrafficSplits as splitters, and with matches as routers to a service that only exists to carry the splitter. */
#ifndef TRAMMEL_PLUGINS_CONSUL_SPLIT_H
#define TRAMMEL_PLUGINS_CONSUL_SPLIT_H

#include "plugins/consul/protocol.h"

struct splits {
  const struct directory *directory;
  struct protocols *protocols;
  const struct smi_traffic_split **roots; /* by namespace, root and name */
  size_t count;
};

/* False, and the call marked, without memory. */
bool splits_init(struct splits *splits, const struct directory *directory, struct protocols *protocols);

/* The split at `index` of the request. */
void split_translate(const struct splits *splits, size_t index, struct translation *translation);

#endif
