#include <string.h>

#include "host/conformance/case_read.h"
#include "sdk/base/document.h"

#define COUNT_MAX 1000000

static const char *const kinds[] = {"Pod", "Deployment", "Namespace", "Service", "TrafficSplit", NULL};

const char *metrics_kind_name(enum metrics_kind kind) {
  return kind >= METRICS_POD && kind <= METRICS_SPLIT ? kinds[kind - METRICS_POD] : "unknown";
}

/* What is read, and from where. */
struct metrics_reader {
  struct fields *fields;
  const struct topology *topology;
  const struct node *map;
  struct metrics_expectation *metrics;
};

static uint64_t read_count(struct fields *fields, const struct node *map, const char *key) {
  const struct node *node = node_get(map, key);
  if (node->kind == NODE_INTEGER && node->integer >= 0 && node->integer <= COUNT_MAX)
    return (uint64_t)node->integer;
  fields_complain(fields, node, FIELD_VALUE, NULL, "\"%s\" must be a whole number from 0 to %d", key, COUNT_MAX);
  return 0;
}

static struct metrics_growth read_growth(struct fields *fields, const struct node *map) {
  bool success = node_get(map, "success") != NULL, failure = node_get(map, "failure") != NULL;
  if (success != failure)
    fields_complain(fields, map, FIELD_MISSING, NULL,
                    "the field \"%s\" is missing: successes and failures are judged "
                    "together",
                    success ? "failure" : "success");
  if (!success || !failure)
    return (struct metrics_growth){0};
  return (struct metrics_growth){
      .judged = true, .success = read_count(fields, map, "success"), .failure = read_count(fields, map, "failure")};
}

/* ---- what there must be in the topology */

static bool has_deployment(const struct topology *topology, const char *ns, const char *name) {
  for (size_t i = 0; i < topology->workload_count; i++)
    if (strcmp(topology->workloads[i].ns, ns) == 0 && strcmp(topology->workloads[i].deployment, name) == 0)
      return true;
  return false;
}

/* A split is the case's own resource, whose name is not looked up. */
static void check_exists(const struct metrics_reader *reader, const struct node *at, enum metrics_kind kind,
                         const char *ns, const char *name) {
  const struct topology *topology = reader->topology;
  int code = CASE_UNKNOWN_WORKLOAD;
  bool exists = true;
  if (kind == METRICS_POD)
    exists = topology_workload_find(topology, ns, name) != NULL;
  else if (kind == METRICS_DEPLOYMENT)
    exists = has_deployment(topology, ns, name);
  else if (kind == METRICS_SERVICE)
    exists = topology_service_find(topology, ns, name) != NULL;
  else if (kind == METRICS_NAMESPACE)
    exists = topology_has_namespace(topology, name);
  if (kind == METRICS_SERVICE)
    code = CASE_UNKNOWN_SERVICE;
  else if (kind == METRICS_NAMESPACE)
    code = CASE_UNKNOWN_NAMESPACE;
  if (!exists)
    fields_complain(reader->fields, at, code, NULL, "the topology \"%s\" has no %s \"%s%s%s\"", topology->name,
                    metrics_kind_name(kind), ns, *ns ? "/" : "", name);
}

static void read_namespace(struct metrics_reader *reader) {
  struct metrics_expectation *metrics = reader->metrics;
  const struct node *node = node_get(reader->map, "namespace");
  if (metrics->kind == METRICS_NAMESPACE) {
    metrics->ns = "";
    if (node)
      fields_complain(reader->fields, node, CASE_CHECK_SENSELESS, NULL, "a Namespace is in no namespace");
    return;
  }
  metrics->ns = fields_label(reader->fields, reader->map, "namespace", TOPOLOGY_NAMESPACE_DEFAULT);
  if (metrics->ns && !topology_has_namespace(reader->topology, metrics->ns))
    fields_complain(reader->fields, node, CASE_UNKNOWN_NAMESPACE, NULL, "the topology \"%s\" has no namespace \"%s\"",
                    reader->topology->name, metrics->ns);
}

/* ---- of one resource */

static void read_edge(struct metrics_reader *reader, const struct node *map) {
  static const char *const known[] = {"peer", "direction", "side", NULL};
  static const char *const directions[] = {"from", "to", NULL};
  static const char *const sides[] = {"server", "client", NULL};
  struct fields *fields = reader->fields;
  struct metrics_edge *edge = fields_checked(fields, arena_new(fields->arena, struct metrics_edge));
  reader->metrics->edge = edge;
  if (!edge || !fields_known(fields, map, "an edge", known))
    return;
  const struct node *direction = fields_get(fields, map, "direction", NODE_STRING, true);
  const struct node *side = fields_get(fields, map, "side", NODE_STRING, true);
  edge->outgoing = direction && fields_word(fields, direction, "\"direction\"", directions) == 1;
  edge->client = side && fields_word(fields, side, "\"side\"", sides) == 1;
  edge->peer = fields_label(fields, map, "peer", NULL);
  edge->peer_ns = reader->metrics->kind == METRICS_NAMESPACE ? "" : TOPOLOGY_NAMESPACE_DEFAULT;
  enum metrics_kind kind = reader->metrics->kind == METRICS_SERVICE ? METRICS_POD : reader->metrics->kind;
  if (edge->peer)
    check_exists(reader, node_get(map, "peer"), kind, edge->peer_ns, edge->peer);
}

