#include "host/report/metrics_json.h"

#include "host/report/glyph.h"

/* A report that was read back may hold anything, and JSON must be valid UTF-8. */
static json_t *text(const char *value) {
  _cleanup_strbuf_ struct strbuf valid = STRBUF_INIT;
  glyph_append_valid(&valid, value);
  return strbuf_failed(&valid) ? NULL : json_string(strbuf_text(&valid));
}

/* Takes over `value`; a failure, or NULL for it, stays noted. */
static void put(json_t *object, const char *key, json_t *value, bool *failed) {
  if (json_object_set_new(object, key, value) < 0)
    *failed = true;
}

static void append(json_t *list, json_t *value, bool *failed) {
  if (json_array_append_new(list, value) < 0)
    *failed = true;
}

static void put_growth(json_t *object, const struct metrics_growth *growth, bool *failed) {
  if (!growth->judged)
    return;
  put(object, "success", json_integer((json_int_t)growth->success), failed);
  put(object, "failure", json_integer((json_int_t)growth->failure), failed);
}

static json_t *items_json(const struct metrics_expectation *metrics, bool *failed) {
  json_t *list = json_array();
  for (size_t i = 0; i < metrics->item_count; i++) {
    json_t *item = json_pack("{s:o}", "name", text(metrics->items[i].name));
    put_growth(item, &metrics->items[i].growth, failed);
    append(list, item, failed);
  }
  return list;
}

static json_t *backends_json(const struct metrics_expectation *metrics, bool *failed) {
  json_t *list = json_array();
  for (size_t i = 0; i < metrics->backend_count; i++)
    append(list,
           json_pack("{s:o, s:I}", "name", text(metrics->backends[i].name), "weight",
                     (json_int_t)metrics->backends[i].weight),
           failed);
  return list;
}

static json_t *selector_json(const struct metrics_expectation *metrics, bool *failed) {
  json_t *labels = json_object();
  for (size_t i = 0; i < metrics->selector_count; i++)
    put(labels, metrics->selector[i].name, text(metrics->selector[i].value), failed);
  return labels;
}

static json_t *edge_json(const struct metrics_edge *edge) {
  return json_pack("{s:o, s:o, s:s, s:s}", "peerNamespace", text(edge->peer_ns), "peer", text(edge->peer), "direction",
                   edge->outgoing ? "to" : "from", "side", edge->client ? "client" : "server");
}

json_t *metrics_json(const struct metrics_expectation *metrics) {
  json_t *object = json_pack("{s:s, s:o, s:b}", "kind", metrics_kind_name(metrics->kind), "namespace",
                             text(metrics->ns), "latency", metrics->latency);
  bool failed = !object;
  if (metrics->name)
    put(object, "name", text(metrics->name), &failed);
  else
    put(object, "items", items_json(metrics, &failed), &failed);
  if (metrics->edge)
    put(object, "edge", edge_json(metrics->edge), &failed);
  if (metrics->selector_count > 0)
    put(object, "selector", selector_json(metrics, &failed), &failed);
  if (metrics->apex)
    put(object, "apex", text(metrics->apex), &failed);
  if (metrics->backend_count > 0)
    put(object, "backends", backends_json(metrics, &failed), &failed);
  put_growth(object, &metrics->growth, &failed);
  if (!failed)
    return object;
  json_decref(object);
  return NULL;
}
