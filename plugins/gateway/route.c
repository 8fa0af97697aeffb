#include "plugins/gateway/route.h"

#include "sdk/kube/object.h"

/* Set by whoever implements the route, for each parent (Gateway API, RouteConditionType). */
static const char *const ready_conditions[] = {"Accepted", "ResolvedRefs", NULL};

#define HTTP_VERSION "gateway.networking.k8s.io/v1"

static json_t *backend_json(const char *service, uint16_t port, uint64_t weight) {
  return json_pack("{s:s, s:i, s:I}", "name", service, "port", port, "weight", (json_int_t)weight);
}

static json_t *backends_json(const struct route *route) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < route->backend_count; i++)
    if (json_array_append_new(list, backend_json(route->backends[i].service, route->port, route->backends[i].weight)) <
        0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

/* A rule without backends answers 500 (Gateway API, HTTPRouteRule). Takes `matches` and `backends`. */
static int add_rule(json_t *rules, json_t *matches, json_t *backends) {
  json_t *rule = matches && backends ? json_pack("{s:O}", "matches", matches) : NULL;
  int failed = rule ? 0 : -1;
  if (!failed && json_array_size(backends))
    failed = json_object_set(rule, "backendRefs", backends);
  json_decref(matches);
  json_decref(backends);
  if (!failed)
    return json_array_append_new(rules, rule);
  json_decref(rule);
  return -1;
}

static json_t *slice(const json_t *items, size_t start) {
  json_t *part = json_array();
  for (size_t i = start; part && i < json_array_size(items) && i - start < ROUTE_RULE_MATCHES_MAX; i++)
    if (json_array_append(part, json_array_get(items, i)) < 0) {
      json_decref(part);
      return NULL;
    }
  return part;
}

static json_t *rules_json(const struct route *route) {
  const struct match_list everything = {0};
  json_t *rules = json_array();
  int failed = rules ? 0 : -1;
  if (!failed && !route->matches)
    failed |= add_rule(rules, json_pack("[o]", match_of_the_rest(&everything)), backends_json(route));
  for (size_t i = 0; !failed && route->matches && i < json_array_size(route->matches->items);
       i += ROUTE_RULE_MATCHES_MAX)
    failed |= add_rule(rules, slice(route->matches->items, i), backends_json(route));
  if (!failed && route->matches)
    failed |= add_rule(rules, json_pack("[o]", match_of_the_rest(route->matches)),
                       json_pack("[o]", backend_json(route->split->service, route->port, 1)));
  if (!failed)
    return rules;
  json_decref(rules);
  return NULL;
}

/* Without a group, a Service would be one of gateway.networking.k8s.io. */
static json_t *parent_json(const struct route *route) {
  return json_pack("{s:s, s:s, s:s, s:i}", "group", "", "kind", "Service", "name", route->split->service, "port",
                   route->port);
}

static struct native_object *route_object(struct call *call, const struct route *route, const char *version,
                                          const char *kind, json_t *rules) {
  const struct smi_meta *meta = &route->split->meta;
  const char *key = arena_printf(call_arena(call), "TrafficSplit/%s/%s/%u", meta->ns, meta->name, route->port);
  json_t *body = json_pack("{s:{s:[o], s:o}}", "spec", "parentRefs", parent_json(route), "rules", rules);
  if (!key) {
    json_decref(body);
    call_out_of_memory(call);
    return NULL;
  }
  return kube_object(call,
                     &(struct kube_object){.wave = ROUTE_WAVE,
                                           .api_version = version,
                                           .kind = kind,
                                           .ns = meta->ns,
                                           .name = kube_name(call, meta->name, key),
                                           .sources = &meta,
                                           .source_count = 1,
                                           .ready_conditions = ready_conditions},
                     body);
}

struct native_object *http_route(struct call *call, const struct route *route) {
  return route_object(call, route, HTTP_VERSION, "HTTPRoute", rules_json(route));
}

/* A TCPRoute wants a backend: one of weight 0 gets nothing. */
struct native_object *tcp_route(struct call *call, const struct gateway_options *options, const struct route *route) {
  json_t *backends = route->backend_count ? backends_json(route)
                                          : json_pack("[o]", backend_json(route->split->service, route->port, 0));
  return route_object(call, route, options->tcp_version, "TCPRoute", json_pack("[{s:o}]", "backendRefs", backends));
}
