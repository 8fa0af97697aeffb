/* SMI split: TrafficSplit v1alpha1 to v1alpha4. */
#include <inttypes.h>
#include <string.h>

#include "sdk/smi/bodies.h"
#include "sdk/smi/weight.h"

/* Split v1alpha1: a Quantity, which YAML may read as a number. */
static void read_quantity(struct reading *reading, const struct node *value, void *target) {
  struct smi_backend *backend = target;
  _cleanup_error_ struct error *err = NULL;

  if (value->kind != NODE_INTEGER && value->kind != NODE_NUMBER && !reading_expect(reading, value, NODE_STRING))
    return;
  if (quantity_parse_milli(value->text, &backend->weight, &err) < 0)
    reading_error(reading, "SMI-0012", value, "a weight of split v1alpha1 is a Quantity of 0 or more: 1, 500m, 1.5",
                  NULL, "weight: %s", error_message(err));
  else
    backend->quantity = value->text;
}

static void read_weight(struct reading *reading, const struct node *value, void *target) {
  static const char expected[] = "from split v1alpha2 on, a weight is a whole number of 0 or more";
  struct smi_backend *backend = target;
  uint64_t milli;

  if (value->kind == NODE_INTEGER && value->integer >= 0) {
    backend->weight = (uint64_t)value->integer;
    return;
  }
  if (value->kind == NODE_INTEGER)
    reading_error(reading, "SMI-0012", value, expected, "write 0 to send nothing to this backend",
                  "weight %" PRId64 " is negative", value->integer);
  else if (value->kind == NODE_NUMBER)
    reading_error(reading, "SMI-0012", value, expected,
                  "multiply all weights until they are whole: only their proportion counts",
                  "weight %s is no whole number that 63 bits hold", node_shown(reading->arena, value));
  else if (value->kind == NODE_STRING && quantity_parse_milli(value->text, &milli, NULL) == 0)
    reading_error(reading, "SMI-0012", value, expected,
                  "take the quotes and the unit off; quantities such as 500m are of split v1alpha1 only",
                  "weight \"%s\" is a string", node_shown(reading->arena, value));
  else
    reading_error(reading, "SMI-0012", value, expected, NULL, "weight %s is no number",
                  node_shown(reading->arena, value));
}

static const struct field backend_fields[] = {
    {.name = "service",
     .since = 1,
     .required = true,
     .type = FIELD_TEXT,
     .rule = TEXT_LABEL,
     .offset = offsetof(struct smi_backend, service)},
    {.name = "weight", .since = 1, .until = 1, .required = true, .type = FIELD_CUSTOM, .read = read_quantity},
    {.name = "weight", .since = 2, .required = true, .type = FIELD_CUSTOM, .read = read_weight},
};

static const struct mistake backend_mistakes[] = {
    {"name", 1, ALPHA_NEWEST, "write `service`"},
    {"port", 1, ALPHA_NEWEST, "take it out: ports are those of the root service, and a backend's must match by number"},
};

static const struct shape backend = {
    .what = "a backend",
    .fields = backend_fields,
    .field_count = ARRAY_COUNT(backend_fields),
    .mistakes = backend_mistakes,
    .mistake_count = ARRAY_COUNT(backend_mistakes),
};

/* A match as it stands; the hub keeps the names only, since the kind is always the same. */
struct split_match {
  const char *name;
};

static void read_match_kind(struct reading *reading, const struct node *value, void *target) {
  static const char *const kinds[] = {"HTTPRouteGroup", NULL};

  (void)target;
  (void)read_choice(reading, value, kinds, "a TrafficSplit matches by HTTP route groups");
}

static void read_match_group(struct reading *reading, const struct node *value, void *target) {
  static const char *const groups[] = {"specs.smi-spec.io", NULL};

  (void)target;
  (void)read_choice(reading, value, groups, "the API group of an HTTPRouteGroup");
}

static const struct field match_fields[] = {
    {.name = "kind", .since = 3, .required = true, .type = FIELD_CUSTOM, .read = read_match_kind},
    {.name = "name",
     .since = 3,
     .required = true,
     .type = FIELD_TEXT,
     .rule = TEXT_SUBDOMAIN,
     .offset = offsetof(struct split_match, name)},
    {.name = "apiGroup", .since = 3, .type = FIELD_CUSTOM, .read = read_match_group},
};

static const struct shape match = {
    .what = "a match",
    .fields = match_fields,
    .field_count = ARRAY_COUNT(match_fields),
};

_Static_assert(sizeof(struct split_match) == sizeof(const char *), "an array of matches is an array of their names");

static const struct field split_fields[] = {
    {.name = "service",
     .since = 1,
     .required = true,
     .type = FIELD_TEXT,
     .rule = TEXT_LABEL,
     .offset = offsetof(struct smi_traffic_split, service)},
    {.name = "backends",
     .since = 1,
     .required = true,
     .type = FIELD_LIST,
     .shape = &backend,
     .item_size = sizeof(struct smi_backend),
     .offset = offsetof(struct smi_traffic_split, backends),
     .count_offset = offsetof(struct smi_traffic_split, backend_count)},
    {.name = "matches",
     .since = 3,
     .type = FIELD_LIST,
     .shape = &match,
     .item_size = sizeof(struct split_match),
     .offset = offsetof(struct smi_traffic_split, matches),
     .count_offset = offsetof(struct smi_traffic_split, match_count)},
};

static const struct mistake split_mistakes[] = {
    {"backend", 1, ALPHA_NEWEST, "write `backends`, a list"},
    {"weights", 1, ALPHA_NEWEST, "put a `weight` in each of `backends`"},
    {"matches", 1, 2, "write the split in split.smi-spec.io/v1alpha3 or newer"},
};

/* Whoever adds weights up must not overflow: their sum stays within 63 bits. */
static void finish_split(struct reading *reading, const struct node *map, void *target) {
  struct smi_traffic_split *split = target;
  /* The array is this reading's own until it is handed out. */
  struct smi_backend *backends = (struct smi_backend *)split->backends;
  uint64_t *weights, sum = 0;

  if (reading->failed || split->backend_count == 0)
    return;
  weights = reading_alloc(reading, split->backend_count, sizeof(*weights));
  if (!weights)
    return;
  for (size_t i = 0; i < split->backend_count; i++)
    weights[i] = backends[i].weight;
  if (reading->version.alpha == 1)
    weights_reduce(weights, split->backend_count);
  for (size_t i = 0; i < split->backend_count; i++) {
    backends[i].weight = weights[i];
    if (__builtin_add_overflow(sum, weights[i], &sum) || sum > INT64_MAX) {
      reading_error(reading, "SMI-0012", node_get(map, "backends"), NULL,
                    "divide all weights by the same number: only their proportion counts",
                    "the weights add up to more than %" PRId64, INT64_MAX);
      return;
    }
  }
}

static const struct shape split = {
    .what = "a TrafficSplit",
    .fields = split_fields,
    .field_count = ARRAY_COUNT(split_fields),
    .mistakes = split_mistakes,
    .mistake_count = ARRAY_COUNT(split_mistakes),
    .finish = finish_split,
};

const struct body body_traffic_split = {SMI_TRAFFIC_SPLIT, sizeof(struct smi_traffic_split), &split};
