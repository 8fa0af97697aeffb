/* What an API server answers to a request that was sent as it is (kube_raw()), when that is no success. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_REFUSAL_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_REFUSAL_H

#include "host/transport/kube/failure.h"

/* 0 for a success; otherwise as kube_failure_read(), with verb, resource, namespace and name as method and path say
 * them ("/apis/apps/v1/namespaces/demo/deployments/web?x=y"). A path of something else is told as it is. */
int kube_refusal_read(const char *method, const char *path, const struct http_response *response, struct error **err);

#endif
