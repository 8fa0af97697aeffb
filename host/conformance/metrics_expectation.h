/* What a check of kind `metrics` expects to find in a mesh's traffic metrics after its calls (docs/cases.md). */
#ifndef TRAMMEL_HOST_CONFORMANCE_METRICS_EXPECTATION_H
#define TRAMMEL_HOST_CONFORMANCE_METRICS_EXPECTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metrics_kind {
  METRICS_POD = 1,
  METRICS_DEPLOYMENT,
  METRICS_NAMESPACE,
  METRICS_SERVICE,
  METRICS_SPLIT,
};

/* "Pod", "Deployment", "Namespace", "Service", "TrafficSplit". */
const char *metrics_kind_name(enum metrics_kind kind);

/* By how much counts must grow. */
struct metrics_growth {
  bool judged; /* false: only that there is an item */
  uint64_t success;
  uint64_t failure;
};

struct metrics_label {
  const char *name;
  const char *value;
};

/* An item of a list. */
struct metrics_list_item {
  const char *name;
  struct metrics_growth growth;
};

/* A backend of a split. It must grow by what the servers behind the service of its name recorded. */
struct metrics_split_backend {
  const char *name;
  uint32_t weight;
};

struct metrics_edge {
  const char *peer_ns; /* alias */
  const char *peer;
  bool outgoing; /* direction: to */
  bool client;   /* side: client */
};

struct metrics_expectation {
  enum metrics_kind kind;
  const char *ns;                  /* alias; of a Namespace "" */
  const char *name;                /* of a Namespace an alias; NULL: all of the kind */
  const struct metrics_edge *edge; /* NULL: the resource itself */
  struct metrics_growth growth;    /* with a name */
  bool latency;                    /* latencies are judged */
  /* Without a name: exactly these items, of Namespaces at least these. */
  const struct metrics_list_item *items;
  size_t item_count;
  const struct metrics_label *selector;
  size_t selector_count;
  /* Of a TrafficSplit with a name. */
  const char *apex;
  const struct metrics_split_backend *backends;
  size_t backend_count;
};

#endif
