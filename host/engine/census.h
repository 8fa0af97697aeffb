/* Who there is on a cluster: the objects that an inventory is made of. */
#ifndef TRAMMEL_HOST_ENGINE_CENSUS_H
#define TRAMMEL_HOST_ENGINE_CENSUS_H

#include "host/engine/cluster.h"

/* How long one page of a list may take, with all that is tried again. */
#define CENSUS_TIMEOUT_NS (60 * INT64_C(1000000000))

/* Namespaces that are listed one by one; for more of them the whole cluster is. */
#define CENSUS_NAMESPACES_MAX 32

struct census {
  struct cluster *cluster;
  const char *const *namespaces; /* only these; none: all of them */
  size_t namespace_count;
  const atomic_bool *cancel; /* NULL: none */
};

/* Lists Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs, Pods, Services and
 * ServiceAccounts, in pages: an array, each with apiVersion and kind, without annotations and managed fields, and of
 * its status the phase alone. What another one of these controls is left out: a Pod of a Deployment, but not that of a
 * controller nobody here knows. */
int census_take(const struct census *census, json_t **ret_objects, struct error **err);

#endif
