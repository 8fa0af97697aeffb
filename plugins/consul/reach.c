#include "plugins/consul/reach.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b) {
  return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Whether it is one of TCP, and the one that is asked for. */
static bool counts(const struct inventory_port *port, uint16_t only) {
  return port->protocol != PORT_UDP && (only == 0 || port->port == only);
}

static size_t distinct(uint16_t *ports, size_t count) {
  size_t kept = 0;
  if (count)
    qsort(ports, count, sizeof *ports, by_value);
  for (size_t i = 0; i < count; i++)
    if (i == 0 || ports[i] != ports[kept - 1])
      ports[kept++] = ports[i];
  return kept;
}

bool ports_of(const struct directory *directory, const struct kube_identity *account, uint16_t only,
              struct account_ports *ret_ports) {
  const struct kube_account *known = kube_account_find(&directory->kube.accounts, account->ns, account->name);
  size_t count = 0;
  for (size_t i = 0; known && i < known->workload_count; i++)
    count += known->workloads[i]->port_count;
  uint16_t *ports = arena_array(call_arena(directory->call), count, sizeof *ports);
  *ret_ports = (struct account_ports){.ports = ports};
  if (!ports) {
    call_out_of_memory(directory->call);
    return false;
  }
  count = 0;
  for (size_t i = 0; known && i < known->workload_count; i++)
    for (size_t j = 0; j < known->workloads[i]->port_count; j++) {
      const struct inventory_port *port = &known->workloads[i]->ports[j];
      if (!counts(port, only))
        continue;
      ports[count++] = port->port;
      ret_ports->http |= port->protocol == PORT_HTTP;
    }
  ret_ports->count = distinct(ports, count);
  return true;
}

static bool contains(const struct kube_ports *ports, uint16_t port) {
  return ports->count && bsearch(&port, ports->items, ports->count, sizeof port, by_value);
}

enum port_reach ports_reach(const struct directory *directory, const struct kube_identity *account, uint16_t only,
                            const uint16_t *written, size_t count) {
  const struct kube_account *known = kube_account_find(&directory->kube.accounts, account->ns, account->name);
  size_t all = 0, meant = 0;
  for (size_t i = 0; known && i < known->workload_count; i++) {
    /* Each by itself: what is meant at one and not at another is some of the account. */
    const struct kube_account alone = {
        .ns = known->ns, .name = known->name, .workloads = &known->workloads[i], .workload_count = 1};
    struct kube_ports open;
    if (!kube_ports_resolve(&directory->kube, &alone, written, count, PORT_TCP, &open))
      return REACH_UNKNOWN;
    for (size_t j = 0; j < known->workloads[i]->port_count; j++) {
      const struct inventory_port *port = &known->workloads[i]->ports[j];
      if (!counts(port, only))
        continue;
      all++;
      meant += contains(&open, port->port);
    }
  }
  if (all == 0)
    return REACH_UNKNOWN;
  return meant == all ? REACH_ALL : meant == 0 ? REACH_NONE : REACH_SOME;
}
