/* All that translating one resource looks up, for translating many: ServiceAccounts, resources of SMI and Services by
 * what they are found by. In the call's memory; borrows the request. */
#ifndef TRAMMEL_SDK_KUBE_DIRECTORY_H
#define TRAMMEL_SDK_KUBE_DIRECTORY_H

#include "sdk/adapter/translation.h"
#include "sdk/kube/account.h"
#include "sdk/smi/index.h"

/* A Service that selects a workload. */
struct kube_service_of {
  const struct inventory_workload *workload;
  const struct inventory_service *service;
};

struct kube_directory {
  struct call *call;
  const struct translate_request *request;
  struct kube_accounts accounts;
  struct smi_index resources;
  const struct kube_service_of *services; /* by workload, then by the inventory's order */
  size_t service_count;
};

/* False, and the call marked, without memory. */
bool kube_directory_init(struct call *call, const struct translate_request *request,
                         struct kube_directory *ret_directory);

/* NULL when absent. `kind` is SMI_TCP_ROUTE or SMI_UDP_ROUTE of a port route. */
const struct smi_http_route_group *kube_route_group(const struct kube_directory *directory, const char *ns,
                                                    const char *name);
const struct smi_port_route *kube_port_route(const struct kube_directory *directory, enum smi_kind kind, const char *ns,
                                             const char *name);
const struct smi_identity_binding *kube_binding(const struct kube_directory *directory, const char *ns,
                                                const char *name);

/* The Services that select the workload. */
const struct kube_service_of *kube_services_of(const struct kube_directory *directory,
                                               const struct inventory_workload *workload, size_t *ret_count);

#endif