static void read_backend(struct metrics_reader *reader, const struct entry *entry,
                         struct metrics_split_backend *ret_backend) {
  const struct node *weight = entry->value;
  check_exists(reader, weight, METRICS_SERVICE, TOPOLOGY_NAMESPACE_DEFAULT, entry->key);
  if (weight->kind != NODE_INTEGER || weight->integer < 0 || weight->integer > CASE_WEIGHT_MAX)
    fields_complain(reader->fields, weight, FIELD_VALUE, NULL,
                    "the weight of \"%s\" must be a whole number from 0 to %d", entry->key, CASE_WEIGHT_MAX);
  else
    ret_backend->weight = (uint32_t)weight->integer;
  ret_backend->name = fields_checked(reader->fields, arena_strdup(reader->fields->arena, entry->key));
}

/* A split is told by its backends: they say what each must have, and the servers' records how much. */
static void read_split(struct metrics_reader *reader) {
  struct fields *fields = reader->fields;
  struct metrics_expectation *metrics = reader->metrics;
  const struct node *map = fields_get(fields, reader->map, "backends", NODE_MAP, true);
  size_t count = fields_count(fields, map, "backends", CASE_SHARES_MAX);
  struct metrics_split_backend *backends = fields_checked(fields, arena_array(fields->arena, count, sizeof(*backends)));
  metrics->apex = fields_label(fields, reader->map, "apex", NULL);
  for (size_t i = 0; backends && i < count; i++)
    read_backend(reader, &map->entries[i], &backends[i]);
  metrics->backends = backends;
  metrics->backend_count = backends ? count : 0;
  if (metrics->growth.judged || metrics->edge)
    fields_complain(fields, reader->map, CASE_CHECK_SENSELESS, NULL,
                    "the metrics of a TrafficSplit are those of its backends, which grow by what servers recorded");
}

static void read_named(struct metrics_reader *reader) {
  static const char *const of_lists[] = {"items", "selector", NULL};
  struct fields *fields = reader->fields;
  struct metrics_expectation *metrics = reader->metrics;
  const struct node *edge = node_get(reader->map, "edge");
  const struct node *latency = node_get(reader->map, "latency");
  metrics->name = fields_label(fields, reader->map, "name", NULL);
  metrics->growth = read_growth(fields, reader->map);
  metrics->latency = latency && latency->kind == NODE_BOOLEAN && latency->boolean;
  if (latency && latency->kind != NODE_BOOLEAN)
    fields_complain(fields, latency, FIELD_VALUE, NULL, "\"latency\" must be true or false");
  if (metrics->name && metrics->ns)
    check_exists(reader, node_get(reader->map, "name"), metrics->kind, metrics->ns, metrics->name);
  if (edge)
    read_edge(reader, edge);
  if (metrics->kind == METRICS_SPLIT)
    read_split(reader);
  for (size_t i = 0; of_lists[i]; i++)
    if (node_get(reader->map, of_lists[i]))
      fields_complain(fields, node_get(reader->map, of_lists[i]), CASE_CHECK_SENSELESS, NULL,
                      "\"%s\" is for lists, and this check names one resource", of_lists[i]);
}

/* ---- of all of a kind */

static void read_item(struct metrics_reader *reader, const struct node *node, struct metrics_list_item *ret_item) {
  static const char *const known[] = {"name", "success", "failure", NULL};
  struct fields *fields = reader->fields;
  struct metrics_list_item item = {0};
  if (node->kind == NODE_STRING) {
    item.name = fields_checked(fields, arena_strdup(fields->arena, node->text));
  } else if (fields_known(fields, node, "an item", known)) {
    item.name = fields_label(fields, node, "name", NULL);
    item.growth = read_growth(fields, node);
  }
  if (item.name && reader->metrics->ns)
    check_exists(reader, node, reader->metrics->kind, reader->metrics->ns, item.name);
  *ret_item = item;
}

