#include "tests/unit/gateway/evaluator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* How an implementation ranks paths by RegularExpression. An exact path is first for all of them. */
enum ranking {
  BY_MATCHED_LENGTH, /* as prefixes: what matches more of the path is first */
  BELOW_PREFIXES,
  ABOVE_PREFIXES,
  RANKINGS,
};

struct routes {
  const struct world *world;
  const json_t *objects;
  enum ranking ranking;
  bool searches; /* for a regular expression anywhere in the value */
};

static const char *text(const json_t *object, const char *key) {
  const char *value = json_string_value(json_object_get(object, key));
  return value ? value : "";
}

static const json_t *spec(const json_t *object, const char *key) {
  return json_object_get(json_object_get(object, "spec"), key);
}

static void check_limits(const json_t *object) {
  size_t i, matches = 0;
  const json_t *rule;
  assert_in_range(json_array_size(spec(object, "rules")), 1, 16);
  json_array_foreach(spec(object, "rules"), i, rule) {
    assert_in_range(json_array_size(json_object_get(rule, "matches")), 0, 64);
    assert_in_range(json_array_size(json_object_get(rule, "backendRefs")), 0, 16);
    matches += json_array_size(json_object_get(rule, "matches"));
  }
  assert_in_range(matches, 0, 128);
}

struct routes *routes_create(const struct world *world, const struct translated *translated) {
  struct routes *routes = calloc(1, sizeof *routes);
  assert_non_null(routes);
  *routes = (struct routes){.world = world,
                            .objects = translated->objects,
                            .ranking = (enum ranking)(world->seed % RANKINGS),
                            .searches = world->seed % 2 == 0};
  for (size_t i = 0; i < json_array_size(translated->objects); i++)
    check_limits(json_array_get(translated->objects, i));
  return routes;
}

void routes_destroy(struct routes *routes) {
  free(routes);
}

/* Without a group, the parent would be of gateway.networking.k8s.io. */
static bool is_parent(const json_t *route, const struct outbound_request *request) {
  const json_t *parent = json_array_get(spec(route, "parentRefs"), 0);
  return json_is_string(json_object_get(parent, "group")) && strcmp(text(parent, "group"), "") == 0 &&
         strcmp(text(parent, "kind"), "Service") == 0 && strcmp(text(parent, "name"), request->service->name) == 0 &&
         json_integer_value(json_object_get(parent, "port")) == request->port->port &&
         strcmp(text(json_object_get(route, "metadata"), "namespace"), request->service->ns) == 0;
}

static const json_t *route_of(const struct routes *routes, const struct outbound_request *request, const char *kind) {
  size_t i;
  const json_t *object, *found = NULL;
  json_array_foreach(routes->objects, i,
                     object) if (strcmp(text(object, "kind"), kind) == 0 && is_parent(object, request)) {
    assert_null(found); /* only the older one would count */
    found = object;
  }
  return found;
}

static bool regex_matches(const struct routes *routes, const char *regex, const char *value) {
  char *searched = NULL;
  if (!routes->searches)
    return oracle_regex(regex, value, true);
  assert_true(asprintf(&searched, ".*(?:%s)", regex) > 0);
  bool found = oracle_regex(searched, value, false);
  free(searched);
  return found;
}

