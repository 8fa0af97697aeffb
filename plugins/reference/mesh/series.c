#include "plugins/reference/mesh/series.h"

#include <errno.h>
#include <string.h>

enum { TEXTS = 8 };

static json_t *latency_json(const struct histogram *histogram) {
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
    if (histogram->counts[i])
      failed |= json_array_append_new(list, json_pack("[i,I]", i, (json_int_t)histogram->counts[i]));
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}

static json_t *series_json(const struct series *series) {
  const struct series_key *key = &series->key;
  return json_pack("{s:b, s:[s,s,s,s,s,s,s,s], s:I, s:I, s:o}", "client", key->client, "texts", key->source.namespace,
                   key->source.name, key->destination.namespace, key->destination.name, key->service.namespace,
                   key->service.name, key->split, key->backend, "requests", (json_int_t)series->totals.requests,
                   "failures", (json_int_t)series->totals.failures, "latency", latency_json(&series->totals.latency));
}

json_t *series_document(const struct metrics *metrics) {
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  for (size_t i = 0; i < metrics_size(metrics); i++)
    failed |= json_array_append_new(list, series_json(metrics_at(metrics, i)));
  if (!failed)
    return json_pack("{s:o}", "series", list);
  json_decref(list);
  return NULL;
}

static int take_latency(const json_t *list, struct histogram *ret_histogram) {
  size_t i;
  json_t *item;
  *ret_histogram = (struct histogram){0};
  json_array_foreach(list, i, item) {
    json_int_t bucket = json_integer_value(json_array_get(item, 0)),
               count = json_integer_value(json_array_get(item, 1));
    if (bucket < 0 || bucket >= HISTOGRAM_BUCKETS || count < 0 || count > UINT32_MAX)
      return -EPROTO;
    ret_histogram->counts[bucket] = (uint32_t)count;
    ret_histogram->total += (uint64_t)count;
  }
  return 0;
}

/* "" stands for nobody, who is always there. */
static bool is_declared(const struct mesh *mesh, const struct workload_name *name) {
  return !*name->name || store_workload(&mesh->store, name->namespace, name->name);
}

static int take_one(struct mesh *mesh, const json_t *item) {
  const char *texts[TEXTS];
  struct totals totals = {.requests = (uint64_t)json_integer_value(json_object_get(item, "requests")),
                          .failures = (uint64_t)json_integer_value(json_object_get(item, "failures"))};
  for (size_t i = 0; i < TEXTS; i++)
    if (!(texts[i] = json_string_value(json_array_get(json_object_get(item, "texts"), i))))
      return -EPROTO;
  int r = take_latency(json_object_get(item, "latency"), &totals.latency);
  struct series_key key = {.client = json_is_true(json_object_get(item, "client")),
                           .source = {texts[0], texts[1]},
                           .destination = {texts[2], texts[3]},
                           .service = {texts[4], texts[5]},
                           .split = texts[6],
                           .backend = texts[7]};
  if (r < 0 || !is_declared(mesh, &key.source) || !is_declared(mesh, &key.destination))
    return r;
  struct series *series = metrics_series(mesh->metrics, &key);
  if (!series)
    return -ENOMEM;
  series->totals = totals;
  return 0;
}

int series_take(struct mesh *mesh, const json_t *document) {
  const json_t *list = json_object_get(document, "series");
  size_t i;
  json_t *item;
  int r = json_is_array(list) ? 0 : -EPROTO;
  json_array_foreach(list, i, item) {
    if (r == 0)
      r = take_one(mesh, item);
  }
  return r;
}
