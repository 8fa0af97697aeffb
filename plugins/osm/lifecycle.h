/* What the adapter asks of the mesh, and how workloads join it. */
#ifndef TRAMMEL_PLUGINS_OSM_LIFECYCLE_H
#define TRAMMEL_PLUGINS_OSM_LIFECYCLE_H

#include "sdk/adapter/adapter.h"

#define KUBERNETES_ENDPOINT "kubernetes"
#define DEPLOYMENTS_PATH "/apis/apps/v1/namespaces/"

/* OSM is there when its controller's deployment is, and ready when controller, injector and bootstrap have ready pods.
 * Its version is the tag of the controller's image. */
int osm_detect(struct call *call, struct detection *ret_detection);

/* What the sidecars have counted, out of Prometheus. */
int osm_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics);

int osm_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment);

#endif
