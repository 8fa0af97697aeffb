#include "sdk/kube/directory.h"

#include <stdlib.h>

/* Workloads are items of one array, and so are Services: their addresses order them as the inventory does. */
static int compare_places(const void *a, const void *b) {
  return (const char *)a < (const char *)b ? -1 : (const char *)a > (const char *)b;
}

static int by_workload(const void *a, const void *b) {
  const struct kube_service_of *x = a, *y = b;
  int order = compare_places(x->workload, y->workload);
  return order != 0 ? order : compare_places(x->service, y->service);
}

static bool find_services(struct kube_directory *directory) {
  const struct inventory *inventory = &directory->request->inventory;
  size_t most = 0, count = 0;
  for (size_t i = 0; i < inventory->service_count; i++)
    most += inventory->services[i].workload_count;
  struct kube_service_of *found = arena_array(call_arena(directory->call), most, sizeof *found);
  if (!found)
    return false;
  for (size_t i = 0; i < inventory->service_count; i++) {
    const struct inventory_service *service = &inventory->services[i];
    for (size_t j = 0; j < service->workload_count; j++) {
      const struct inventory_workload *workload = inventory_workload(inventory, service->ns, service->workloads[j]);
      if (workload)
        found[count++] = (struct kube_service_of){workload, service};
    }
  }
  qsort(found, count, sizeof *found, by_workload);
  directory->services = found;
  directory->service_count = count;
  return true;
}

bool kube_directory_init(struct call *call, const struct translate_request *request,
                         struct kube_directory *ret_directory) {
  struct kube_directory directory = {.call = call, .request = request};
  if (!kube_accounts_init(call, &request->inventory, &directory.accounts))
    return false;
  if (smi_index_set(&directory.resources, call_arena(call), &request->smi) < 0 || !find_services(&directory)) {
    call_out_of_memory(call);
    return false;
  }
  *ret_directory = directory;
  return true;
}

const struct smi_http_route_group *kube_route_group(const struct kube_directory *directory, const char *ns,
                                                    const char *name) {
  return (const void *)smi_index_get(&directory->resources, SMI_HTTP_ROUTE_GROUP, ns, name);
}

const struct smi_port_route *kube_port_route(const struct kube_directory *directory, enum smi_kind kind, const char *ns,
                                             const char *name) {
  return (const void *)smi_index_get(&directory->resources, kind, ns, name);
}

const struct smi_identity_binding *kube_binding(const struct kube_directory *directory, const char *ns,
                                                const char *name) {
  return (const void *)smi_index_get(&directory->resources, SMI_IDENTITY_BINDING, ns, name);
}

const struct kube_service_of *kube_services_of(const struct kube_directory *directory,
                                               const struct inventory_workload *workload, size_t *ret_count) {
  size_t low = 0, high = directory->service_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare_places(directory->services[middle].workload, workload) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  size_t end = low;
  while (end < directory->service_count && directory->services[end].workload == workload)
    end++;
  *ret_count = end - low;
  return directory->services + low;
}
