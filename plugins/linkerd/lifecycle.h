/* Whether Linkerd is there, how workloads join it, and what its proxies count. */
#ifndef TRAMMEL_PLUGINS_LINKERD_LIFECYCLE_H
#define TRAMMEL_PLUGINS_LINKERD_LIFECYCLE_H

#include "sdk/adapter/adapter.h"

/* The Kubernetes API, and what is asked of it. */
#define KUBERNETES_ENDPOINT "kubernetes"
#define DEPLOYMENTS_PATH "/apis/apps/v1/namespaces/"
#define CONFIGURATION_PATH "/api/v1/namespaces/"

int linkerd_detect(struct call *call, struct detection *ret_detection);
int linkerd_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics);
int linkerd_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment);

#endif
