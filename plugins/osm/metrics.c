/* Metrics, as the Envoys of clients have them: OSM's extension of these counts what is answered to requests that go
 * out, and names both ends in labels of its own (OSM 1.2, wasm/stats.cc and "Metrics" of its documentation). Envoy
 * turns each '-' and '.' in them into '_'. */
#include "plugins/osm/lifecycle.h"
#include "sdk/prometheus/traffic.h"

static const struct traffic_series requests = {
    .counter = "osm_request_total",
    .success = "response_code!~\"5..\"",
    .failure = "response_code=~\"5..\"",
    .buckets = "osm_request_duration_ms_bucket",
    .unit_ns = 1000000,
};

/* What a client's own Envoy answers has "unknown" for the other end, which is nobody's name. */
#define KNOWN "destination_name!=\"unknown\",source_name!=\"unknown\""
#define DEPLOYMENTS "destination_kind=\"Deployment\",source_kind=\"Deployment\""

#define SOURCE(name)                                                                                                   \
  { "source_" name, "source_namespace" }
#define DESTINATION(name)                                                                                              \
  { "destination_" name, "destination_namespace" }

static const struct traffic_view views[] = {
    {.kind = "Pod", .matchers = KNOWN, .resource = DESTINATION("pod"), .series = &requests},
    {.kind = "Deployment",
     .matchers = KNOWN ",destination_kind=\"Deployment\"",
     .resource = DESTINATION("name"),
     .series = &requests},
    {.kind = "Namespace", .matchers = KNOWN, .resource = {"destination_namespace", NULL}, .series = &requests},
    {.kind = "Pod",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_CLIENT,
     .peer_kind = "Pod",
     .matchers = KNOWN,
     .resource = DESTINATION("pod"),
     .peer = SOURCE("pod"),
     .series = &requests},
    {.kind = "Pod",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Pod",
     .matchers = KNOWN,
     .resource = SOURCE("pod"),
     .peer = DESTINATION("pod"),
     .series = &requests},
    {.kind = "Deployment",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_CLIENT,
     .peer_kind = "Deployment",
     .matchers = KNOWN "," DEPLOYMENTS,
     .resource = DESTINATION("name"),
     .peer = SOURCE("name"),
     .series = &requests},
    {.kind = "Deployment",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Deployment",
     .matchers = KNOWN "," DEPLOYMENTS,
     .resource = SOURCE("name"),
     .peer = DESTINATION("name"),
     .series = &requests},
    {.kind = "Namespace",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_CLIENT,
     .peer_kind = "Namespace",
     .matchers = KNOWN,
     .resource = {"destination_namespace", NULL},
     .peer = {"source_namespace", NULL},
     .series = &requests},
    {.kind = "Namespace",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Namespace",
     .matchers = KNOWN,
     .resource = {"source_namespace", NULL},
     .peer = {"destination_namespace", NULL},
     .series = &requests},
    {.kind = "Service", .untold = "OSM counts for workloads, and tells no service that they were called by"},
    {.kind = "Service",
     .edges = true,
     .untold = "OSM counts for workloads, and tells no service that they were called by"},
    {.kind = "TrafficSplit", .untold = "OSM counts for the workload that answered, and not for what it was chosen by"},
    {.kind = "TrafficSplit", .edges = true, .untold = "a split calls nobody, and nobody calls it"},
};

/* As it is in a label. NULL, and the call marked, without memory. */
static const char *label_of(struct call *call, const char *name) {
  char *text = arena_strdup(call_arena(call), name);
  if (!text)
    call_out_of_memory(call);
  for (char *at = text; at && *at; at++)
    if (*at == '-' || *at == '.')
      *at = '_';
  return text;
}

int osm_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics) {
  const struct traffic_names names = {.name = label_of(call, request->resource.name),
                                      .ns = label_of(call, request->resource.ns)};
  if (!names.name || !names.ns)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  return traffic_metrics(call, views, sizeof views / sizeof views[0], request, &names, metrics);
}
