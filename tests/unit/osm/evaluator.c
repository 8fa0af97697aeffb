#include "tests/unit/osm/evaluator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct osm {
  const struct world *world;
  bool permissive;
  json_t *resources; /* in the order that the controller has them in */
};

static const char *text(const json_t *object, const char *a, const char *b) {
  const json_t *value = b ? json_object_get(json_object_get(object, a), b) : json_object_get(object, a);
  return json_is_string(value) ? json_string_value(value) : "";
}

static bool is_kind(const json_t *resource, const char *kind) {
  return strcmp(text(resource, "kind", NULL), kind) == 0;
}

static const json_t *spec(const json_t *resource, const char *key) {
  return json_object_get(json_object_get(resource, "spec"), key);
}

struct osm *osm_create(const struct world *world, const struct translated *translated) {
  struct osm *osm = calloc(1, sizeof *osm);
  assert_non_null(osm);
  *osm = (struct osm){.world = world, .permissive = true, .resources = json_array()};
  struct random random = {world->seed};
  for (size_t i = 0; i < json_array_size(translated->objects); i++) {
    json_t *body = json_array_get(translated->objects, i);
    const json_t *traffic = spec(body, "traffic"); /* of a change of the MeshConfig */
    if (traffic) {
      osm->permissive = !json_is_false(json_object_get(traffic, "enablePermissiveTrafficPolicyMode"));
      continue;
    }
    size_t at = random_below(&random, json_array_size(osm->resources) + 1);
    assert_int_equal(json_array_insert(osm->resources, at, body), 0);
  }
  return osm;
}

void osm_destroy(struct osm *osm) {
  json_decref(osm->resources);
  free(osm);
}

static const json_t *find(const struct osm *osm, const char *kind, const char *ns, const char *name) {
  size_t i;
  const json_t *resource;
  json_array_foreach(osm->resources, i,
                     resource) if (is_kind(resource, kind) &&
                                   strcmp(text(resource, "metadata", "namespace"), ns) == 0 &&
                                   strcmp(text(resource, "metadata", "name"), name) == 0) return resource;
  return NULL;
}

/* A target in another namespace than its destination's is ignored, and so is one with a rule of another kind than these
 * two, or without rules. */
static bool is_valid(const json_t *target) {
  size_t i;
  const json_t *rule;
  if (strcmp(text(target, "metadata", "namespace"), text(spec(target, "destination"), "namespace", NULL)) != 0)
    return false;
  json_array_foreach(spec(target, "rules"), i,
                     rule) if (!is_kind(rule, "HTTPRouteGroup") && !is_kind(rule, "TCPRoute")) return false;
  return json_array_size(spec(target, "rules")) > 0;
}

static bool is_for(const json_t *target, const struct inventory_workload *destination) {
  const json_t *subject = spec(target, "destination");
  return is_kind(target, "TrafficTarget") && is_valid(target) &&
         strcmp(text(subject, "namespace", NULL), destination->ns) == 0 &&
         strcmp(text(subject, "name", NULL), destination->service_account) == 0;
}

static bool has_source(const json_t *sources, const struct request *request) {
  size_t i;
  const json_t *source;
  json_array_foreach(sources, i,
                     source) if (strcmp(text(source, "namespace", NULL), request->source_ns) == 0 &&
                                 strcmp(text(source, "name", NULL), request->source_account) == 0) return true;
  return false;
}

static bool has_port(const json_t *ports, uint16_t port) {
  size_t i;
  const json_t *item;
  json_array_foreach(ports, i, item) if (json_integer_value(item) == port) return true;
  return false;
}

/* The policy of one target on connections: its sources, on the ports of its TCPRoutes, or on all when it has none. A
 * route that is not there makes it void. */
static bool connection_by(const struct osm *osm, const json_t *target, const struct request *request) {
  size_t i;
  const json_t *rule;
  bool limited = false, open = false;
  json_array_foreach(spec(target, "rules"), i, rule) {
    if (!is_kind(rule, "TCPRoute"))
      continue;
    const json_t *route = find(osm, "TCPRoute", text(target, "metadata", "namespace"), text(rule, "name", NULL));
    if (!route)
      return false;
    limited = true;
    open |= has_port(json_object_get(spec(route, "matches"), "ports"), request->port);
  }
  return (!limited || open) && has_source(spec(target, "sources"), request);
}

static bool connection_allowed(const struct osm *osm, const struct request *request) {
  size_t i;
  const json_t *target;
  json_array_foreach(osm->resources, i, target) if (is_for(target, request->destination) &&
                                                    connection_by(osm, target, request)) return true;
  return false;
}

/* Headers are read into a map: the last one of a name is kept. */
static bool headers_match(const json_t *headers, const struct request_http *http) {
  json_auto_t *map = json_object();
  size_t i;
  json_t *item, *regex;
  const char *name;
  json_array_foreach(headers, i, item) assert_int_equal(json_object_update(map, item), 0);
  json_object_foreach(map, name, regex) {
    const char *value = request_header(http, name);
    if (!value || !oracle_regex(json_string_value(regex), value, true))
      return false;
  }
  return true;
}

static bool method_matches(const json_t *methods, const char *method) {
  size_t i;
  const json_t *item;
  json_array_foreach(methods, i, item) if (strcmp(json_string_value(item), "*") == 0 ||
                                           strcmp(json_string_value(item), method) == 0) return true;
  return json_array_size(methods) == 0;
}

