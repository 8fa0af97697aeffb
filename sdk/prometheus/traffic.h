/* SMI's traffic metrics out of the series that a mesh's proxies have in Prometheus. What differs between meshes is a
 * table of views: which series tell of which kind of resource, and by which labels. */
#ifndef TRAMMEL_SDK_PROMETHEUS_TRAFFIC_H
#define TRAMMEL_SDK_PROMETHEUS_TRAFFIC_H

#include "sdk/adapter/adapter.h"
#include "sdk/prometheus/prometheus.h"

/* Of diagnostics (docs/diagnostics.md). */
#define CODE_TRAFFIC_UNTOLD "SDK-0020" /* what the series do not tell */
#define CODE_TRAFFIC_VALUE "SDK-0021"  /* a value that is no count, or no time */

#define TRAFFIC_WINDOW_MAX_S 86400

/* Members of a configuration schema's "properties" that these functions read. */
#define TRAFFIC_OPTIONS                                                                                                \
  "\"metrics_window\":{\"type\":\"integer\",\"default\":300,\"minimum\":0,\"maximum\":86400,"                          \
  "\"description\":\"Seconds of traffic that metrics are of, several times what Prometheus scrapes at; 0: all since "  \
  "the proxies started\"},"                                                                                            \
  "\"metrics_labels\":{\"type\":\"array\",\"maxItems\":8,\"default\":[],\"items\":{\"type\":\"string\","               \
  "\"maxLength\":256,\"pattern\":\"^[a-zA-Z_][a-zA-Z0-9_]*=\"},"                                                       \
  "\"description\":\"NAME=VALUE: labels that series in Prometheus have to have, as where it holds several clusters\"}"

/* A counter and a histogram, both of requests. Matchers are PromQL: `code=~"5.."`. */
struct traffic_series {
  const char *counter;
  const char *success; /* matchers of what succeeded: SMI's metrics count all but 5xx as that */
  const char *failure; /* of what failed */
  const char *buckets; /* of the histogram: the series that has the label le */
  uint64_t unit_ns;    /* of the histogram's bounds: 1000000 for milliseconds */
};

/* The labels that name a resource. */
struct traffic_labels {
  const char *name;
  const char *ns; /* NULL: there is none */
};

/* How resources of a kind are told, by themselves or with who is at the other end of an edge. */
struct traffic_view {
  const char *kind;
  bool edges;
  enum edge_direction direction; /* edges only, as `side` and `peer_kind` */
  enum edge_side side;
  const char *peer_kind;
  const char *matchers; /* what is looked at; "": all */
  struct traffic_labels resource;
  struct traffic_labels peer;
  const struct traffic_series *series;
  const char *untold; /* why the series do not tell of it, in place of all but `kind` and `edges`; NULL: they do */
};

/* What a resource is called in the labels, where that is not as in the request. */
struct traffic_names {
  const char *name;    /* NULL: as in the request */
  const char *ns;      /* the same */
  const char *pattern; /* in place of `name`: a whole name, in RE2; each is an item, and named as in the labels */
};

/* Answers a request by all views of its kind: an item for each resource, or edge, that has been counted, and none for
 * what has not. A latency without samples is 0. TRAMMEL_UNIMPLEMENTED with the reason for what no view tells and for
 * selectors, INVALID_ARGUMENT for edges of all resources; statuses of prometheus_query. `names` NULL: all as in the
 * request. */
int traffic_metrics(struct call *call, const struct traffic_view *views, size_t count,
                    const struct metrics_request *request, const struct traffic_names *names, struct metrics *metrics);

#endif
