#include "sdk/smi/metrics.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/smi/weight.h"

#define NS_PER_SECOND 1e9

struct metrics_reader {
  struct arena *arena;
  struct error **err;
};

static const char *const directions[] = {"to", "from", NULL};
static const char *const sides[] = {"client", "server", NULL};

const char *smi_edge_direction_name(enum smi_edge_direction direction) {
  return direction >= SMI_EDGE_TO && direction <= SMI_EDGE_FROM ? directions[direction - SMI_EDGE_TO] : NULL;
}

const char *smi_edge_side_name(enum smi_edge_side side) {
  return side >= SMI_SIDE_CLIENT && side <= SMI_SIDE_SERVER ? sides[side - SMI_SIDE_CLIENT] : NULL;
}

/* ---- members */

static int missing(struct metrics_reader *reader, const char *key, const char *expected) {
  return error_set(reader->err, EINVAL, "%s must be %s", key, expected);
}

/* A string into the arena. With `fallback`, an absent one or null is that. */
static int read_text(struct metrics_reader *reader, const json_t *object, const char *key, const char *fallback,
                     const char **ret_text) {
  const json_t *value = json_object_get(object, key);
  if (fallback && (!value || json_is_null(value))) {
    *ret_text = fallback;
    return 0;
  }
  const char *text = json_string_value(value);
  if (!text || strlen(text) != json_string_length(value) || (!fallback && !*text))
    return missing(reader, key, "a string");
  *ret_text = arena_strdup(reader->arena, text);
  return *ret_text ? 0 : -ENOMEM;
}

static int read_constant(struct metrics_reader *reader, const json_t *object, const char *key, const char *wanted) {
  const char *text = json_string_value(json_object_get(object, key));
  if (text && strcmp(text, wanted) == 0)
    return 0;
  return error_set(reader->err, EINVAL, "%s must be \"%s\", not %s%.64s%s", key, wanted, text ? "\"" : "",
                   text ? text : "absent", text ? "\"" : "");
}

/* The position of the text under `key` among the NULL-terminated `words`, from 1 on. */
static int read_word(struct metrics_reader *reader, const json_t *object, const char *key, const char *const *words,
                     int *ret_word) {
  const char *text = json_string_value(json_object_get(object, key));
  for (int i = 0; text && words[i]; i++) {
    if (strcmp(words[i], text) != 0)
      continue;
    *ret_word = i + 1;
    return 0;
  }
  return error_set(reader->err, EINVAL, "%s must be \"%s\" or \"%s\", not %s%.64s%s", key, words[0], words[1],
                   text ? "\"" : "", text ? text : "absent", text ? "\"" : "");
}

/* An ObjectReference. With `whole`, it must say its kind; else it may be empty, null or absent. */
static int read_resource(struct metrics_reader *reader, const json_t *object, bool whole,
                         struct smi_metrics_resource *ret_resource) {
  const json_t *value = json_object_get(object, "resource");
  struct smi_metrics_resource resource = {"", "", ""};
  if (!whole && (!value || json_is_null(value))) {
    *ret_resource = resource;
    return 0;
  }
  if (!json_is_object(value))
    return missing(reader, "resource", "an object");
  int r = read_text(reader, value, "kind", whole ? NULL : "", &resource.kind);
  if (r == 0)
    r = read_text(reader, value, "namespace", "", &resource.ns);
  if (r == 0)
    r = read_text(reader, value, "name", "", &resource.name);
  if (r < 0)
    return r == -EINVAL ? error_wrap(reader->err, "resource") : r;
  *ret_resource = resource;
  return 0;
}

/* ---- when */

static bool digits(const char **at, unsigned count) {
  for (; count > 0; count--, (*at)++)
    if (!isdigit((unsigned char)**at))
      return false;
  return true;
}

static bool skip(const char **at, char c) {
  if (**at != c)
    return false;
  (*at)++;
  return true;
}

