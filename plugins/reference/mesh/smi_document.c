#include "plugins/reference/mesh/smi_document.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "sdk/base/clock.h"

enum { TIME_SIZE = 32, LINK_SIZE = 1024 };

const struct measured_kind measured_kinds[MEASURED_KINDS] = {
    [MEASURED_POD] = {"pods", "Pod", true},
    [MEASURED_DEPLOYMENT] = {"deployments", "Deployment", true},
    [MEASURED_NAMESPACE] = {"namespaces", "Namespace", false},
    [MEASURED_SERVICE] = {"services", "Service", true},
    [MEASURED_SPLIT] = {"trafficsplits", "TrafficSplit", true},
};

/* ---- parts */

static void write_time(char text[static TIME_SIZE]) {
  time_t now = (time_t)clock_realtime_s();
  struct tm parts;
  (void)strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
}

/* Counts are since the mesh started. */
static json_t *window_json(const struct mesh *mesh) {
  int64_t age_ms = (clock_monotonic_ns() - mesh->started_ns) / NS_PER_MS;
  return json_sprintf("%" PRId64 ".%03" PRId64 "s", age_ms / 1000, age_ms % 1000);
}

static void write_link(const struct metrics_query *query, const struct workload_name *resource,
                       char text[static LINK_SIZE]) {
  (void)snprintf(text, LINK_SIZE, "%s%s%s/%s%s%s%s", METRICS_API_PATH, *resource->namespace ? "/namespaces/" : "",
                 resource->namespace, measured_kinds[query->kind].plural, *resource->name ? "/" : "", resource->name,
                 query->edges ? "/edges" : "");
}

/* An ObjectReference, of what is not "". */
static json_t *reference(enum measured kind, const struct workload_name *name) {
  json_t *json = json_pack("{s:s}", "kind", measured_kinds[kind].kind);
  if (json && *name->namespace && json_object_set_new(json, "namespace", json_string(name->namespace)) < 0)
    return json_decref(json), NULL;
  if (json && *name->name && json_object_set_new(json, "name", json_string(name->name)) < 0)
    return json_decref(json), NULL;
  return json;
}

/* Canonical: the largest suffix that leaves a whole number. */
static json_t *quantity_of_nanoseconds(int64_t value) {
  static const char *const suffixes[] = {"n", "u", "m", ""};
  size_t i = 0;
  for (; i < 3 && value % 1000 == 0; i++)
    value /= 1000;
  return json_sprintf("%" PRId64 "%s", value, suffixes[i]);
}

static json_t *latency(const struct mesh *mesh, const char *name, const struct group *group, double quantile) {
  int64_t value_ns = group->totals ? histogram_quantile(&group->totals->latency, quantile) : 0;
  if (fault_on(mesh->faults, FAULT_METRICS_LATENCY_UNIT))
    value_ns *= 1000;
  return json_pack("{s:s, s:s, s:o}", "name", name, "unit", "seconds", "value", quantity_of_nanoseconds(value_ns));
}

static json_t *count(const char *name, uint64_t value) {
  return json_pack("{s:s, s:o}", "name", name, "value", json_sprintf("%" PRIu64, value));
}

static json_t *values(const struct mesh *mesh, const struct group *group) {
  uint64_t failures = group->totals ? group->totals->failures : 0;
  uint64_t successes = group->totals ? group->totals->requests - failures : 0;
  return json_pack("[o, o, o, o, o]", latency(mesh, "p99_response_latency", group, 0.99),
                   latency(mesh, "p90_response_latency", group, 0.9), latency(mesh, "p50_response_latency", group, 0.5),
                   count("success_count", successes), count("failure_count", failures));
}

/* The peers of edges are of the resource's kind, or the workloads that called. */
static json_t *peer(const struct metrics_query *query, const struct group *group) {
  bool callers = query->kind == MEASURED_SERVICE || query->kind == MEASURED_SPLIT;
  return *group->peer.name ? reference(callers ? MEASURED_POD : query->kind, &group->peer) : json_object();
}

static json_t *edge(const struct mesh *mesh, const struct metrics_query *query, const struct group *group) {
  bool outgoing = group->outgoing;
  if (query->edges && fault_on(mesh->faults, FAULT_METRICS_EDGES_SWAPPED))
    outgoing = !outgoing;
  return json_pack("{s:s, s:s, s:o}", "direction", outgoing ? "to" : "from", "side",
                   group->client ? "client" : "server", "resource", peer(query, group));
}

static json_t *metadata(const struct metrics_query *query, const struct workload_name *resource, const char *now) {
  char link[LINK_SIZE];
  write_link(query, resource, link);
  json_t *json = json_pack("{s:s, s:s, s:s}", "name", resource->name, "selfLink", link, "creationTimestamp", now);
  if (json && *resource->namespace && json_object_set_new(json, "namespace", json_string(resource->namespace)) < 0)
    return json_decref(json), NULL;
  return json;
}

/* ---- objects */

json_t *smi_document_item(const struct mesh *mesh, const struct metrics_query *query, const struct group *group) {
  char now[TIME_SIZE];
  write_time(now);
  json_t *item = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o}", "kind", "TrafficMetrics", "apiVersion",
                           METRICS_API_VERSION, "metadata", metadata(query, &group->resource, now), "resource",
                           reference(query->kind, &group->resource), "edge", edge(mesh, query, group), "timestamp", now,
                           "window", window_json(mesh), "metrics", values(mesh, group));
  if (!item || query->kind != MEASURED_SPLIT)
    return item;
  json_t *backend =
      json_pack("{s:s, s:s, s:I}", "apex", group->apex, "name", group->backend, "weight", (json_int_t)group->weight);
  if (json_object_set_new(item, "backend", backend) == 0)
    return item;
  json_decref(item);
  return NULL;
}

json_t *smi_document_list(const struct mesh *mesh, const struct metrics_query *query, const struct groups *groups) {
  json_t *items = json_array();
  int failed = items ? 0 : -1;
  for (size_t i = 0; i < groups->count && !failed; i++)
    failed = json_array_append_new(items, smi_document_item(mesh, query, groups->items[i]));
  char link[LINK_SIZE];
  write_link(query, &query->resource, link);
  json_t *list =
      json_pack("{s:s, s:s, s:{s:s}, s:o, s:O}", "kind", "TrafficMetricsList", "apiVersion", METRICS_API_VERSION,
                "metadata", "selfLink", link, "resource", reference(query->kind, &query->resource), "items", items);
  json_decref(items);
  if (list && query->selected)
    failed |= json_object_set_new(list, "selector", selector_to_json(&query->selector));
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}
