#include "host/conformance/metrics_text.h"

#include <inttypes.h>
#include <string.h>

#include "host/conformance/judge.h"
#include "sdk/base/strbuf.h"

#define PB(name) Trammel__Adapter__V1__##name
#define ITEMS_SHOWN 20

static const char *finish(struct arena *arena, const struct strbuf *text) {
  return strbuf_failed(text) ? NULL : arena_strdup(arena, strbuf_text(text));
}

/* Names of the default namespace are shown without it, as cases write them. */
static void put_name(struct strbuf *text, enum metrics_kind kind, const char *ns, const char *name) {
  bool shown = *ns && strcmp(ns, TOPOLOGY_NAMESPACE_DEFAULT) != 0;
  strbuf_printf(text, "%s %s%s%s", metrics_kind_name(kind), shown ? ns : "", shown ? "/" : "", name);
}

static void put_edge(struct strbuf *text, const struct metrics_expectation *metrics) {
  const struct metrics_edge *edge = metrics->edge;
  enum metrics_kind kind = metrics->kind == METRICS_SERVICE ? METRICS_POD : metrics->kind;
  strbuf_puts(text, "the edge of ");
  put_name(text, metrics->kind, metrics->ns, metrics->name);
  strbuf_puts(text, edge->outgoing ? " to " : " from ");
  put_name(text, kind, edge->peer_ns, edge->peer);
  strbuf_printf(text, " at the %s's side", edge->client ? "client" : "server");
}

static void put_growth(struct strbuf *text, const struct metrics_growth *growth) {
  strbuf_printf(text, "%" PRIu64 " successes and %" PRIu64 " failures", growth->success, growth->failure);
}

static void put_list(struct strbuf *text, const struct metrics_expectation *metrics) {
  strbuf_printf(text, "all of kind %s", metrics_kind_name(metrics->kind));
  for (size_t i = 0; i < metrics->selector_count; i++)
    strbuf_printf(text, "%s%s=%s", i ? "," : " with ", metrics->selector[i].name, metrics->selector[i].value);
}

static void put_what(struct strbuf *text, const struct metrics_expectation *metrics) {
  if (!metrics->name)
    put_list(text, metrics);
  else if (metrics->edge)
    put_edge(text, metrics);
  else
    put_name(text, metrics->kind, metrics->ns, metrics->name);
}

const char *metrics_what(struct arena *arena, const struct metrics_expectation *metrics) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  put_what(&text, metrics);
  return finish(arena, &text);
}

static void put_items(struct strbuf *text, const struct metrics_expectation *metrics) {
  strbuf_puts(text, metrics->kind == METRICS_NAMESPACE ? " lists" : " lists just");
  for (size_t i = 0; i < metrics->item_count; i++) {
    strbuf_printf(text, "%s %s", i ? "," : "", metrics->items[i].name);
    if (!metrics->items[i].growth.judged)
      continue;
    strbuf_puts(text, " with ");
    put_growth(text, &metrics->items[i].growth);
    strbuf_puts(text, " more");
  }
}

static void put_backends(struct strbuf *text, const struct metrics_expectation *metrics) {
  strbuf_printf(text, " has for the apex %s what each backend received:", metrics->apex);
  for (size_t i = 0; i < metrics->backend_count; i++)
    strbuf_printf(text, "%s %s of weight %u", i ? "," : "", metrics->backends[i].name, metrics->backends[i].weight);
}

/* "after GET / from client to server:8080 (20 times, 5 of them answered with 500)" */
static void put_calls(struct strbuf *text, struct arena *arena, const struct check *check) {
  const char *call = check_describe(arena, check);
  strbuf_printf(text, "after %s (%u time%s", call ? call : "", check->repeat, check->repeat == 1 ? "" : "s");
  if (check->failing)
    strbuf_printf(text, ", %u of them answered with %d", check->failing, METRICS_ANSWER_FAILING);
  if (check->answer != METRICS_ANSWER_DEFAULT)
    strbuf_printf(text, ",%s answered with %u", check->failing ? " the others" : "", check->answer);
  strbuf_puts(text, "), ");
}

const char *metrics_expected(struct arena *arena, const struct check *check) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const struct metrics_expectation *metrics = check->metrics;
  put_calls(&text, arena, check);
  put_what(&text, metrics);
  if (!metrics->name)
    put_items(&text, metrics);
  else if (metrics->kind == METRICS_SPLIT)
    put_backends(&text, metrics);
  else
    strbuf_puts(&text, metrics->growth.judged ? " has " : " has metrics");
  if (metrics->name && metrics->growth.judged) {
    put_growth(&text, &metrics->growth);
    strbuf_puts(&text, " more");
  }
  if (metrics->latency)
    strbuf_puts(&text, ", and latencies that the client could see");
  return finish(arena, &text);
}

/* ---- evidence */

static void put_edge_json(json_t *json, const PB(MetricsItem) * item) {
  if (!item->peer)
    return;
  bool outgoing = item->direction == TRAMMEL__ADAPTER__V1__EDGE_DIRECTION__EDGE_DIRECTION_TO;
  bool client = item->side == TRAMMEL__ADAPTER__V1__EDGE_SIDE__EDGE_SIDE_CLIENT;
  (void)json_object_set_new(json, "peer", json_string(item->peer->name));
  (void)json_object_set_new(json, "direction", json_string(outgoing ? "to" : "from"));
  (void)json_object_set_new(json, "side", json_string(client ? "client" : "server"));
}

static json_t *item_json(const PB(MetricsItem) * item) {
  json_t *json =
      json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", item->resource ? item->resource->name : "", "success",
                (json_int_t)item->success_count, "failure", (json_int_t)item->failure_count, "p50_ns",
                (json_int_t)item->p50_ns, "p90_ns", (json_int_t)item->p90_ns, "p99_ns", (json_int_t)item->p99_ns);
  if (!json)
    return NULL;
  put_edge_json(json, item);
  if (item->backend) {
    (void)json_object_set_new(json, "apex", json_string(item->backend->apex));
    (void)json_object_set_new(json, "backend", json_string(item->backend->name));
    (void)json_object_set_new(json, "weight", json_integer((json_int_t)item->backend->weight));
  }
  return json;
}

json_t *metrics_items_json(const PB(MetricsResponse) * response) {
  json_t *list = json_array();
  for (size_t i = 0; list && response && i < response->n_items && i < ITEMS_SHOWN; i++)
    (void)json_array_append_new(list, item_json(response->items[i]));
  return list;
}

const char *metrics_problem(const char *text) {
  return text ? text : "no memory to say what is wrong";
}
