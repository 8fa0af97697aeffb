/* Whether Istio is there, how workloads join it, and what its proxies count. */
#ifndef TRAMMEL_PLUGINS_ISTIO_LIFECYCLE_H
#define TRAMMEL_PLUGINS_ISTIO_LIFECYCLE_H

#include "sdk/adapter/adapter.h"

/* The Kubernetes API, and what is asked of it. */
#define KUBERNETES_ENDPOINT "kubernetes"
#define DEPLOYMENTS_PATH "/apis/apps/v1/namespaces/"
#define SECURITY_PATH "/apis/security.istio.io"

int istio_detect(struct call *call, struct detection *ret_detection);
int istio_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics);
int istio_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment);

#endif
