/* What the running mesh says: readiness and metrics. */
#include "plugins/reference/reference.h"

#include <string.h>

int reference_detect(struct call *call, struct detection *ret_detection) {
  struct call_http_answer answer;
  int status = call_http(call, &(struct call_http){.endpoint = CONTROL_ENDPOINT, .path = "/v1/ready"}, &answer);
  if (status == TRAMMEL_UNAVAILABLE || status == TRAMMEL_FAILED_PRECONDITION) {
    ret_detection->detail = "nothing answers at the endpoint " CONTROL_ENDPOINT;
    return TRAMMEL_OK;
  }
  if (status != TRAMMEL_OK)
    return status;
  json_auto_t *body = json_loadb(answer.body, answer.body_length, JSON_REJECT_DUPLICATES, NULL);
  const char *version = json_string_value(json_object_get(body, "version"));
  if (answer.status != 200 || !version) {
    ret_detection->detail = "what answers at the endpoint " CONTROL_ENDPOINT " is no reference mesh";
    return TRAMMEL_OK;
  }
  ret_detection->present = true;
  ret_detection->ready = true;
  ret_detection->mesh_version = arena_strdup(call_arena(call), version);
  return ret_detection->mesh_version ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
}

/* One source and one destination, and what passed between them. */
struct pair {
  struct metrics_resource source;
  struct metrics_resource destination;
  uint64_t requests;
  uint64_t failures;
  uint64_t p50_ns, p90_ns, p99_ns;
};

static bool read_count(const json_t *object, const char *key, uint64_t *ret_count) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value) || json_integer_value(value) < 0)
    return false;
  *ret_count = (uint64_t)json_integer_value(value);
  return true;
}

static bool read_name(const json_t *object, const char *kind, struct metrics_resource *ret_resource) {
  *ret_resource = (struct metrics_resource){.kind = kind,
                                            .ns = json_string_value(json_object_get(object, "ns")),
                                            .name = json_string_value(json_object_get(object, "name"))};
  return ret_resource->ns && ret_resource->name;
}

static bool read_pair(const json_t *object, const char *kind, struct pair *ret_pair) {
  const json_t *latency = json_object_get(object, "latency");
  return read_name(json_object_get(object, "source"), kind, &ret_pair->source) &&
         read_name(json_object_get(object, "destination"), kind, &ret_pair->destination) &&
         read_count(object, "requests", &ret_pair->requests) && read_count(object, "failures", &ret_pair->failures) &&
         ret_pair->failures <= ret_pair->requests && read_count(latency, "p50_ns", &ret_pair->p50_ns) &&
         read_count(latency, "p90_ns", &ret_pair->p90_ns) && read_count(latency, "p99_ns", &ret_pair->p99_ns);
}

static bool is_meant(const struct metrics_resource *asked, const struct metrics_resource *found) {
  return (!*asked->ns || strcmp(asked->ns, found->ns) == 0) && (!*asked->name || strcmp(asked->name, found->name) == 0);
}

static struct metrics_item item_of(const struct pair *pair, const struct metrics_resource *resource) {
  return (struct metrics_item){.resource = *resource,
                               .success_count = pair->requests - pair->failures,
                               .failure_count = pair->failures,
                               .p50_ns = pair->p50_ns,
                               .p90_ns = pair->p90_ns,
                               .p99_ns = pair->p99_ns};
}

static void add_edges(const struct metrics_request *request, const struct pair *pairs, size_t count,
                      struct metrics *metrics) {
  for (size_t i = 0; i < count; i++) {
    if (is_meant(&request->resource, &pairs[i].destination)) {
      struct metrics_item item = item_of(&pairs[i], &pairs[i].destination);
      item.peer = pairs[i].source;
      item.direction = EDGE_FROM;
      metrics_add(metrics, &item);
    }
    if (is_meant(&request->resource, &pairs[i].source)) {
      struct metrics_item item = item_of(&pairs[i], &pairs[i].source);
      item.peer = pairs[i].destination;
      item.direction = EDGE_TO;
      metrics_add(metrics, &item);
    }
  }
}

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

static int by_destination(const void *a, const void *b) {
  const struct pair *x = a, *y = b;
  int order = strcmp(x->destination.ns, y->destination.ns);
  if (order == 0)
    order = strcmp(x->destination.name, y->destination.name);
  if (order == 0)
    order = strcmp(x->source.ns, y->source.ns);
  return order ? order : strcmp(x->source.name, y->source.name);
}

static bool same_destination(const struct pair *a, const struct pair *b) {
  return strcmp(a->destination.ns, b->destination.ns) == 0 && strcmp(a->destination.name, b->destination.name) == 0;
}

/* Sums what each workload received. Percentiles of several sources cannot be merged: the largest is given, and said so.
 */
static void add_workloads(struct call *call, const struct metrics_request *request, const struct pair *pairs,
                          size_t count, struct metrics *metrics) {
  bool merged = false;
  for (size_t i = 0; i < count;) {
    struct metrics_item sum = item_of(&pairs[i], &pairs[i].destination);
    size_t first = i++;
    for (; i < count && same_destination(&pairs[first], &pairs[i]); i++) {
      merged = true;
      sum.success_count += pairs[i].requests - pairs[i].failures;
      sum.failure_count += pairs[i].failures;
      sum.p50_ns = larger(sum.p50_ns, pairs[i].p50_ns);
      sum.p90_ns = larger(sum.p90_ns, pairs[i].p90_ns);
      sum.p99_ns = larger(sum.p99_ns, pairs[i].p99_ns);
    }
    if (is_meant(&request->resource, &sum.resource))
      metrics_add(metrics, &sum);
  }
  if (merged)
    call_diagnose(call,
                  &(struct finding){.severity = TRAMMEL_INFO,
                                    .code = CODE_LATENCY_MERGED,
                                    .remedy = "ask for edges to see each source"},
                  "latencies of workloads with several sources are those of the slowest source");
}

int reference_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics) {
  const char *kind = request->resource.kind;
  if (strcmp(kind, "Pod") != 0 && strcmp(kind, "Deployment") != 0)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_METRICS_KIND,
                     "the reference mesh counts workloads, as Pod or Deployment, and not %.80s", kind);
  const json_t *body = NULL;
  int status = call_get_json(call, CONTROL_ENDPOINT, "/v1/metrics", CODE_MESH_ANSWER, &body);
  if (status != TRAMMEL_OK)
    return status;
  const json_t *list = json_object_get(body, "pairs");
  size_t count = json_array_size(list);
  struct pair *pairs = arena_array(call_arena(call), count, sizeof *pairs);
  if (!json_is_array(list) || !pairs)
    return call_fail(call, pairs ? TRAMMEL_UNAVAILABLE : TRAMMEL_RESOURCE_EXHAUSTED, CODE_MESH_ANSWER,
                     "/v1/metrics has no list \"pairs\"");
  for (size_t i = 0; i < count; i++)
    if (!read_pair(json_array_get(list, i), kind, &pairs[i]))
      return call_fail(call, TRAMMEL_UNAVAILABLE, CODE_MESH_ANSWER, "/v1/metrics: pair %zu is not as documented", i);
  if (count)
    qsort(pairs, count, sizeof *pairs, by_destination);
  if (request->edges)
    add_edges(request, pairs, count, metrics);
  else
    add_workloads(call, request, pairs, count, metrics);
  metrics_window(metrics, 0);
  return TRAMMEL_OK;
}
