#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/linkerd/evaluator.h"

static void add(struct shares *shares, const char *service, uint16_t port, uint64_t weight) {
  if (weight == 0)
    return;
  assert_true(shares->count < SHARES_MAX);
  shares->items[shares->count++] = (struct share){service, port, weight, ORACLE_NONE};
  shares->sum += weight;
}

/* A share of what is not there, or has not that port, is answered with errors. */
static void add_service(const struct linkerd_mesh *mesh, const char *ns, const char *name, json_int_t port,
                        uint64_t weight, struct shares *shares) {
  for (size_t i = 0; i < mesh->world->inventory.service_count; i++) {
    const struct inventory_service *service = &mesh->world->inventory.services[i];
    if (strcmp(service->ns, ns) != 0 || strcmp(service->name, name) != 0)
      continue;
    for (size_t j = 0; j < service->port_count; j++)
      if (service->ports[j].port == port && service->ports[j].protocol != PORT_UDP) {
        add(shares, service->name, service->ports[j].target_port, weight);
        return;
      }
  }
  add(shares, "", 0, weight);
}

/* ---- ServiceProfiles */

/* As linkerd2's toDstOverride has it: thousandths, times ten, in 32 bits. */
static uint32_t decimillis(const json_t *weight) {
  char *end;
  assert_true(json_is_string(weight));
  unsigned long long value = strtoull(json_string_value(weight), &end, 10);
  assert_true(strcmp(end, "") == 0 || strcmp(end, "m") == 0);
  if (!*end)
    value *= 1000;
  return (uint32_t)(value * 10);
}

/* False: no profile has overrides for the Service. */
static bool profile_shares(const struct linkerd_mesh *mesh, const struct outbound_request *request,
                           struct shares *shares) {
  char name[512], authority[512];
  const json_t *object, *item;
  size_t i, j;
  (void)snprintf(name, sizeof name, "%s.%s.svc.cluster.local", request->service->name, request->service->ns);
  json_array_foreach(mesh->objects, i, object) {
    if (!is_object(object, "linkerd.io", "ServiceProfile", request->service->ns) ||
        strcmp(text_of(json_object_get(object, "metadata"), "name"), name) != 0)
      continue;
    json_array_foreach(json_object_get(json_object_get(object, "spec"), "dstOverrides"), j, item) {
      (void)snprintf(authority, sizeof authority, "%s", text_of(item, "authority"));
      char *dot = strchr(authority, '.');
      assert_non_null(dot);
      *dot = '\0';
      add_service(mesh, request->service->ns, authority, request->port->port,
                  decimillis(json_object_get(item, "weight")), shares);
    }
    return shares->count > 0; /* with none above 0, the root */
  }
  return false;
}

/* ---- HTTPRoutes */

static bool is_route_for(const json_t *object, const struct outbound_request *request) {
  const json_t *parent = json_array_get(json_object_get(json_object_get(object, "spec"), "parentRefs"), 0);
  if (!is_object(object, "policy.linkerd.io", "HTTPRoute", request->service->ns) &&
      !is_object(object, "gateway.networking.k8s.io", "HTTPRoute", request->service->ns))
    return false;
  return strcmp(text_of(parent, "group"), "core") == 0 && strcmp(text_of(parent, "kind"), "Service") == 0 &&
         strcmp(text_of(parent, "name"), request->service->name) == 0 &&
         json_integer_value(json_object_get(parent, "port")) == request->port->port;
}

static void rule_shares(const struct linkerd_mesh *mesh, const json_t *rule, const struct outbound_request *request,
                        struct shares *shares) {
  const json_t *refs = json_object_get(rule, "backendRefs"), *ref;
  size_t i;
  assert_in_range(json_array_size(refs), 1, 16);
  json_array_foreach(refs, i, ref) {
    const json_int_t weight = json_integer_value(json_object_get(ref, "weight"));
    assert_in_range(weight, 0, 1000000);
    assert_string_equal(text_of(ref, "kind"), "Service");
    add_service(mesh, request->service->ns, text_of(ref, "name"), json_integer_value(json_object_get(ref, "port")),
                (uint64_t)weight, shares);
  }
  if (shares->count == 0)
    add(shares, "", 0, 1);
}

static bool route_shares(const struct linkerd_mesh *mesh, const struct outbound_request *request,
                         struct shares *shares) {
  const json_t *object, *route = NULL;
  size_t i;
  struct rank rank;
  json_array_foreach(mesh->objects, i, object) {
    if (!is_route_for(object, request))
      continue;
    if (route)
      fail_msg("two HTTPRoutes for one port of a Service");
    route = object;
  }
  if (!route)
    return false;
  const int rule = linkerd_best_rule(route, &request->http, &rank);
  if (rule < 0)
    add(shares, "", 0, 1);
  else
    rule_shares(mesh, json_array_get(json_object_get(json_object_get(route, "spec"), "rules"), (size_t)rule), request,
                shares);
  return true;
}

void linkerd_shares(const struct linkerd_mesh *mesh, const struct outbound_request *request,
                    struct shares *ret_shares) {
  *ret_shares = (struct shares){0};
  if (request->port->protocol != PORT_UDP && profile_shares(mesh, request, ret_shares))
    return;
  if (request->port->protocol == PORT_HTTP && route_shares(mesh, request, ret_shares))
    return;
  add(ret_shares, request->service->name, request->port->target_port, 1);
}
