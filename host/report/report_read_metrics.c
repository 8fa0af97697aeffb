#include <string.h>

#include "host/report/report_read_internal.h"

/* The schema lets no other kind through. */
static enum metrics_kind kind_from(const char *name) {
  enum metrics_kind kind = METRICS_POD;
  while (kind < METRICS_SPLIT && strcmp(metrics_kind_name(kind), name) != 0)
    kind++;
  return kind;
}

static struct metrics_growth read_growth(struct fields *fields, const struct node *map) {
  return (struct metrics_growth){.judged = node_get(map, "success") != NULL,
                                 .success = kept_number(fields, map, "success", UINT_MAX, 0),
                                 .failure = kept_number(fields, map, "failure", UINT_MAX, 0)};
}

static void read_edge(struct fields *fields, const struct node *map, struct metrics_expectation *metrics) {
  struct metrics_edge *edge = fields_checked(fields, arena_new(fields->arena, struct metrics_edge));
  if (!edge)
    return;
  *edge = (struct metrics_edge){.peer_ns = kept_text(map, "peerNamespace"),
                                .peer = kept_text(map, "peer"),
                                .outgoing = strcmp(kept_text(map, "direction"), "to") == 0,
                                .client = strcmp(kept_text(map, "side"), "client") == 0};
  metrics->edge = edge;
}

static void read_items(struct fields *fields, const struct node *list, struct metrics_expectation *metrics) {
  struct metrics_list_item *items = fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*items)));
  for (size_t i = 0; items && i < list->count; i++)
    items[i] = (struct metrics_list_item){.name = kept_text(list->items[i], "name"),
                                          .growth = read_growth(fields, list->items[i])};
  metrics->items = items;
  metrics->item_count = items ? list->count : 0;
}

/* The schema says nothing of what is in an object whose members it does not name. */
static void read_selector(struct fields *fields, const struct node *map, struct metrics_expectation *metrics) {
  struct metrics_label *labels = fields_checked(fields, arena_array(fields->arena, map->count, sizeof(*labels)));
  for (size_t i = 0; labels && i < map->count; i++) {
    const struct node *value = map->entries[i].value;
    if (value->kind != NODE_STRING)
      fields_complain(fields, value, FIELD_VALUE, NULL, "the label \"%s\" must be a string", map->entries[i].key);
    labels[i] = (struct metrics_label){map->entries[i].key, value->kind == NODE_STRING ? value->text : ""};
  }
  metrics->selector = labels;
  metrics->selector_count = labels ? map->count : 0;
}

static void read_backends(struct fields *fields, const struct node *list, struct metrics_expectation *metrics) {
  struct metrics_split_backend *backends =
      fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*backends)));
  for (size_t i = 0; backends && i < list->count; i++)
    backends[i] =
        (struct metrics_split_backend){.name = kept_text(list->items[i], "name"),
                                       .weight = kept_number(fields, list->items[i], "weight", UINT32_MAX, 0)};
  metrics->backends = backends;
  metrics->backend_count = backends ? list->count : 0;
}

const struct metrics_expectation *kept_metrics(struct fields *fields, const struct node *map) {
  static const struct {
    const char *key;
    void (*read)(struct fields *fields, const struct node *value, struct metrics_expectation *metrics);
  } parts[] = {{"edge", read_edge}, {"items", read_items}, {"selector", read_selector}, {"backends", read_backends}};
  struct metrics_expectation *metrics = fields_checked(fields, arena_new(fields->arena, struct metrics_expectation));
  if (!metrics)
    return NULL;
  metrics->kind = kind_from(kept_text(map, "kind"));
  metrics->ns = kept_text(map, "namespace");
  metrics->name = kept_text(map, "name");
  metrics->latency = kept_flag(map, "latency");
  metrics->apex = kept_text(map, "apex");
  metrics->growth = read_growth(fields, map);
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    if (node_get(map, parts[i].key))
      parts[i].read(fields, node_get(map, parts[i].key), metrics);
  return metrics;
}
