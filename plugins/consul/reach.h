/* A service of Consul has one port, and SMI's TCPRoutes list ports: whether these mean that port. Other meshes take the
 * ports themselves (sdk/kube/port.h). */
#ifndef TRAMMEL_PLUGINS_CONSUL_REACH_H
#define TRAMMEL_PLUGINS_CONSUL_REACH_H

#include "plugins/consul/directory.h"
#include "sdk/kube/port.h"

/* What the inventory knows of an account's ports of TCP, which carries HTTP. */
struct account_ports {
  const uint16_t *ports; /* of all its workloads, sorted, each once */
  size_t count;          /* 0: not known */
  bool http;             /* one of them is of HTTP */
};

/* `only` 0: all ports; else this one alone. False, and the call marked, without memory. */
bool ports_of(const struct directory *directory, const struct kube_identity *account, uint16_t only,
              struct account_ports *ret_ports);

enum port_reach {
  REACH_ALL = 1, /* every port of its workloads is meant */
  REACH_SOME,
  REACH_NONE,
  REACH_UNKNOWN, /* the inventory has no port of it */
};

/* `only`: as above. `written`: ports of TCPRoutes, read as kube_ports_resolve does. Also REACH_UNKNOWN, with the call
 * marked, without memory. */
enum port_reach ports_reach(const struct directory *directory, const struct kube_identity *account, uint16_t only,
                            const uint16_t *written, size_t count);

#endif
