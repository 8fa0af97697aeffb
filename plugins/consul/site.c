#include "plugins/consul/site.h"

#include <string.h>

#include "plugins/consul/reach.h"

bool site_init(struct site *site, struct call *call, const struct consul_config *config,
               const struct inventory *inventory, struct translate_request *request) {
  *request = (struct translate_request){.inventory = *inventory};
  *site = (struct site){.call = call, .config = config, .inventory = inventory};
  return directory_init(&site->directory, call, config, request);
}

/* Which makes each of them a service, where the options say so. */
static bool has_several_ports(const struct site *site, const struct inventory_workload *workload) {
  const struct kube_identity account = {workload->ns, workload->service_account};
  struct account_ports ports;
  return site->config->each_port && ports_of(&site->directory, &account, 0, &ports) && ports.count > 1;
}

const char *site_identity(const struct site *site, const struct inventory_workload *workload) {
  (void)site;
  return workload->service_account;
}

const char *site_port(const struct site *site, const struct inventory_workload *workload, uint16_t port) {
  return has_several_ports(site, workload) ? directory_port_name(&site->directory, workload->service_account, port)
                                           : workload->service_account;
}

static bool listens_on(const struct inventory_workload *workload, uint16_t port) {
  for (size_t i = 0; i < workload->port_count; i++)
    if (workload->ports[i].protocol != PORT_UDP && workload->ports[i].port == port)
      return true;
  return false;
}

/* How many workloads of an account are behind its port. */
static size_t instances(const struct site *site, const struct inventory_workload *like, uint16_t port) {
  const struct kube_account *account =
      kube_account_find(&site->directory.kube.accounts, like->ns, like->service_account);
  size_t count = 0;
  for (size_t i = 0; account && i < account->workload_count; i++)
    count += listens_on(account->workloads[i], port);
  return count;
}

const char *site_target(const struct site *site, const struct inventory_service *service,
                        const struct inventory_port *port, const char **ret_reason) {
  struct arena *arena = call_arena(site->call);
  const struct inventory_workload *first = NULL;
  size_t selected = 0;
  const char *reason = NULL;
  for (size_t i = 0; !reason && i < service->workload_count; i++) {
    const struct inventory_workload *w = inventory_workload(site->inventory, service->ns, service->workloads[i]);
    if (!w || !listens_on(w, port->target_port))
      continue;
    selected++;
    if (!first)
      first = w;
    else if (strcmp(first->service_account, w->service_account) != 0)
      reason = arena_printf(
          arena, "Service %s has workloads of several ServiceAccounts, and a service of Consul is one", service->name);
  }
  if (port->protocol == PORT_UDP)
    reason = arena_printf(arena, "Consul does not carry UDP, as port %u of Service %s is", port->port, service->name);
  else if (!first)
    reason = arena_printf(arena, "nothing is behind port %u of Service %s", port->port, service->name);
  else if (!reason && selected != instances(site, first, port->target_port))
    reason = arena_printf(arena,
                          "Service %s has some of the workloads of ServiceAccount %s, which are one service of Consul",
                          service->name, first->service_account);
  *ret_reason = reason;
  return reason || !first ? NULL : site_port(site, first, port->target_port);
}
