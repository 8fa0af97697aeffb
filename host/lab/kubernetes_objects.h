/* The objects of a topology on Kubernetes. Private to the Kubernetes lab. */
#ifndef TRAMMEL_HOST_LAB_KUBERNETES_OBJECTS_H
#define TRAMMEL_HOST_LAB_KUBERNETES_OBJECTS_H

#include <jansson.h>

#include "host/lab/topology.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* The name of the container with the workload's program, and its control port. */
#define WORKLOAD_CONTAINER "workload"
#define WORKLOAD_CONTROL_PORT 9901

/* New references, NULL without memory. `ns` is the real namespace. */
json_t *kubernetes_namespace(const char *name, const Trammel__Adapter__V1__EnrollResponse *enrollment);
json_t *kubernetes_service_account(const char *ns, const char *name);
json_t *kubernetes_service(const char *ns, const struct topology_service *service);

/* With the mesh's overlay (NULL: none) on its pod template, unless the workload is outside of the mesh. */
json_t *kubernetes_deployment(const char *ns, const struct topology *topology, const struct topology_workload *workload,
                              const char *image, const json_t *overlay);

/* Merges `patch` into `target` (RFC 7396), but for the lists of containers, initContainers and volumes, whose items are
 * told apart by name. -ENOMEM. */
int overlay_merge(json_t *target, const json_t *patch);

#endif
