/* Groups of counted requests as TrafficMetrics and TrafficMetricsList. */
#ifndef TRAMMEL_REFERENCE_MESH_SMI_DOCUMENT_H
#define TRAMMEL_REFERENCE_MESH_SMI_DOCUMENT_H

#include <jansson.h>

#include "plugins/reference/mesh/aggregate.h"

#define METRICS_API_VERSION "metrics.smi-spec.io/v1alpha1"
#define METRICS_API_PATH "/apis/" METRICS_API_VERSION

/* How a kind is called in paths and in objects. */
struct measured_kind {
  const char *plural;
  const char *kind;
  bool namespaced;
};
extern const struct measured_kind measured_kinds[MEASURED_KINDS];

/* What was asked for. */
struct metrics_query {
  enum measured kind;
  struct workload_name resource; /* "": all; a namespace's own namespace is "" */
  bool edges;
  bool selected; /* by a selector */
  struct selector selector;
};

/* New references; NULL without memory. */
json_t *smi_document_list(const struct mesh *mesh, const struct metrics_query *query, const struct groups *groups);
json_t *smi_document_item(const struct mesh *mesh, const struct metrics_query *query, const struct group *group);

#endif
