/* VirtualServices, as a caller's sidecar takes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/istio/evaluator.h"

/* StringMatch: empty is presence, a regex matches the whole string. */
static bool string_match(const json_t *match, const char *text) {
  static const char *const members[] = {"exact", "prefix", "regex", NULL};
  only_members(match, members);
  assert_true(json_object_size(match) <= 1);
  const char *exact = json_string_value(json_object_get(match, "exact"));
  const char *prefix = json_string_value(json_object_get(match, "prefix"));
  const char *regex = json_string_value(json_object_get(match, "regex"));
  if (!text)
    return false;
  if (exact && *exact)
    return strcmp(exact, text) == 0;
  if (prefix && *prefix)
    return strncmp(prefix, text, strlen(prefix)) == 0;
  return !regex || !*regex || oracle_regex(regex, text, true);
}

static bool headers_match(json_t *headers, const struct request_http *http) {
  static const char *const ignored[] = {"uri", "scheme", "method", "authority"};
  for (void *at = json_object_iter(headers); at; at = json_object_iter_next(headers, at)) {
    const char *name = json_object_iter_key(at);
    bool passed_over = false;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
      passed_over |= strcasecmp(name, ignored[i]) == 0;
    if (!passed_over && !string_match(json_object_iter_value(at), request_header(http, name)))
      return false;
  }
  return true;
}

static bool part_matches(const json_t *match, const char *name, const char *text) {
  const json_t *part = json_object_get(match, name);
  return !part || string_match(part, text);
}

static bool http_matches(const json_t *match, const struct request_http *http) {
  static const char *const members[] = {"port", "uri", "method", "headers", "authority", NULL};
  only_members(match, members);
  return part_matches(match, "uri", http->path) && part_matches(match, "method", http->method) &&
         part_matches(match, "authority", request_header(http, "host")) &&
         headers_match(json_object_get(match, "headers"), http);
}

static bool is_for_port(const json_t *match, uint16_t port) {
  const json_t *wanted = json_object_get(match, "port");
  return !wanted || json_integer_value(wanted) == port;
}

/* Whether a route holds at all on a port, and whether for this request. */
static bool route_matches(const json_t *route, const struct outbound_request *request, bool *is_there) {
  const json_t *matches = json_object_get(route, "match"), *match;
  bool holds = false;
  size_t i;
  if (json_array_size(matches) == 0) {
    *is_there = true;
    return true;
  }
  json_array_foreach(matches, i, match) {
    if (!is_for_port(match, request->port->port))
      continue;
    *is_there = true;
    holds |= request->port->protocol != PORT_HTTP || http_matches(match, &request->http);
  }
  return holds;
}

static void add_share(struct shares *shares, const char *service, uint16_t port, uint64_t weight) {
  assert_true(shares->count < SHARES_MAX);
  shares->items[shares->count++] =
      (struct share){.service = service, .port = port, .weight = weight, .backend = ORACLE_NONE};
  shares->sum += weight;
}

/* "name.ns.svc.domain" in the root's namespace; NULL: no such Service. */
static const struct inventory_service *service_of(const struct istio *istio, const char *host, const char *ns) {
  for (size_t i = 0; i < istio->world->inventory.service_count; i++) {
    const struct inventory_service *service = &istio->world->inventory.services[i];
    char name[512];
    (void)snprintf(name, sizeof name, "%s.%s.svc.%s", service->name, service->ns, istio->cluster_domain);
    if (strcmp(service->ns, ns) == 0 && strcmp(name, host) == 0)
      return service;
  }
  return NULL;
}

static void send_to(const struct istio *istio, const json_t *destination, const struct outbound_request *request,
                    uint64_t weight, struct shares *shares) {
  static const char *const members[] = {"host", "port", NULL};
  only_members(destination, members);
  const struct inventory_service *service = service_of(istio, text_member(destination, "host"), request->service->ns);
  const json_t *number = json_object_get(json_object_get(destination, "port"), "number");
  const struct inventory_port *port = NULL;
  if (service && number)
    port = inventory_service_port(service, (uint16_t)json_integer_value(number), request->port->protocol);
  else if (service && service->port_count == 1)
    port = &service->ports[0];
  if (port)
    add_share(shares, service->name, port->target_port, weight);
  else
    add_share(shares, "", 0, weight); /* no such cluster: 503 */
}

/* Entries of weight 0 are dropped; one that is alone gets everything. */
static void distribute(const struct istio *istio, const json_t *route, const struct outbound_request *request,
                       struct shares *shares) {
  const json_t *destinations = json_object_get(route, "route"), *item;
  const size_t count = json_array_size(destinations);
  size_t i;
  assert_true(count > 0);
  json_array_foreach(destinations, i, item) {
    const json_t *weight = json_object_get(item, "weight");
    const json_int_t value = count == 1 ? 1 : json_integer_value(weight);
    assert_true(value >= 0 && value <= INT32_MAX);
    if (value > 0)
      send_to(istio, json_object_get(item, "destination"), request, (uint64_t)value, shares);
  }
  assert_true(shares->sum > 0 && shares->sum <= UINT32_MAX);
}

/* The VirtualService of a host. What two of them would do is not defined. */
static const json_t *virtual_service(const struct istio *istio, const struct inventory_service *service) {
  const json_t *found = NULL, *object;
  char host[512];
  size_t i;
  (void)snprintf(host, sizeof host, "%s.%s.svc.%s", service->name, service->ns, istio->cluster_domain);
  json_array_foreach(istio->objects, i, object) {
    static const char *const members[] = {"hosts", "http", "tcp", NULL};
    const json_t *spec = json_object_get(object, "spec");
    if (strcmp(text_member(object, "kind"), "VirtualService") != 0)
      continue;
    only_members(spec, members);
    assert_int_equal(json_array_size(json_object_get(spec, "hosts")), 1);
    if (strcmp(json_string_value(json_array_get(json_object_get(spec, "hosts"), 0)), host) != 0)
      continue;
    assert_null(found);
    found = spec;
  }
  return found;
}

/* The first route that matches is taken. A port that no route is for stays the Service's; on one that has routes of
 * which none matches, there is no answer. */
void istio_shares(const struct istio *istio, const struct outbound_request *request, struct shares *ret_shares) {
  const json_t *spec = virtual_service(istio, request->service);
  const json_t *routes = json_object_get(spec, request->port->protocol == PORT_HTTP ? "http" : "tcp"), *route;
  bool is_there = false;
  size_t i;
  *ret_shares = (struct shares){0};
  if (request->port->protocol == PORT_UDP)
    routes = NULL;
  json_array_foreach(routes, i, route) {
    if (!route_matches(route, request, &is_there))
      continue;
    distribute(istio, route, request, ret_shares);
    return;
  }
  if (is_there)
    add_share(ret_shares, "", 0, 1);
  else
    add_share(ret_shares, request->service->name, request->port->target_port, 1);
}
