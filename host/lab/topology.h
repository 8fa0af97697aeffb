/* A topology: which workloads, ServiceAccounts and Services a case needs. Names only; a lab gives them addresses. */
#ifndef TRAMMEL_HOST_LAB_TOPOLOGY_H
#define TRAMMEL_HOST_LAB_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include "host/lab/call.h"
#include "sdk/base/document.h"

/* Most workloads, and services, of one topology; most ports of one of them. */
#define TOPOLOGY_WORKLOADS_MAX 64
#define TOPOLOGY_PORTS_MAX 16

/* The namespace alias that is meant where none is given. */
#define TOPOLOGY_NAMESPACE_DEFAULT "main"

enum protocol {
  PROTOCOL_HTTP = 1,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
};

struct topology_port {
  const char *name; /* services only */
  uint16_t port;
  uint16_t target_port; /* services only */
  enum protocol protocol;
};

struct topology_workload {
  const char *name;
  const char *ns; /* an alias ("main", "other"); the lab makes a real namespace of it */
  const char *service_account;
  const char *deployment; /* that it is a pod of; NULL: one of its own name */
  const struct topology_port *ports;
  size_t port_count;
  bool outside; /* of the mesh: the adapter does not hear of it, and its calls reach services as without a mesh */
};

struct topology_service {
  const char *name;
  const char *ns;
  const struct topology_port *ports;
  size_t port_count;
  const char *const *workloads; /* in the same namespace */
  size_t workload_count;
};

struct topology {
  const char *name;
  const struct topology_workload *workloads;
  size_t workload_count;
  const struct topology_service *services;
  size_t service_count;
};

/* "http", "tcp", "udp". */
const char *protocol_name(enum protocol protocol);
/* How a workload speaks it. */
enum call_protocol protocol_call(enum protocol protocol);

/* Look-ups, NULL when absent. `ns` is an alias. */
const struct topology_workload *topology_workload_find(const struct topology *topology, const char *ns,
                                                       const char *name);
const struct topology_service *topology_service_find(const struct topology *topology, const char *ns, const char *name);
const struct topology_port *topology_port_find(const struct topology_port *ports, size_t count, uint16_t port,
                                               enum protocol protocol);
/* The service "alias/name", if it has this port; `*ret_port`. */
const struct topology_service *topology_service_at(const struct topology *topology, const char *service, uint16_t port,
                                                   enum protocol protocol, const struct topology_port **ret_port);
/* The port of a service, `*ret_service`, that leads to this port of the workload "alias/name" and to no other workload.
 * NULL when there is none. */
const struct topology_port *topology_port_to(const struct topology *topology, const char *workload, uint16_t port,
                                             enum protocol protocol, const struct topology_service **ret_service);

/* Reads a map {workloads: [...], services: [...]} into `arena`, checking it (known fields, unique names, references).
 * Diagnostics TOPO-0001… 0, -EINVAL or -ENOMEM. Format: docs/cases.md. */
int topology_read(struct arena *arena, const char *name, const struct node *node, struct diagnostics *diagnostics,
                  struct topology *ret_topology);

#endif
