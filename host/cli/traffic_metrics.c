#include "host/cli/traffic_metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/text_table.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/metrics.h"

#define PB(name) Trammel__Adapter__V1__##name

static bool is_to(const PB(MetricsItem) * item) {
  return item->direction == TRAMMEL__ADAPTER__V1__EDGE_DIRECTION__EDGE_DIRECTION_TO;
}

static const char *side_of(const PB(MetricsItem) * item) {
  return smi_edge_side_name(item->side == TRAMMEL__ADAPTER__V1__EDGE_SIDE__EDGE_SIDE_CLIENT ? SMI_SIDE_CLIENT
                                                                                            : SMI_SIDE_SERVER);
}

/* ---- order */

static int compare_resources(const PB(ResourceRef) * a, const PB(ResourceRef) * b) {
  if (!a || !b)
    return (a != NULL) - (b != NULL);
  int order = strcmp(a->namespace_, b->namespace_);
  return order ? order : strcmp(a->name, b->name);
}

static int compare_items(const void *left, const void *right) {
  const PB(MetricsItem) *a = *(PB(MetricsItem) *const *)left, *b = *(PB(MetricsItem) *const *)right;
  int order = compare_resources(a->resource, b->resource);
  if (!order)
    order = (int)a->direction - (int)b->direction;
  if (!order)
    order = compare_resources(a->peer, b->peer);
  if (!order && a->backend && b->backend)
    order = strcmp(a->backend->name, b->backend->name);
  return order;
}

void traffic_metrics_sort(PB(MetricsResponse) * response) {
  if (response->n_items > 0)
    qsort(response->items, response->n_items, sizeof(*response->items), compare_items);
}

/* ---- text */

static void put_resource(struct strbuf *out, const PB(ResourceRef) * resource) {
  strbuf_printf(out, "%s %s%s%s", resource->kind, resource->namespace_, *resource->namespace_ ? "/" : "",
                resource->name);
}

static void put_subject(struct strbuf *out, const PB(MetricsItem) * item) {
  put_resource(out, item->resource);
  if (item->peer) {
    strbuf_puts(out, is_to(item) ? " to " : " from ");
    put_resource(out, item->peer);
  }
  if (item->backend)
    strbuf_printf(out, ", backend %s of %s, weight %" PRIu64, item->backend->name, item->backend->apex,
                  item->backend->weight);
}

static void add_latency(struct text_table *table, uint64_t latency_ns) {
  char text[32] = "-";
  if (latency_ns)
    (void)snprintf(text, sizeof(text), "%.4g ms", (double)latency_ns / (double)NS_PER_MS);
  text_table_add(table, text);
}

static void add_count(struct text_table *table, uint64_t count) {
  char text[24];
  (void)snprintf(text, sizeof(text), "%" PRIu64, count);
  text_table_add(table, text);
}

static void add_row(struct text_table *table, const PB(MetricsItem) * item) {
  _cleanup_strbuf_ struct strbuf subject = STRBUF_INIT;
  put_subject(&subject, item);
  table->failed |= strbuf_failed(&subject);
  text_table_add(table, strbuf_text(&subject));
  add_count(table, item->success_count);
  add_count(table, item->failure_count);
  add_latency(table, item->p50_ns);
  add_latency(table, item->p90_ns);
  add_latency(table, item->p99_ns);
}

int traffic_metrics_print(const PB(MetricsResponse) * response, FILE *out) {
  static const char *const head[] = {"TRAFFIC", "SUCCESS", "FAILURE", "P50", "P90", "P99"};
  _cleanup_text_table_ struct text_table table = {.columns = ARRAY_COUNT(head)};
  for (size_t i = 0; i < ARRAY_COUNT(head); i++)
    text_table_add(&table, head[i]);
  for (size_t i = 0; i < response->n_items; i++)
    add_row(&table, response->items[i]);
  return text_table_print(&table, out);
}

/* ---- JSON */

static json_t *resource_json(const PB(ResourceRef) * resource) {
  json_t *object = json_pack("{s:s}", "kind", resource->kind);
  int failed = object ? 0 : -1;
  if (*resource->namespace_)
    failed |= json_object_set_new(object, "namespace", json_string(resource->namespace_));
  if (*resource->name)
    failed |= json_object_set_new(object, "name", json_string(resource->name));
  return failed ? (json_decref(object), NULL) : object;
}

/* A Quantity of seconds: whole nanoseconds are a fraction of at most nine digits. */
static int add_latency_json(json_t *list, const char *name, uint64_t latency_ns) {
  char value[32];
  if (!latency_ns)
    return 0;
  (void)snprintf(value, sizeof(value), "%" PRIu64 ".%09" PRIu64, latency_ns / NS_PER_SECOND,
                 latency_ns % NS_PER_SECOND);
  return json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", name, "unit", "seconds", "value", value));
}

static int add_count_json(json_t *list, const char *name, uint64_t value) {
  char text[24];
  (void)snprintf(text, sizeof(text), "%" PRIu64, value);
  return json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "value", text));
}

static json_t *metrics_json(const PB(MetricsItem) * item) {
  json_t *list = json_array();
  int failed = add_latency_json(list, "p99_response_latency", item->p99_ns) |
               add_latency_json(list, "p90_response_latency", item->p90_ns) |
               add_latency_json(list, "p50_response_latency", item->p50_ns) |
               add_count_json(list, "success_count", item->success_count) |
               add_count_json(list, "failure_count", item->failure_count);
  return failed ? (json_decref(list), NULL) : list;
}

static json_t *item_json(const PB(MetricsItem) * item, uint32_t window_ms) {
  json_t *object = json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", SMI_METRICS_API_VERSION, "kind", "TrafficMetrics",
                             "resource", resource_json(item->resource), "metrics", metrics_json(item));
  int failed = object ? 0 : -1;
  if (window_ms && object)
    failed |= json_object_set_new(object, "window", json_sprintf("%" PRIu32 "ms", window_ms));
  if (item->peer && object)
    failed |= json_object_set_new(object, "edge",
                                  json_pack("{s:s, s:s, s:o}", "direction", is_to(item) ? "to" : "from", "side",
                                            side_of(item), "resource", resource_json(item->peer)));
  if (item->backend && object)
    failed |= json_object_set_new(object, "backend",
                                  json_pack("{s:s, s:s, s:I}", "apex", item->backend->apex, "name", item->backend->name,
                                            "weight", (json_int_t)item->backend->weight));
  return failed ? (json_decref(object), NULL) : object;
}

json_t *traffic_metrics_json(const PB(MetricsRequest) * request, const PB(MetricsResponse) * response) {
  json_t *items = json_array();
  int failed = items ? 0 : -1;
  for (size_t i = 0; !failed && i < response->n_items; i++)
    failed = json_array_append_new(items, item_json(response->items[i], response->window_ms));
  if (failed) {
    json_decref(items);
    return NULL;
  }
  return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", SMI_METRICS_API_VERSION, "kind", "TrafficMetricsList",
                   "resource", resource_json(request->resource), "items", items);
}
