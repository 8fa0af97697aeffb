#include "tests/support/smi_property/oracle.h"

#include <string.h>

#include "tests/support/smi_property/oracle_http.h"

/* The transports whose port numbers are apart. */
static bool is_udp(enum port_protocol protocol) {
  return protocol == PORT_UDP;
}

static bool selects(const struct inventory_service *service, const struct inventory_workload *workload) {
  if (strcmp(service->ns, workload->ns) != 0)
    return false;
  for (size_t i = 0; i < service->workload_count; i++)
    if (strcmp(service->workloads[i], workload->name) == 0)
      return true;
  return false;
}

/* Ports of routes are ports of Services (SPC-08; docs/smi.md, Service port or target port): `written` is this port of
 * the workload when a Service of it leads from the one to the other. What no Service of it has is the workload's own.
 */
static bool is_port(const struct world *world, const struct request *request, uint16_t written) {
  bool of_a_service = false;
  for (size_t i = 0; i < world->inventory.service_count; i++) {
    const struct inventory_service *service = &world->inventory.services[i];
    if (!selects(service, request->destination))
      continue;
    for (size_t j = 0; j < service->port_count; j++) {
      const struct inventory_port *port = &service->ports[j];
      if (port->port != written || is_udp(port->protocol) != is_udp(request->protocol))
        continue;
      of_a_service = true;
      if (port->target_port == request->port)
        return true;
    }
  }
  return !of_a_service && written == request->port;
}

/* ACC-08: none, or an empty list, is all. */
static bool port_route_allows(const struct world *world, const struct request *request,
                              const struct smi_port_route *route) {
  for (size_t i = 0; i < route->port_count; i++)
    if (is_port(world, request, route->ports[i]))
      return true;
  return route->port_count == 0;
}

static const struct smi_port_route *port_route(const struct world *world, const struct smi_traffic_target *target,
                                               const struct smi_rule *rule) {
  for (size_t i = 0; i < world->set.port_route_count; i++) {
    const struct smi_port_route *route = &world->set.port_routes[i];
    if (route->meta.kind == rule->kind && strcmp(route->meta.ns, target->meta.ns) == 0 &&
        strcmp(route->meta.name, rule->name) == 0)
      return route;
  }
  return NULL;
}

static void add(struct witnesses *witnesses, const struct witness *witness) {
  if (witnesses->count < WITNESSES_MAX)
    witnesses->items[witnesses->count++] = *witness;
}

static bool has_rule(const struct smi_traffic_target *target, enum smi_kind kind) {
  for (size_t i = 0; i < target->rule_count; i++)
    if (target->rules[i].kind == kind)
      return true;
  return false;
}

/* One witness for each match of the rule that the request matches. */
static void http_rule(const struct world *world, const struct request *request, struct witness *witness,
                      struct witnesses *witnesses) {
  const struct smi_rule *rule = &witness->target->rules[witness->rule];
  witness->group = oracle_group(&world->set, witness->target->meta.ns, rule->name);
  for (size_t i = 0; witness->group && i < witness->group->match_count; i++) {
    if (!oracle_match(&witness->group->matches[i], &request->http))
      continue;
    witness->match = i;
    witness->named = ORACLE_NONE;
    if (rule->match_count == 0)
      add(witnesses, witness);
    for (size_t j = 0; j < rule->match_count; j++)
      if (strcmp(rule->matches[j], witness->group->matches[i].name) == 0) {
        witness->named = j;
        add(witnesses, witness);
      }
  }
}

/* TCPRoutes beside HTTPRouteGroups limit these to their ports, and allow nothing of their own (docs/smi.md, TCPRoute
 * with HTTPRouteGroup in one target). */
static void http_rules(const struct world *world, const struct request *request, struct witness *witness,
                       struct witnesses *witnesses) {
  const struct smi_traffic_target *target = witness->target;
  for (witness->rule = 0; witness->rule < target->rule_count; witness->rule++) {
    if (target->rules[witness->rule].kind != SMI_HTTP_ROUTE_GROUP)
      continue;
    witness->port_rule = ORACLE_NONE;
    if (!has_rule(target, SMI_TCP_ROUTE))
      http_rule(world, request, witness, witnesses);
    for (size_t i = 0; i < target->rule_count; i++) {
      const struct smi_port_route *route =
          target->rules[i].kind == SMI_TCP_ROUTE ? port_route(world, target, &target->rules[i]) : NULL;
      witness->port_rule = i;
      if (route && port_route_allows(world, request, route))
        http_rule(world, request, witness, witnesses);
    }
  }
}

/* TCP carries HTTP as well. */
static void port_rules(const struct world *world, const struct request *request, enum smi_kind kind,
                       struct witness *witness, struct witnesses *witnesses) {
  const struct smi_traffic_target *target = witness->target;
  witness->group = NULL;
  witness->match = witness->named = witness->port_rule = ORACLE_NONE;
  for (witness->rule = 0; witness->rule < target->rule_count; witness->rule++) {
    const struct smi_rule *rule = &target->rules[witness->rule];
    const struct smi_port_route *route = rule->kind == kind ? port_route(world, target, rule) : NULL;
    if (route && port_route_allows(world, request, route))
      add(witnesses, witness);
  }
}

static bool is_account(const struct smi_subject *subject, const char *ns, const char *name) {
  return strcmp(subject->ns, ns) == 0 && strcmp(subject->name, name) == 0;
}

void oracle_witnesses(const struct world *world, const struct request *request, struct witnesses *ret_witnesses) {
  ret_witnesses->count = 0;
  for (size_t i = 0; i < world->set.target_count; i++) {
    const struct smi_traffic_target *target = &world->set.targets[i];
    if (!is_account(&target->destination, request->destination->ns, request->destination->service_account))
      continue;
    for (size_t j = 0; j < target->source_count; j++) {
      struct witness witness = {.target = target, .source = j};
      if (!is_account(&target->sources[j], request->source_ns, request->source_account))
        continue;
      if (request->protocol == PORT_HTTP)
        http_rules(world, request, &witness, ret_witnesses);
      if (is_udp(request->protocol))
        port_rules(world, request, SMI_UDP_ROUTE, &witness, ret_witnesses);
      else if (!has_rule(target, SMI_HTTP_ROUTE_GROUP))
        port_rules(world, request, SMI_TCP_ROUTE, &witness, ret_witnesses);
    }
  }
}

bool oracle_denies_by_default(const struct world *world, const struct request *request) {
  for (size_t i = 0; i < world->deny_count; i++)
    if (strcmp(world->deny_by_default[i], request->destination->ns) == 0)
      return true;
  return false;
}

bool smi_allows(const struct world *world, const struct request *request) {
  struct witnesses witnesses;
  oracle_witnesses(world, request, &witnesses);
  return witnesses.count > 0 || !oracle_denies_by_default(world, request);
}