/* RFC 3339, as Kubernetes writes times. */
static bool is_time(const char *at) {
  if (!digits(&at, 4) || !skip(&at, '-') || !digits(&at, 2) || !skip(&at, '-') || !digits(&at, 2) || !skip(&at, 'T') ||
      !digits(&at, 2) || !skip(&at, ':') || !digits(&at, 2) || !skip(&at, ':') || !digits(&at, 2))
    return false;
  if (skip(&at, '.')) {
    if (!digits(&at, 1))
      return false;
    while (isdigit((unsigned char)*at))
      at++;
  }
  if (skip(&at, 'Z'))
    return *at == '\0';
  return (skip(&at, '+') || skip(&at, '-')) && digits(&at, 2) && skip(&at, ':') && digits(&at, 2) && *at == '\0';
}

static bool read_unit(const char **at, double *ret_ns) {
  static const struct {
    const char *name;
    double ns;
  } units[] = {{"ns", 1},
               {"us", 1e3},
               {"\xc2\xb5s", 1e3},
               {"ms", 1e6},
               {"s", 1e9},
               {"m", 60 * NS_PER_SECOND},
               {"h", 3600 * NS_PER_SECOND}};
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
    size_t length = strlen(units[i].name);
    if (strncmp(*at, units[i].name, length) != 0)
      continue;
    *at += length;
    *ret_ns = units[i].ns;
    return true;
  }
  return false;
}

/* A duration as Go writes it: "30s", "1m30.5s"; "0" alone needs no unit. */
static bool parse_duration(const char *at, int64_t *ret_ns) {
  double sum = 0;
  if (strcmp(at, "0") == 0) {
    *ret_ns = 0;
    return true;
  }
  do {
    double unit, number = 0, scale = 1;
    if (!isdigit((unsigned char)*at))
      return false;
    for (; isdigit((unsigned char)*at); at++)
      number = number * 10 + (*at - '0');
    if (skip(&at, '.'))
      for (; isdigit((unsigned char)*at); at++)
        number += (*at - '0') * (scale /= 10);
    if (!read_unit(&at, &unit))
      return false;
    sum += number * unit;
  } while (*at);
  if (!(sum < 9e18))
    return false;
  *ret_ns = llround(sum);
  return true;
}

static int read_interval(struct metrics_reader *reader, const json_t *object, struct smi_metrics_item *item) {
  const char *timestamp = json_string_value(json_object_get(object, "timestamp"));
  const char *window = json_string_value(json_object_get(object, "window"));
  if (!timestamp || !is_time(timestamp))
    return missing(reader, "timestamp", "a time such as \"2019-04-08T22:25:55Z\"");
  if (!window || !parse_duration(window, &item->window_ns))
    return missing(reader, "window", "a duration such as \"30s\"");
  return 0;
}

/* ---- values */

enum metric { METRIC_P99, METRIC_P90, METRIC_P50, METRIC_SUCCESS, METRIC_FAILURE, METRICS };

static const char *const metric_names[METRICS] = {"p99_response_latency", "p90_response_latency",
                                                  "p50_response_latency", "success_count", "failure_count"};

static bool is_latency(enum metric metric) {
  return metric <= METRIC_P50;
}

/* A Quantity in units of 10^-decimals. It is a string, or a number as the specification's own examples have it. */
static int read_quantity(struct metrics_reader *reader, const json_t *object, unsigned decimals, uint64_t *ret_value) {
  const json_t *value = json_object_get(object, "value");
  _cleanup_free_ char *number =
      json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) : NULL;
  const char *text = json_is_string(value) ? json_string_value(value) : number;
  if (!text)
    return missing(reader, "value", "a Quantity");
  int r = quantity_parse(text, decimals, ret_value, reader->err);
  return r < 0 ? error_wrap(reader->err, "value") : 0;
}

