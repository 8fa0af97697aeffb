/* Metrics, as the proxies have them, in Prometheus with the labels that linkerd-viz' configuration of it gives them:
 * `namespace`, `pod` and the pod's workload by its kind. */
#include "plugins/linkerd/lifecycle.h"
#include "sdk/prometheus/traffic.h"

static const struct traffic_series responses = {
    .counter = "response_total",
    .success = "classification=\"success\"",
    .failure = "classification=\"failure\"",
    .buckets = "response_latency_ms_bucket",
    .unit_ns = 1000000,
};

/* Of requests to a Service, as clients see them. One that ends with an error of the proxy has no status. */
static const struct traffic_series routed = {
    .counter = "outbound_http_route_backend_response_statuses_total",
    .success = "http_status!=\"\",http_status!~\"5..\"",
    .failure = "http_status=~\"(5..)?\"",
    .buckets = "outbound_http_route_backend_response_duration_seconds_bucket",
    .unit_ns = 1000000000,
};

#define SERVER "direction=\"inbound\""
#define CLIENT "direction=\"outbound\""

static const struct traffic_view views[] = {
    {.kind = "Pod", .matchers = SERVER, .resource = {"pod", "namespace"}, .series = &responses},
    {.kind = "Deployment", .matchers = SERVER, .resource = {"deployment", "namespace"}, .series = &responses},
    {.kind = "Namespace", .matchers = SERVER, .resource = {"namespace", NULL}, .series = &responses},
    {.kind = "Service",
     .matchers = "parent_kind=\"Service\"",
     .resource = {"parent_name", "parent_namespace"},
     .series = &routed},
    {.kind = "Pod",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Pod",
     .matchers = CLIENT,
     .resource = {"pod", "namespace"},
     .peer = {"dst_pod", "dst_namespace"},
     .series = &responses},
    {.kind = "Pod",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_CLIENT,
     .peer_kind = "Pod",
     .matchers = CLIENT,
     .resource = {"dst_pod", "dst_namespace"},
     .peer = {"pod", "namespace"},
     .series = &responses},
    {.kind = "Deployment",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Deployment",
     .matchers = CLIENT,
     .resource = {"deployment", "namespace"},
     .peer = {"dst_deployment", "dst_namespace"},
     .series = &responses},
    {.kind = "Deployment",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_CLIENT,
     .peer_kind = "Deployment",
     .matchers = CLIENT,
     .resource = {"dst_deployment", "dst_namespace"},
     .peer = {"deployment", "namespace"},
     .series = &responses},
    {.kind = "Namespace",
     .edges = true,
     .direction = EDGE_TO,
     .side = EDGE_CLIENT,
     .peer_kind = "Namespace",
     .matchers = CLIENT,
     .resource = {"namespace", NULL},
     .peer = {"dst_namespace", NULL},
     .series = &responses},
    {.kind = "Namespace",
     .edges = true,
     .direction = EDGE_FROM,
     .side = EDGE_CLIENT,
     .peer_kind = "Namespace",
     .matchers = CLIENT,
     .resource = {"dst_namespace", NULL},
     .peer = {"namespace", NULL},
     .series = &responses},
    {.kind = "Service", .edges = true, .untold = "a service calls nobody; who calls it is told by edges of workloads"},
    {.kind = "TrafficSplit", .untold = "no series tells the weights that a split had; ask for its services"},
    {.kind = "TrafficSplit", .edges = true, .untold = "a split calls nobody, and nobody calls it"},
};

int linkerd_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics) {
  return traffic_metrics(call, views, sizeof views / sizeof views[0], request, NULL, metrics);
}
