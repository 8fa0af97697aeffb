#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/smi_property/oracle.h"
#include "tests/support/smi_property/oracle_http.h"

/* SPL-11, SPL-12. Connections of something else than HTTP match no route group. */
static bool is_split(const struct world *world, const struct smi_traffic_split *split,
                     const struct outbound_request *request) {
  if (split->match_count == 0)
    return true;
  for (size_t i = 0; request->port->protocol == PORT_HTTP && i < split->match_count; i++) {
    const struct smi_http_route_group *group = oracle_group(&world->set, split->meta.ns, split->matches[i]);
    for (size_t j = 0; group && j < group->match_count; j++)
      if (oracle_match(&group->matches[j], &request->http))
        return true;
  }
  return false;
}

static const struct smi_traffic_split *split_of(const struct world *world, const struct outbound_request *request) {
  for (size_t i = 0; i < world->set.split_count; i++) {
    const struct smi_traffic_split *split = &world->set.splits[i];
    if (strcmp(split->meta.ns, request->service->ns) == 0 && strcmp(split->service, request->service->name) == 0)
      return is_split(world, split, request) ? split : NULL;
  }
  return NULL;
}

/* SPL-06: the port of the same number and transport. NULL: the backend is left out. */
static const struct inventory_port *backend_port(const struct world *world, const char *ns, const char *name,
                                                 const struct inventory_port *asked) {
  for (size_t i = 0; i < world->inventory.service_count; i++) {
    const struct inventory_service *service = &world->inventory.services[i];
    if (strcmp(service->ns, ns) != 0 || strcmp(service->name, name) != 0)
      continue;
    for (size_t j = 0; j < service->port_count; j++)
      if (service->ports[j].port == asked->port &&
          (service->ports[j].protocol == PORT_UDP) == (asked->protocol == PORT_UDP))
        return &service->ports[j];
  }
  return NULL;
}

static void add(struct shares *shares, const struct share *share) {
  assert_true(shares->count < SHARES_MAX);
  shares->items[shares->count++] = *share;
  shares->sum += share->weight;
}

void smi_shares(const struct world *world, const struct outbound_request *request, struct shares *ret_shares) {
  *ret_shares = (struct shares){.split = split_of(world, request)};
  const struct smi_traffic_split *split = ret_shares->split;
  if (!split)
    add(ret_shares, &(struct share){request->service->name, request->port->target_port, 1, ORACLE_NONE});
  for (size_t i = 0; split && i < split->backend_count; i++) {
    const struct smi_backend *backend = &split->backends[i];
    const struct inventory_port *port = backend_port(world, split->meta.ns, backend->service, request->port);
    if (port && backend->weight)
      add(ret_shares, &(struct share){backend->service, port->target_port, backend->weight, i});
  }
}