/* Latencies are given in seconds or milliseconds, counts in nothing. */
static int read_metric(struct metrics_reader *reader, const json_t *object, enum metric metric, uint64_t *ret_value) {
  const json_t *unit = json_object_get(object, "unit");
  const char *text = json_string_value(unit);
  if (!is_latency(metric)) {
    if (unit && (!text || *text))
      return error_set(reader->err, EINVAL, "unit must be absent: a count has none");
    return read_quantity(reader, object, 0, ret_value);
  }
  if (text && strcmp(text, "seconds") == 0)
    return read_quantity(reader, object, 9, ret_value);
  if (text && strcmp(text, "ms") == 0)
    return read_quantity(reader, object, 6, ret_value);
  return error_set(reader->err, EINVAL, "unit must be \"seconds\" or \"ms\", not %s%.64s%s", text ? "\"" : "",
                   text ? text : "absent", text ? "\"" : "");
}

static enum metric metric_of(const json_t *object) {
  const char *name = json_string_value(json_object_get(object, "name"));
  enum metric metric = METRIC_P99;
  while (metric < METRICS && (!name || strcmp(metric_names[metric], name) != 0))
    metric++;
  return metric;
}

static int read_metrics(struct metrics_reader *reader, const json_t *object, uint64_t values[METRICS]) {
  const json_t *list = json_object_get(object, "metrics");
  bool found[METRICS] = {false};
  if (!json_is_array(list))
    return missing(reader, "metrics", "a list");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *value = json_array_get(list, i);
    enum metric metric = metric_of(value);
    if (metric == METRICS && json_is_string(json_object_get(value, "name")))
      continue; /* a mesh may have more to tell */
    if (metric == METRICS)
      return error_set(reader->err, EINVAL, "metrics[%zu]: name must be a string", i);
    if (found[metric])
      return error_set(reader->err, EINVAL, "metrics: %s is given twice", metric_names[metric]);
    found[metric] = true;
    if (read_metric(reader, value, metric, &values[metric]) < 0)
      return error_wrap(reader->err, "metrics: %s", metric_names[metric]);
  }
  for (enum metric metric = METRIC_P99; metric < METRICS; metric++)
    if (!found[metric])
      return error_set(reader->err, EINVAL, "metrics: %s is missing", metric_names[metric]);
  return 0;
}

static int read_values(struct metrics_reader *reader, const json_t *object, struct smi_metrics_item *item) {
  uint64_t values[METRICS] = {0};
  int r = read_metrics(reader, object, values);
  if (r < 0)
    return r;
  item->p99_ns = values[METRIC_P99];
  item->p90_ns = values[METRIC_P90];
  item->p50_ns = values[METRIC_P50];
  item->success_count = values[METRIC_SUCCESS];
  item->failure_count = values[METRIC_FAILURE];
  return 0;
}

/* ---- the objects */

static int read_edge(struct metrics_reader *reader, const json_t *object, struct smi_metrics_item *item) {
  const json_t *edge = json_object_get(object, "edge");
  int direction = 0, side = 0;
  if (!json_is_object(edge))
    return missing(reader, "edge", "an object");
  int r = read_word(reader, edge, "direction", directions, &direction);
  if (r == 0)
    r = read_word(reader, edge, "side", sides, &side);
  if (r == 0)
    r = read_resource(reader, edge, false, &item->peer);
  if (r < 0)
    return r == -EINVAL ? error_wrap(reader->err, "edge") : r;
  item->direction = (enum smi_edge_direction)direction;
  item->side = (enum smi_edge_side)side;
  return 0;
}

