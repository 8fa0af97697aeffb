/* Ports of TCPRoutes and UDPRoutes are ports of Services (docs/smi.md, Service port or target port); the mesh looks at
 * the port of the workload that is called. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_PORTS_H
#define TRAMMEL_PLUGINS_REFERENCE_PORTS_H

#include "plugins/reference/subject.h"

struct port_list {
  uint16_t *items;
  size_t count, capacity;
  bool udp; /* ports of UDP; else of TCP, which carries HTTP */
};

/* What the ports come to at the workloads of one ServiceAccount. */
struct port_resolution {
  struct port_list open; /* ports of workloads, sorted, each once */
  size_t resolved;       /* written ports that a Service has under another number */
  size_t own;            /* written ports that no Service of a workload has: taken as the workload's own */
  size_t left_out;       /* ports of workloads that cannot be opened for one without opening them for another */
};

/* Resolves `written` for the workloads that hold `account`, among ports of the same transport. A workload's port is
 * opened when a Service that selects the workload has a written port with this target port, or the written port is of
 * no Service that selects it. A permission is for an account and so for all of its workloads: a port that is meant at
 * one and is another thing at another is left out. False without memory. */
bool ports_resolve(struct arena *arena, const struct inventory *inventory, const struct account *account,
                   const struct port_list *written, struct port_resolution *ret_resolution);

bool ports_add(struct arena *arena, struct port_list *list, uint16_t port);
/* Sorted, each once. */
void ports_sort(struct port_list *list);

#endif