static void read_selector(struct metrics_reader *reader) {
  struct fields *fields = reader->fields;
  const struct node *map = fields_get(fields, reader->map, "selector", NODE_MAP, false);
  size_t count = fields_count(fields, map, "labels", CASE_HEADERS_MAX);
  struct metrics_label *labels = fields_checked(fields, arena_array(fields->arena, count, sizeof(*labels)));
  for (size_t i = 0; labels && i < count; i++) {
    const struct entry *entry = &map->entries[i];
    if (entry->value->kind != NODE_STRING || !label_is_valid(entry->value->text))
      fields_complain(fields, entry->value, FIELD_VALUE, NULL, "the label \"%s\" must be a name", entry->key);
    labels[i].name = fields_checked(fields, arena_strdup(fields->arena, entry->key));
    labels[i].value = fields_checked(fields, arena_strdup(fields->arena, entry->value->text ? entry->value->text : ""));
  }
  reader->metrics->selector = labels;
  reader->metrics->selector_count = labels ? count : 0;
}

static void read_list(struct metrics_reader *reader) {
  static const char *const of_one[] = {"edge", "success", "failure", "latency", "apex", "backends", NULL};
  struct fields *fields = reader->fields;
  const struct node *list = fields_get(fields, reader->map, "items", NODE_LIST, true);
  size_t count = fields_count(fields, list, "items", TOPOLOGY_WORKLOADS_MAX);
  struct metrics_list_item *items = fields_checked(fields, arena_array(fields->arena, count, sizeof(*items)));
  for (size_t i = 0; list && items && i < count; i++)
    read_item(reader, list->items[i], &items[i]);
  if (list && list->count == 0)
    fields_complain(fields, list, FIELD_VALUE, NULL, "a list that must be empty shows nothing: name an item");
  reader->metrics->items = items;
  reader->metrics->item_count = items ? count : 0;
  read_selector(reader);
  for (size_t i = 0; of_one[i]; i++)
    if (node_get(reader->map, of_one[i]))
      fields_complain(fields, node_get(reader->map, of_one[i]), CASE_CHECK_SENSELESS, NULL,
                      "\"%s\" is for one resource, which \"name\" names", of_one[i]);
}

void metrics_check_read(struct fields *fields, const struct node *expect, const struct topology *topology,
                        struct check *check) {
  static const char *const of_expect[] = {"metrics", NULL};
  static const char *const known[] = {"kind",  "namespace", "name",    "edge", "success",  "failure",
                                      "items", "selector",  "latency", "apex", "backends", NULL};
  struct metrics_expectation *metrics = fields_checked(fields, arena_new(fields->arena, struct metrics_expectation));
  const struct node *map = node_get(expect, "metrics");
  check->kind = CHECK_METRICS;
  check->metrics = metrics;
  if (!metrics || !fields_known(fields, expect, "\"expect\"", of_expect) ||
      !fields_known(fields, map, "\"metrics\"", known))
    return;
  struct metrics_reader reader = {.fields = fields, .topology = topology, .map = map, .metrics = metrics};
  const struct node *kind = fields_get(fields, map, "kind", NODE_STRING, true);
  int word = kind ? fields_word(fields, kind, "\"kind\"", kinds) : -1;
  if (word < 0)
    return;
  metrics->kind = (enum metrics_kind)(METRICS_POD + word);
  read_namespace(&reader);
  if (node_get(map, "name"))
    read_named(&reader);
  else
    read_list(&reader);
}

/* ---- how the calls are answered */

static unsigned read_number(struct fields *fields, const struct node *map, const char *key, unsigned least,
                            unsigned most, unsigned fallback) {
  const struct node *node = node_get(map, key);
  if (!node)
    return fallback;
  if (node->kind == NODE_INTEGER && node->integer >= least && node->integer <= most)
    return (unsigned)node->integer;
  fields_complain(fields, node, FIELD_VALUE, NULL, "\"%s\" must be a whole number from %u to %u", key, least, most);
  return fallback;
}

void metrics_check_read_answers(struct fields *fields, const struct node *map, struct check *check) {
  static const char *const keys[] = {"failing", "answer", NULL};
  check->failing = read_number(fields, map, "failing", 1, check->repeat, 0);
  check->answer = read_number(fields, map, "answer", 200, 499, METRICS_ANSWER_DEFAULT);
  for (size_t i = 0; keys[i]; i++)
    if (node_get(map, keys[i]) && check->kind != CHECK_METRICS)
      fields_complain(fields, node_get(map, keys[i]), CASE_CHECK_SENSELESS, NULL, "\"%s\" is for metrics only",
                      keys[i]);
  if (check->kind != CHECK_METRICS)
    return;
  if (check->protocol != PROTOCOL_HTTP || check->keep)
    fields_complain(fields, map, CASE_CHECK_SENSELESS, NULL, "metrics are of HTTP requests%s",
                    check->keep ? ", and not of a kept connection" : "");
}
