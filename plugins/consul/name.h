/* What something of Kubernetes is called in Consul, as its HTTP API takes it. */
#ifndef TRAMMEL_PLUGINS_CONSUL_NAME_H
#define TRAMMEL_PLUGINS_CONSUL_NAME_H

#include "plugins/consul/consul.h"

/* The service of a ServiceAccount, a Service, or one port of them (directory_port_name). `name` "*" is every service.
 * In the call's memory; "" and the call marked, without. */
const char *service_name(struct call *call, const struct consul_config *config, const char *ns, const char *name);

#endif
