#include "host/conformance/metrics_reading.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "host/conformance/metrics_text.h"
#include "sdk/smi/metrics.h"

#define PB(name) Trammel__Adapter__V1__##name
#define SHOWN_MAX 160 /* bytes of an answer that is an error */

/* ---- asking */

static int real_namespace(const struct placement *placement, const char *alias, const char **ret_ns,
                          struct error **err) {
  *ret_ns = *alias ? placement_namespace(placement, alias) : "";
  return *ret_ns ? 0 : error_set(err, ENOENT, "the topology has no namespace '%s'", alias);
}

/* A Namespace's name is an alias, and anything else's is its own. */
static int real_name(const struct metrics_expectation *metrics, const struct placement *placement, const char *name,
                     const char **ret_name, struct error **err) {
  *ret_name = name;
  return metrics->kind == METRICS_NAMESPACE && *name ? real_namespace(placement, name, ret_name, err) : 0;
}

int metrics_query_create(const struct metrics_expectation *metrics, const struct placement *placement,
                         struct metrics_query *ret_query, struct error **err) {
  struct metrics_query query = {.metrics = metrics, .peer_ns = "", .peer = ""};
  int r = real_namespace(placement, metrics->ns, &query.ns, err);
  if (r == 0)
    r = real_name(metrics, placement, metrics->name ? metrics->name : "", &query.name, err);
  if (r == 0 && metrics->edge)
    r = real_namespace(placement, metrics->edge->peer_ns, &query.peer_ns, err);
  if (r == 0 && metrics->edge)
    r = real_name(metrics, placement, metrics->edge->peer, &query.peer, err);
  if (r == 0)
    *ret_query = query;
  return r;
}

static int ask(struct engine *engine, const struct metrics_query *query, struct metrics_reading *reading,
               struct diagnostics *diagnostics, struct error **err) {
  const struct metrics_expectation *metrics = query->metrics;
  PB(ResourceRef) resource = TRAMMEL__ADAPTER__V1__RESOURCE_REF__INIT;
  PB(MetricsRequest) request = TRAMMEL__ADAPTER__V1__METRICS_REQUEST__INIT;
  PB(Label) *labels = arena_array(reading->arena, metrics->selector_count, sizeof(*labels));
  PB(Label) **selector = arena_array(reading->arena, metrics->selector_count, sizeof(PB(Label) *));
  if (!labels || !selector)
    return error_set(err, ENOMEM, "asking for metrics: no memory");
  for (size_t i = 0; i < metrics->selector_count; i++) {
    labels[i] = (PB(Label))TRAMMEL__ADAPTER__V1__LABEL__INIT;
    labels[i].name = (char *)(uintptr_t)metrics->selector[i].name; /* only packed */
    labels[i].value = (char *)(uintptr_t)metrics->selector[i].value;
    selector[i] = &labels[i];
  }
  resource.kind = (char *)(uintptr_t)metrics_kind_name(metrics->kind);
  resource.namespace_ = (char *)(uintptr_t)query->ns;
  resource.name = (char *)(uintptr_t)query->name;
  request.resource = &resource;
  request.edges = metrics->edge != NULL;
  request.selector = selector;
  request.n_selector = metrics->selector_count;
  return engine_metrics(engine, &request, diagnostics, &reading->response, err);
}

/* ---- whether it was served as SMI says */

static const char *problem_of_status(struct arena *arena, const PB(MetricsResponse) * response) {
  char shown[SHOWN_MAX + 1];
  size_t length = 0;
  for (; length < response->document.len && length < SHOWN_MAX; length++)
    shown[length] = isprint(response->document.data[length]) ? (char)response->document.data[length] : ' ';
  shown[length] = '\0';
  return metrics_problem(arena_printf(arena, "the metrics API answered %u: %s", response->status, shown));
}

static bool is_resource(const struct metrics_query *query, const struct smi_metrics_resource *found) {
  return strcmp(found->kind, metrics_kind_name(query->metrics->kind)) == 0 && strcmp(found->ns, query->ns) == 0 &&
         (!*query->name || strcmp(found->name, query->name) == 0);
}

static const char *problem_of_item(struct arena *arena, const struct metrics_query *query,
                                   const struct smi_metrics_item *item) {
  bool edge = query->metrics->edge != NULL;
  if (!is_resource(query, &item->resource))
    return metrics_problem(arena_printf(arena, "an item is about %s %s/%s, which was not asked for",
                                        item->resource.kind, item->resource.ns, item->resource.name));
  if (edge && !*item->peer.kind)
    return "an edge has no resource at its other end";
  if (!edge && (*item->peer.kind || *item->peer.name))
    return metrics_problem(arena_printf(arena, "an item that is no edge is only about traffic with %s %s",
                                        item->peer.kind, item->peer.name));
  if (!edge && item->direction != SMI_EDGE_FROM)
    return "the value of a resource must be of the traffic that it received: direction \"from\"";
  return NULL;
}