/* By segments: /a is a prefix of /a and /a/b, not of /ab. */
static bool prefix_matches(const char *prefix, const char *path) {
  size_t length = strlen(prefix);
  while (length > 0 && prefix[length - 1] == '/')
    length--;
  return strncmp(prefix, path, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool path_matches(const struct routes *routes, const json_t *match, const char *path) {
  const json_t *wanted = json_object_get(match, "path");
  const char *type = text(wanted, "type"), *value = text(wanted, "value");
  if (strcmp(type, "Exact") == 0)
    return strcmp(value, path) == 0;
  if (strcmp(type, "RegularExpression") == 0)
    return regex_matches(routes, value, path);
  return prefix_matches(wanted ? value : "/", path);
}

static bool headers_match(const struct routes *routes, const json_t *match, const struct request_http *http) {
  size_t i;
  const json_t *header;
  json_array_foreach(json_object_get(match, "headers"), i, header) {
    const char *value = request_header(http, text(header, "name")), *wanted = text(header, "value");
    if (!value)
      return false;
    if (strcmp(text(header, "type"), "RegularExpression") == 0 ? !regex_matches(routes, wanted, value)
                                                               : strcmp(wanted, value) != 0)
      return false;
  }
  return true;
}

static bool matches(const struct routes *routes, const json_t *match, const struct request_http *http) {
  const char *method = text(match, "method");
  return path_matches(routes, match, http->path) && (!*method || strcmp(method, http->method) == 0) &&
         headers_match(routes, match, http);
}

/* What the API compares, most important first. */
struct rank {
  size_t values[4];
};

static struct rank rank_of(const struct routes *routes, const json_t *match, const char *path) {
  const json_t *wanted = json_object_get(match, "path");
  const char *type = text(wanted, "type");
  const size_t length = wanted ? strlen(text(wanted, "value")) : 1;
  const bool regex = strcmp(type, "RegularExpression") == 0;
  struct rank rank = {{1, length, *text(match, "method") != '\0', json_array_size(json_object_get(match, "headers"))}};
  if (strcmp(type, "Exact") == 0)
    rank.values[0] = 3;
  else if (regex && routes->ranking == BY_MATCHED_LENGTH)
    rank.values[1] = strlen(path);
  else if (regex)
    rank.values[0] = routes->ranking == ABOVE_PREFIXES ? 2 : 0;
  return rank;
}

static bool is_above(const struct rank *a, const struct rank *b) {
  for (size_t i = 0; i < sizeof a->values / sizeof *a->values; i++)
    if (a->values[i] != b->values[i])
      return a->values[i] > b->values[i];
  return false; /* the first one stays */
}

static const json_t *rule_of(const struct routes *routes, const json_t *route, const struct request_http *http) {
  const json_t *best = NULL, *rule, *match;
  struct rank best_rank = {{0}};
  size_t i, j;
  json_array_foreach(spec(route, "rules"), i, rule) json_array_foreach(json_object_get(rule, "matches"), j, match) {
    const struct rank rank = rank_of(routes, match, http->path);
    if (matches(routes, match, http) && (!best || is_above(&rank, &best_rank))) {
      best = rule;
      best_rank = rank;
    }
  }
  return best;
}

static const struct inventory_port *port_of(const struct routes *routes, const struct outbound_request *request,
                                            const json_t *backend) {
  const struct inventory *inventory = &routes->world->inventory;
  for (size_t i = 0; i < inventory->service_count; i++) {
    const struct inventory_service *service = &inventory->services[i];
    for (size_t j = 0; j < service->port_count; j++)
      if (strcmp(service->ns, request->service->ns) == 0 && strcmp(service->name, text(backend, "name")) == 0 &&
          service->ports[j].port == json_integer_value(json_object_get(backend, "port")) &&
          service->ports[j].protocol != PORT_UDP)
        return &service->ports[j];
  }
  return NULL;
}

/* A backend that is not there gets its share, as errors. */
static void rule_shares(const struct routes *routes, const json_t *rule, const struct outbound_request *request,
                        struct shares *shares) {
  size_t i;
  const json_t *backend;
  json_array_foreach(json_object_get(rule, "backendRefs"), i, backend) {
    const struct inventory_port *port = port_of(routes, request, backend);
    const uint64_t weight = (uint64_t)json_integer_value(json_object_get(backend, "weight"));
    assert_in_range(weight, 0, 1000000);
    if (weight == 0)
      continue;
    shares->items[shares->count++] = (struct share){
        .service = port ? text(backend, "name") : "", .port = port ? port->target_port : 0, .weight = weight};
    shares->sum += weight;
  }
}

void routes_shares(const struct routes *routes, const struct outbound_request *request, struct shares *ret_shares) {
  const json_t *route = NULL, *rule = NULL;
  *ret_shares = (struct shares){0};
  if (request->port->protocol == PORT_HTTP) {
    route = route_of(routes, request, "HTTPRoute");
    rule = rule_of(routes, route, &request->http);
  } else if (request->port->protocol == PORT_TCP) {
    route = route_of(routes, request, "TCPRoute");
    rule = json_array_get(spec(route, "rules"), 0);
  }
  if (route) {
    rule_shares(routes, rule, request, ret_shares);
    return;
  }
  ret_shares->items[ret_shares->count++] =
      (struct share){.service = request->service->name, .port = request->port->target_port, .weight = 1};
  ret_shares->sum = 1;
}
