/* What metrics are asked of: resources, and the edges of one, each with all that was counted for it. */
#ifndef TRAMMEL_REFERENCE_MESH_AGGREGATE_H
#define TRAMMEL_REFERENCE_MESH_AGGREGATE_H

#include "plugins/reference/mesh/mesh.h"
#include "plugins/reference/mesh/selector.h"

enum measured {
  MEASURED_POD,
  MEASURED_DEPLOYMENT,
  MEASURED_NAMESPACE,
  MEASURED_SERVICE,
  MEASURED_SPLIT,
  MEASURED_KINDS
};

struct group {
  struct workload_name resource; /* a namespace's own namespace is "" */
  struct workload_name peer;     /* of an edge; "" else */
  bool outgoing;                 /* an edge from the resource to the peer; else traffic comes from it, or from anyone */
  bool client;                   /* counted at the caller's side */
  const char *apex;              /* of a split's backend: the split's service; NULL */
  const char *backend;           /* "" */
  uint32_t weight;
  json_t *labels;        /* what a selector looks at: those of the resource, of an edge those of the peer; NULL: none */
  struct totals *totals; /* NULL: nothing was counted */
  const char *only_pod;  /* FAULT_METRICS_ONE_POD_ONLY: whose value it is */
};

/* In the order of their names. Some texts are the store's and the metrics', until either changes. */
struct groups {
  struct arena *arena;
  struct group **items;
  size_t count, capacity;
};

void groups_finish(struct groups *groups);
#define _cleanup_groups_ _cleanup_(groups_finish)

/* The resources of a kind, of a namespace ("": all) and a name ("": all), each backend of a split for itself, that the
 * selector chooses. 0 or -ENOMEM. */
int aggregate_resources(const struct mesh *mesh, enum measured kind, const struct workload_name *wanted,
                        const struct selector *selector, struct groups *ret_groups);

/* The edges of one resource: with resources of the same kind, and of services and splits with the workloads that
 * called. */
int aggregate_edges(const struct mesh *mesh, enum measured kind, const struct workload_name *resource,
                    const struct selector *selector, struct groups *ret_groups);

#endif