static bool route_matches(const json_t *match, const struct request_http *http) {
  const char *path = text(match, "pathRegex", NULL);
  return oracle_regex(*path ? path : ".*", http->path, true) &&
         method_matches(json_object_get(match, "methods"), http->method) &&
         headers_match(json_object_get(match, "headers"), http);
}

/* Adds a route for the target's sources; routes of the same content are one, for the sources of all. */
static void add_route(json_t *routes, const json_t *match, const json_t *target) {
  json_auto_t *content = json_deep_copy(match);
  size_t i;
  json_t *route;
  assert_non_null(content);
  (void)json_object_del(content, "name");
  json_array_foreach(routes, i, route) if (json_equal(json_object_get(route, "match"), content)) {
    assert_int_equal(json_array_extend(json_object_get(route, "sources"), (json_t *)(uintptr_t)spec(target, "sources")),
                     0);
    return;
  }
  assert_int_equal(json_array_append_new(routes, json_pack("{s:O, s:o}", "match", content, "sources",
                                                           json_copy((json_t *)(uintptr_t)spec(target, "sources")))),
                   0);
}

/* Only matches that the rule names: without names, none. */
static void add_rule(const struct osm *osm, json_t *routes, const json_t *target, const json_t *rule) {
  const json_t *group = find(osm, "HTTPRouteGroup", text(target, "metadata", "namespace"), text(rule, "name", NULL));
  size_t i, j;
  const json_t *name, *match;
  json_array_foreach(json_object_get(rule, "matches"), i, name) json_array_foreach(
      spec(group, "matches"), j, match) if (strcmp(text(match, "name", NULL), json_string_value(name)) == 0)
      add_route(routes, match, target);
}

static bool request_allowed(const struct osm *osm, const struct request *request) {
  json_auto_t *routes = json_array();
  size_t i, j;
  const json_t *target, *item;
  json_array_foreach(osm->resources, i, target) if (is_for(target, request->destination))
      json_array_foreach(spec(target, "rules"), j, item) if (is_kind(item, "HTTPRouteGroup"))
          add_rule(osm, routes, target, item);
  json_array_foreach(
      routes, i, item) if (route_matches(json_object_get(item, "match"),
                                         &request->http)) return has_source(json_object_get(item, "sources"), request);
  return false;
}

bool osm_admits(const struct osm *osm, const struct request *request) {
  if (osm->permissive)
    return true;
  return connection_allowed(osm, request) && (request->protocol != PORT_HTTP || request_allowed(osm, request));
}

bool osm_reaches(const struct world *world, const struct request *request) {
  for (size_t i = 0; i < world->inventory.service_count; i++) {
    const struct inventory_service *service = &world->inventory.services[i];
    bool selects = false, has = false;
    for (size_t j = 0; j < service->workload_count; j++)
      selects |= strcmp(service->workloads[j], request->destination->name) == 0;
    for (size_t j = 0; j < service->port_count; j++)
      has |= service->ports[j].target_port == request->port && service->ports[j].protocol == request->protocol;
    if (selects && has && strcmp(service->ns, request->destination->ns) == 0)
      return true;
  }
  return false;
}

static const struct inventory_port *port_of(const struct world *world, const char *ns, const char *name,
                                            uint16_t port) {
  for (size_t i = 0; i < world->inventory.service_count; i++) {
    const struct inventory_service *service = &world->inventory.services[i];
    for (size_t j = 0; j < service->port_count; j++)
      if (strcmp(service->ns, ns) == 0 && strcmp(service->name, name) == 0 && service->ports[j].port == port &&
          service->ports[j].protocol != PORT_UDP)
        return &service->ports[j];
  }
  return NULL;
}

static void add_share(struct shares *shares, const char *service, uint16_t port, uint64_t weight) {
  if (weight)
    shares->items[shares->count++] = (struct share){.service = service, .port = port, .weight = weight};
  shares->sum += weight;
}

/* A backend without the port is left out. Proxies refuse weights that sum to nothing, and above 32 bits. */
static void split_shares(const struct osm *osm, const json_t *split, const struct outbound_request *request,
                         struct shares *shares) {
  size_t i;
  const json_t *backend;
  json_array_foreach(spec(split, "backends"), i, backend) {
    const char *name = text(backend, "service", NULL);
    const struct inventory_port *port = port_of(osm->world, request->service->ns, name, request->port->port);
    if (port)
      add_share(shares, name, port->target_port, (uint64_t)json_integer_value(json_object_get(backend, "weight")));
  }
  if (shares->sum == 0 || shares->sum > UINT32_MAX)
    fail_msg("the proxies would refuse this");
}

void osm_shares(const struct osm *osm, const struct outbound_request *request, struct shares *ret_shares) {
  size_t i;
  const json_t *split;
  *ret_shares = (struct shares){0};
  json_array_foreach(osm->resources, i,
                     split) if (request->port->protocol != PORT_UDP && is_kind(split, "TrafficSplit") &&
                                strcmp(text(split, "metadata", "namespace"), request->service->ns) == 0 &&
                                strcmp(text(json_object_get(split, "spec"), "service", NULL), request->service->name) ==
                                    0) {
    split_shares(osm, split, request, ret_shares);
    return;
  }
  add_share(ret_shares, request->service->name, request->port->target_port, 1);
}
