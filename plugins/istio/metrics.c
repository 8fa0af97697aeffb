/* Metrics, as the sidecars have them: Istio's standard metrics, in Prometheus with the labels `namespace` and `pod` of
 * what was scraped, as Istio's own configuration of it gives them. */
#include "plugins/istio/lifecycle.h"
#include "sdk/prometheus/traffic.h"

static const struct traffic_series requests = {
    .counter = "istio_requests_total",
    .success = "response_code!~\"5..\"",
    .failure = "response_code=~\"5..\"",
    .buckets = "istio_request_duration_milliseconds_bucket",
    .unit_ns = 1000000,
};

#define SERVER "reporter=\"destination\""
#define CLIENT "reporter=\"source\""

/* Who calls without the mesh's TLS is "unknown", which is nobody's name. */
#define FROM_KNOWN SERVER ",source_workload!=\"unknown\""
#define TO_KNOWN CLIENT ",destination_workload!=\"unknown\""

#define SOURCE_WORKLOAD                                                                                                \
  { "source_workload", "source_workload_namespace" }
#define DESTINATION_WORKLOAD                                                                                           \
  { "destination_workload", "destination_workload_namespace" }

static const struct traffic_view views[] = {
    {.kind = "Pod", .matchers = SERVER, .resource = {"pod", "namespace"}, .series = &requests},
    {.kind = "Deployment", .matchers = SERVER, .resource = DESTINATION_WORKLOAD, .series = &requests},
    {.kind = "Namespace",
     .matchers = SERVER,
     .resource = {"destination_workload_namespace", NULL},
     .series = &requests},
    {.kind = "Service",
     .matchers = SERVER,
     .resource = {"destination_service_name", "destination_service_namespace"},
     .series = &requests},
    {.kind = "Deployment",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_SERVER,
     .peer_kind = "Deployment",
     .matchers = FROM_KNOWN,
     .resource = DESTINATION_WORKLOAD,
     .peer = SOURCE_WORKLOAD,
     .series = &requests},
    {.kind = "Deployment",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Deployment",
     .matchers = TO_KNOWN,
     .resource = SOURCE_WORKLOAD,
     .peer = DESTINATION_WORKLOAD,
     .series = &requests},
    {.kind = "Namespace",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_SERVER,
     .peer_kind = "Namespace",
     .matchers = FROM_KNOWN,
     .resource = {"destination_workload_namespace", NULL},
     .peer = {"source_workload_namespace", NULL},
     .series = &requests},
    {.kind = "Namespace",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Namespace",
     .matchers = TO_KNOWN,
     .resource = {"source_workload_namespace", NULL},
     .peer = {"destination_workload_namespace", NULL},
     .series = &requests},
    {.kind = "Pod", .edges = true, .untold = "Istio tells the workload at the other end, and not its pod"},
    {.kind = "Service", .edges = true, .untold = "Istio tells which workload calls a service, and no service calls"},
    {.kind = "TrafficSplit",
     .untold = "Istio counts for the service that was chosen, and not for the one it was chosen for"},
    {.kind = "TrafficSplit", .edges = true, .untold = "a split calls nobody, and nobody calls it"},
};

int istio_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics) {
  return traffic_metrics(call, views, sizeof views / sizeof views[0], request, NULL, metrics);
}
