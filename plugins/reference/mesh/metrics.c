#include "plugins/reference/mesh/metrics.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/histogram.h"
#include "plugins/reference/mesh/limits.h"
#include "sdk/base/memory.h"

struct pair {
  char *source_namespace, *source_name;
  char *destination_namespace, *destination_name;
  uint64_t requests, failures;
  struct histogram latency;
};

struct metrics {
  struct pair **pairs;
  size_t count, capacity;
  uint64_t generation;
};

struct metrics *metrics_create(void) {
  return calloc(1, sizeof(struct metrics));
}

static void pair_destroy(struct pair *pair) {
  if (!pair)
    return;
  free(pair->source_namespace);
  free(pair->source_name);
  free(pair->destination_namespace);
  free(pair->destination_name);
  free(pair);
}
DEFINE_CLEANUP(struct pair *, pair_destroy);

void metrics_destroy(struct metrics *metrics) {
  if (!metrics)
    return;
  for (size_t i = 0; i < metrics->count; i++)
    pair_destroy(metrics->pairs[i]);
  free(metrics->pairs);
  free(metrics);
}

static bool is_source(const struct pair *pair, const struct workload_name *name) {
  return strcmp(pair->source_namespace, name->namespace) == 0 && strcmp(pair->source_name, name->name) == 0;
}

static bool is_destination(const struct pair *pair, const struct workload_name *name) {
  return strcmp(pair->destination_namespace, name->namespace) == 0 && strcmp(pair->destination_name, name->name) == 0;
}

static struct pair *pair_new(const struct workload_name *source, const struct workload_name *destination) {
  _cleanup_(pair_destroy_p) struct pair *pair = calloc(1, sizeof *pair);
  if (!pair)
    return NULL;
  pair->source_namespace = strdup(source->namespace);
  pair->source_name = strdup(source->name);
  pair->destination_namespace = strdup(destination->namespace);
  pair->destination_name = strdup(destination->name);
  bool made = pair->source_namespace && pair->source_name && pair->destination_namespace && pair->destination_name;
  return made ? take(pair) : NULL;
}

struct pair *metrics_pair(struct metrics *metrics, const struct workload_name *source,
                          const struct workload_name *destination) {
  for (size_t i = 0; i < metrics->count; i++)
    if (is_destination(metrics->pairs[i], destination) && is_source(metrics->pairs[i], source))
      return metrics->pairs[i];
  if (metrics->count >= LIMIT_PAIRS ||
      array_reserve((void **)&metrics->pairs, &metrics->capacity, metrics->count, sizeof(struct pair *)) < 0)
    return NULL;
  struct pair *pair = pair_new(source, destination);
  if (pair)
    metrics->pairs[metrics->count++] = pair;
  return pair;
}

void pair_count(struct pair *pair, unsigned status, int64_t latency_ns) {
  pair->requests++;
  if (status == 0 || status >= 500)
    pair->failures++;
  histogram_add(&pair->latency, latency_ns);
}

void metrics_forget(struct metrics *metrics, const struct workload_name *workload) {
  size_t kept = 0;
  for (size_t i = 0; i < metrics->count; i++) {
    struct pair *pair = metrics->pairs[i];
    if (is_source(pair, workload) || is_destination(pair, workload))
      pair_destroy(pair);
    else
      metrics->pairs[kept++] = pair;
  }
  metrics->count = kept;
  metrics->generation++;
}

uint64_t metrics_generation(const struct metrics *metrics) {
  return metrics->generation;
}

static json_t *pair_to_json(const struct pair *pair) {
  return json_pack("{s:{s:s,s:s},s:{s:s,s:s},s:I,s:I,s:{s:I,s:I,s:I}}", "source", "ns", pair->source_namespace, "name",
                   pair->source_name, "destination", "ns", pair->destination_namespace, "name", pair->destination_name,
                   "requests", (json_int_t)pair->requests, "failures", (json_int_t)pair->failures, "latency", "p50_ns",
                   (json_int_t)histogram_quantile(&pair->latency, 0.5), "p90_ns",
                   (json_int_t)histogram_quantile(&pair->latency, 0.9), "p99_ns",
                   (json_int_t)histogram_quantile(&pair->latency, 0.99));
}

json_t *metrics_to_json(const struct metrics *metrics) {
  json_t *list = json_array();
  for (size_t i = 0; i < metrics->count; i++)
    if (json_array_append_new(list, pair_to_json(metrics->pairs[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return json_pack("{s:o}", "pairs", list);
}
