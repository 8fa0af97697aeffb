/* What an SMI traffic metrics API answers (metrics v1alpha1): TrafficMetrics and TrafficMetricsList, read strictly. */
#ifndef TRAMMEL_SDK_SMI_METRICS_H
#define TRAMMEL_SDK_SMI_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"
#include "sdk/base/error.h"

#define SMI_METRICS_API_VERSION "metrics.smi-spec.io/v1alpha1"
#define SMI_METRICS_ITEMS_MAX 100000

enum smi_edge_direction { SMI_EDGE_TO = 1, SMI_EDGE_FROM };
enum smi_edge_side { SMI_SIDE_CLIENT = 1, SMI_SIDE_SERVER };

/* "to", "from", "client", "server"; NULL for none of them. */
const char *smi_edge_direction_name(enum smi_edge_direction direction);
const char *smi_edge_side_name(enum smi_edge_side side);

/* A reference to what is measured; "" for what is not said. */
struct smi_metrics_resource {
  const char *kind;
  const char *ns;
  const char *name;
};

struct smi_metrics_backend {
  const char *apex;
  const char *name;
  uint64_t weight;
};

/* One TrafficMetrics. */
struct smi_metrics_item {
  struct smi_metrics_resource resource;
  enum smi_edge_direction direction;
  enum smi_edge_side side;
  struct smi_metrics_resource peer; /* of the edge; all "": any */
  bool has_backend;
  struct smi_metrics_backend backend;
  int64_t window_ns;
  uint64_t success_count;
  uint64_t failure_count;
  uint64_t p50_ns;
  uint64_t p90_ns;
  uint64_t p99_ns;
};

struct smi_metrics {
  bool list;                            /* a TrafficMetricsList, else one TrafficMetrics */
  struct smi_metrics_resource resource; /* of the list, or the one item's */
  const struct smi_metrics_item *items;
  size_t count;
};

/* Reads a body that such an API answered with, into `arena`. Every member that the specification names is checked;
 * others are passed over, as Kubernetes' clients do. 0, -EINVAL with what is wrong and where, -ENOMEM. */
int smi_metrics_read(struct arena *arena, const char *text, size_t length, struct smi_metrics *ret_metrics,
                     struct error **err);

#endif