/* A resource by its name is one TrafficMetrics; of a split they are as many as its backends. */
static const char *problem_of_form(struct arena *arena, const struct metrics_query *query,
                                   const struct smi_metrics *read) {
  bool one = *query->name && !query->metrics->edge;
  if (read->list == one && query->metrics->kind != METRICS_SPLIT)
    return metrics_problem(arena_printf(arena, "a %s was served where SMI has a %s",
                                        read->list ? "TrafficMetricsList" : "TrafficMetrics",
                                        one ? "TrafficMetrics" : "TrafficMetricsList"));
  if (strcmp(read->resource.kind, metrics_kind_name(query->metrics->kind)) != 0)
    return metrics_problem(
        arena_printf(arena, "a list of kind %s was served, which was not asked for", read->resource.kind));
  for (size_t i = 0; i < read->count; i++) {
    const char *problem = problem_of_item(arena, query, &read->items[i]);
    if (problem)
      return problem;
  }
  return NULL;
}

static int examine(const struct metrics_query *query, const struct diagnostics *diagnostics,
                   struct metrics_reading *reading, struct error **err) {
  const PB(MetricsResponse) *response = reading->response;
  _cleanup_error_ struct error *reason = NULL;
  struct smi_metrics read;
  if (response->status == 0)
    return 0;
  if (response->status != 200) {
    reading->problem = problem_of_status(reading->arena, response);
    return 0;
  }
  int r =
      smi_metrics_read(reading->arena, (const char *)response->document.data, response->document.len, &read, &reason);
  if (r == -EINVAL)
    reading->problem = metrics_problem(
        arena_printf(reading->arena, "what the metrics API served is not as SMI has it: %s", error_message(reason)));
  else if (r == 0)
    reading->problem = problem_of_form(reading->arena, query, &read);
  const char *unread = diagnostics_first_error(diagnostics);
  if (r == 0 && !reading->problem && unread)
    reading->problem = metrics_problem(arena_strdup(reading->arena, unread));
  return r == -ENOMEM ? error_set(err, ENOMEM, "reading metrics: no memory") : 0;
}

int metrics_read(struct engine *engine, const struct metrics_query *query, struct metrics_reading *ret_reading,
                 struct error **err) {
  _cleanup_reading_ struct metrics_reading reading = {.arena = arena_create(0)};
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!reading.arena || !diagnostics)
    return error_set(err, ENOMEM, "asking for metrics: no memory");
  int r = ask(engine, query, &reading, diagnostics, err);
  if (r == 0)
    r = examine(query, diagnostics, &reading, err);
  if (r < 0)
    return r;
  *ret_reading = reading;
  reading = (struct metrics_reading){0};
  return 0;
}

void metrics_reading_finish(struct metrics_reading *reading) {
  if (reading->response)
    trammel__adapter__v1__metrics_response__free_unpacked(reading->response, NULL);
  arena_destroy(reading->arena);
  *reading = (struct metrics_reading){0};
}

/* ---- looking things up in it */

static bool is_called(const PB(ResourceRef) * found, const char *ns, const char *name) {
  return found && strcmp(found->namespace_, ns) == 0 && strcmp(found->name, name) == 0;
}

static bool is_edge(const struct metrics_query *query, const PB(MetricsItem) * item) {
  const struct metrics_edge *edge = query->metrics->edge;
  if (!edge)
    return true;
  int direction = edge->outgoing ? TRAMMEL__ADAPTER__V1__EDGE_DIRECTION__EDGE_DIRECTION_TO
                                 : TRAMMEL__ADAPTER__V1__EDGE_DIRECTION__EDGE_DIRECTION_FROM;
  int side = edge->client ? TRAMMEL__ADAPTER__V1__EDGE_SIDE__EDGE_SIDE_CLIENT
                          : TRAMMEL__ADAPTER__V1__EDGE_SIDE__EDGE_SIDE_SERVER;
  return is_called(item->peer, query->peer_ns, query->peer) && (int)item->direction == direction &&
         (int)item->side == side;
}

const PB(MetricsItem) * metrics_find(const struct metrics_reading *reading, const struct metrics_query *query,
                                     const char *name, const char *backend) {
  for (size_t i = 0; reading->response && i < reading->response->n_items; i++) {
    const PB(MetricsItem) *item = reading->response->items[i];
    if (is_called(item->resource, query->ns, name) && is_edge(query, item) &&
        (!backend || (item->backend && strcmp(item->backend->name, backend) == 0)))
      return item;
  }
  return NULL;
}

uint64_t metrics_sum(const struct metrics_reading *reading) {
  uint64_t sum = 0;
  for (size_t i = 0; i < reading->response->n_items; i++)
    sum += reading->response->items[i]->success_count + reading->response->items[i]->failure_count;
  return sum;
}
