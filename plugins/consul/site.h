/* The workloads of a lab as services of Consul: who is which, and how one gets to another. */
#ifndef TRAMMEL_PLUGINS_CONSUL_SITE_H
#define TRAMMEL_PLUGINS_CONSUL_SITE_H

#include "plugins/consul/directory.h"

struct site {
  struct call *call;
  const struct consul_config *config;
  const struct inventory *inventory;
  struct directory directory;
};

/* Borrows all. False, and the call marked, without memory. */
bool site_init(struct site *site, struct call *call, const struct consul_config *config,
               const struct inventory *inventory, struct translate_request *request);

/* The service that a workload's own calls are made as, and which is its port when its ServiceAccount has one only.
 * Unqualified. */
const char *site_identity(const struct site *site, const struct inventory_workload *workload);

/* The service that a port of a workload is. Unqualified; NULL, and the call marked, without memory. */
const char *site_port(const struct site *site, const struct inventory_workload *workload, uint16_t port);

/* The service that a Service's port leads to, unqualified; else NULL, and `*ret_reason` why there is no way. */
const char *site_target(const struct site *site, const struct inventory_service *service,
                        const struct inventory_port *port, const char **ret_reason);

#endif
