#include "plugins/consul/port.h"

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

bool ports_of(const struct directory *directory, const struct account *account, uint16_t only,
              struct account_ports *ret_ports) {
  const struct kube_account *known = kube_account_find(&directory->accounts, account->ns, account->name);
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

struct written {
  const uint16_t *ports;
  size_t count;
};

static bool contains(const struct written *written, uint16_t port) {
  return written->count && bsearch(&port, written->ports, written->count, sizeof port, by_value);
}

/* Whether `port` of a workload is meant. */
static bool is_meant(const struct selection *selections, size_t count, const struct written *written, uint16_t port) {
  bool number_of_service = false;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < selections[i].service->port_count; j++) {
      const struct inventory_port *p = &selections[i].service->ports[j];
      uint16_t target = p->target_port ? p->target_port : p->port;
      if (p->protocol == PORT_UDP)
        continue;
      if (target == port && contains(written, p->port))
        return true;
      number_of_service |= p->port == port;
    }
  return !number_of_service && contains(written, port);
}

enum port_reach ports_reach(const struct directory *directory, const struct account *account, uint16_t only,
                            const uint16_t *written, size_t count) {
  const struct kube_account *known = kube_account_find(&directory->accounts, account->ns, account->name);
  const struct written ports = {written, count};
  size_t all = 0, meant = 0;
  for (size_t i = 0; known && i < known->workload_count; i++) {
    const struct inventory_workload *workload = known->workloads[i];
    size_t selection_count;
    const struct selection *selections = directory_selections(directory, workload, &selection_count);
    for (size_t j = 0; j < workload->port_count; j++) {
      if (!counts(&workload->ports[j], only))
        continue;
      all++;
      meant += is_meant(selections, selection_count, &ports, workload->ports[j].port);
    }
  }
  if (all == 0)
    return REACH_UNKNOWN;
  return meant == all ? REACH_ALL : meant == 0 ? REACH_NONE : REACH_SOME;
}
