/* How pods join on Kubernetes, where consul-k8s injects the sidecars and registers the services. */
#ifndef TRAMMEL_PLUGINS_CONSUL_INJECTION_H
#define TRAMMEL_PLUGINS_CONSUL_INJECTION_H

#include "plugins/consul/consul.h"

/* What the pods of the request's scope need; UNIMPLEMENTED for a namespace, which cannot ask for all of its pods;
 * FAILED_PRECONDITION with options that are for something else. */
int injection_enroll(struct call *call, const struct consul_config *config, const struct enroll_request *request,
                     struct enrollment *enrollment);

#endif