/* Traffic splits have one for each backend, and nothing else has. */
static int read_backend(struct metrics_reader *reader, const json_t *object, struct smi_metrics_item *item) {
  const json_t *backend = json_object_get(object, "backend");
  bool wanted = strcmp(item->resource.kind, "TrafficSplit") == 0;
  item->has_backend = backend && !json_is_null(backend);
  if (item->has_backend != wanted)
    return error_set(reader->err, EINVAL, "backend must be %s",
                     wanted ? "an object" : "absent: this is no TrafficSplit");
  if (!wanted)
    return 0;
  const json_t *weight = json_object_get(backend, "weight");
  int r = read_text(reader, backend, "apex", NULL, &item->backend.apex);
  if (r == 0)
    r = read_text(reader, backend, "name", NULL, &item->backend.name);
  if (r == 0 && (!json_is_integer(weight) || json_integer_value(weight) < 0))
    r = missing(reader, "weight", "a whole number of 0 or more");
  if (r < 0)
    return r == -EINVAL ? error_wrap(reader->err, "backend") : r;
  item->backend.weight = (uint64_t)json_integer_value(weight);
  return 0;
}

static int read_item(struct metrics_reader *reader, const json_t *object, struct smi_metrics_item *item) {
  int r = read_constant(reader, object, "kind", "TrafficMetrics");
  if (r == 0)
    r = read_constant(reader, object, "apiVersion", SMI_METRICS_API_VERSION);
  if (r == 0)
    r = read_resource(reader, object, true, &item->resource);
  if (r == 0 && !*item->resource.name)
    r = missing(reader, "resource: name", "a string");
  if (r == 0)
    r = read_edge(reader, object, item);
  if (r == 0)
    r = read_backend(reader, object, item);
  if (r == 0)
    r = read_interval(reader, object, item);
  return r == 0 ? read_values(reader, object, item) : r;
}

static int read_list(struct metrics_reader *reader, const json_t *object, struct smi_metrics *metrics) {
  const json_t *list = json_object_get(object, "items");
  size_t count = json_array_size(list);
  int r = read_constant(reader, object, "apiVersion", SMI_METRICS_API_VERSION);
  if (r == 0)
    r = read_resource(reader, object, true, &metrics->resource);
  if (r == 0 && (!list || (!json_is_array(list) && !json_is_null(list)) || count > SMI_METRICS_ITEMS_MAX))
    r = missing(reader, "items", "a list of at most 100,000");
  if (r < 0)
    return r;
  struct smi_metrics_item *items = arena_array(reader->arena, count, sizeof(*items));
  if (!items)
    return -ENOMEM;
  for (size_t i = 0; r == 0 && i < count; i++) {
    r = read_item(reader, json_array_get(list, i), &items[i]);
    if (r == -EINVAL)
      return error_wrap(reader->err, "items[%zu]", i);
  }
  metrics->items = items;
  metrics->count = count;
  return r;
}

static int read_single(struct metrics_reader *reader, const json_t *object, struct smi_metrics *metrics) {
  struct smi_metrics_item *item = arena_new(reader->arena, struct smi_metrics_item);
  if (!item)
    return -ENOMEM;
  int r = read_item(reader, object, item);
  metrics->items = item;
  metrics->count = 1;
  metrics->resource = item->resource;
  return r;
}

int smi_metrics_read(struct arena *arena, const char *text, size_t length, struct smi_metrics *ret_metrics,
                     struct error **err) {
  _cleanup_error_ struct error *reason = NULL; /* is wrapped on the way, also when nobody wants to know it */
  struct metrics_reader reader = {.arena = arena, .err = &reason};
  struct smi_metrics metrics = {0};
  json_error_t problem;
  json_auto_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
  if (!json_is_object(root))
    return error_set(err, EINVAL, "a JSON object is expected: %s", root ? "this is another value" : problem.text);
  const char *kind = json_string_value(json_object_get(root, "kind"));
  metrics.list = kind && strcmp(kind, "TrafficMetricsList") == 0;
  int r = metrics.list ? read_list(&reader, root, &metrics) : read_single(&reader, root, &metrics);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "reading metrics: no memory");
  if (r < 0)
    return error_set(err, EINVAL, "%s", error_message(reason));
  *ret_metrics = metrics;
  return 0;
}
