/* SMI specs: HTTPRouteGroup and TCPRoute v1alpha1 to v1alpha4, UDPRoute v1alpha4. */
#include <string.h>

#include "sdk/smi/bodies.h"
#include "sdk/smi/parse.h"

static void read_header(struct reading *reading, const struct entry *entry, struct smi_header *header) {
  header->name = reading_strdup(reading, entry->key);
  if (text_expected(TEXT_HEADER_NAME, entry->key, strlen(entry->key)))
    reading_error_key(reading, "SMI-0016", entry, text_expected(TEXT_HEADER_NAME, "", 0), NULL,
                      "\"%s\" is no header name", text_shown(reading->arena, entry->key));
  header->regex = reading_text(reading, entry->value, TEXT_REGEX);
}

/* The specification shows a map; its CustomResourceDefinition wants a list of maps. All of it is ANDed either way. */
static void read_headers(struct reading *reading, const struct node *value, void *target) {
  struct smi_http_match *match = target;
  struct smi_header *headers;
  const struct node *const *maps = value->kind == NODE_MAP ? &value : value->items;
  size_t map_count = value->kind == NODE_MAP ? 1 : value->count, count = 0, next = 0;

  if (value->kind != NODE_MAP && (!reading_expect(reading, value, NODE_LIST) || !reading_list_fits(reading, value)))
    return;
  for (size_t i = 0; i < map_count; i++)
    count += reading_expect(reading, maps[i], NODE_MAP) ? maps[i]->count : 0;
  if (count > SMI_LIST_MAX) {
    reading_error(reading, "SMI-0014", value, NULL, NULL, "%zu headers: at most %d are allowed", count, SMI_LIST_MAX);
    return;
  }
  headers = reading_alloc(reading, count, sizeof(*headers));
  if (!headers)
    return;
  for (size_t i = 0; i < map_count; i++)
    for (size_t j = 0; maps[i]->kind == NODE_MAP && j < maps[i]->count; j++)
      read_header(reading, &maps[i]->entries[j], &headers[next++]);
  match->headers = headers;
  match->header_count = count;
}

static const struct field http_match_fields[] = {
    {.name = "name",
     .since = 1,
     .required = true,
     .type = FIELD_TEXT,
     .rule = TEXT_NOT_EMPTY,
     .offset = offsetof(struct smi_http_match, name)},
    {.name = "pathRegex",
     .since = 1,
     .type = FIELD_TEXT,
     .rule = TEXT_REGEX,
     .offset = offsetof(struct smi_http_match, path_regex)},
    {.name = "methods",
     .since = 1,
     .type = FIELD_TEXTS,
     .rule = TEXT_METHOD,
     .offset = offsetof(struct smi_http_match, methods),
     .count_offset = offsetof(struct smi_http_match, method_count)},
    {.name = "headers", .since = 2, .type = FIELD_CUSTOM, .read = read_headers},
};

static const struct mistake http_match_mistakes[] = {
    {"path", 1, ALPHA_NEWEST, "write `pathRegex`, a regular expression that matches from the start of the path"},
    {"method", 1, ALPHA_NEWEST, "write `methods`, a list"},
    {"header", 2, ALPHA_NEWEST, "write `headers`"},
    {"headers", 1, 1, "write the route group in specs.smi-spec.io/v1alpha2 or newer"},
};

static const struct shape http_match = {
    .what = "a match",
    .fields = http_match_fields,
    .field_count = ARRAY_COUNT(http_match_fields),
    .mistakes = http_match_mistakes,
    .mistake_count = ARRAY_COUNT(http_match_mistakes),
};

static const struct field route_group_fields[] = {
    {.name = "matches",
     .since = 1,
     .required = true,
     .type = FIELD_LIST,
     .shape = &http_match,
     .item_size = sizeof(struct smi_http_match),
     .offset = offsetof(struct smi_http_route_group, matches),
     .count_offset = offsetof(struct smi_http_route_group, match_count)},
};

static const struct mistake route_group_mistakes[] = {
    {"routes", 1, ALPHA_NEWEST, "write `matches`"},
    {"rules", 1, ALPHA_NEWEST, "write `matches`"},
};

static const struct shape route_group = {
    .what = "an HTTPRouteGroup",
    .fields = route_group_fields,
    .field_count = ARRAY_COUNT(route_group_fields),
    .mistakes = route_group_mistakes,
    .mistake_count = ARRAY_COUNT(route_group_mistakes),
};

const struct body body_http_route_group = {SMI_HTTP_ROUTE_GROUP, sizeof(struct smi_http_route_group), &route_group};

static void read_ports(struct reading *reading, const struct node *value, void *target) {
  struct smi_port_route *route = target;
  uint16_t *ports;

  if (!reading_expect(reading, value, NODE_LIST) || !reading_list_fits(reading, value))
    return;
  ports = reading_alloc(reading, value->count, sizeof(*ports));
  for (size_t i = 0; ports && i < value->count; i++)
    ports[i] = reading_port(reading, value->items[i]);
  route->ports = ports;
  route->port_count = ports ? value->count : 0;
}

/* Read into the route itself. */
static const struct field port_match_fields[] = {
    {.name = "ports", .since = 4, .type = FIELD_CUSTOM, .read = read_ports},
};

static const struct mistake port_match_mistakes[] = {
    {"port", 4, ALPHA_NEWEST, "write `ports`, a list of numbers"},
};

static const struct shape port_match = {
    .what = "the matches",
    .fields = port_match_fields,
    .field_count = ARRAY_COUNT(port_match_fields),
    .mistakes = port_match_mistakes,
    .mistake_count = ARRAY_COUNT(port_match_mistakes),
};

static const struct field port_route_fields[] = {
    {.name = "matches", .since = 4, .type = FIELD_OBJECT, .shape = &port_match},
};

static const struct mistake port_route_mistakes[] = {
    {"ports", 4, ALPHA_NEWEST, "put it under `matches`"},
    {"matches", 1, 3, "write the route in specs.smi-spec.io/v1alpha4"},
};

static const struct shape port_route = {
    .what = "a route",
    .fields = port_route_fields,
    .field_count = ARRAY_COUNT(port_route_fields),
    .mistakes = port_route_mistakes,
    .mistake_count = ARRAY_COUNT(port_route_mistakes),
};

const struct body body_port_route = {SMI_TCP_ROUTE, sizeof(struct smi_port_route), &port_route};
