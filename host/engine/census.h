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

/* A kind that is looked for, in versions of which the first that is served is asked. */
struct census_kind {
  const char *kind;
  const char *versions[2]; /* the second may be NULL */
  bool controls;           /* pods, or what has them */
};
#define CENSUS_KINDS 10
extern const struct census_kind census_kinds[CENSUS_KINDS];

/* Whether another one of these kinds controls the object, which so is no one of its own. */
bool census_is_controlled(const json_t *object);

/* Lists Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs, Pods, Services and
 * ServiceAccounts, in pages: an array, each with apiVersion and kind, without annotations and managed fields, and of
 * its status the phase alone. What another one of these controls is left out: a Pod of a Deployment, but not that of a
 * controller nobody here knows. */
int census_take(const struct census *census, json_t **ret_objects, struct error **err);

#endif
