/* What Consul does with config entries and intentions, from its documentation ("Service intentions configuration
 * entry", "Intentions: precedence and match order", "Discovery chain"). It shares no code with the adapter. The data
 * plane is Envoy with ACLs on: a workload can only be registered as the service that its ServiceAccount is named after.
 */
#ifndef TRAMMEL_TESTS_UNIT_CONSUL_CONSUL_MESH_H
#define TRAMMEL_TESTS_UNIT_CONSUL_CONSUL_MESH_H

#include "tests/support/smi_property/property.h"

struct consul_mesh {
  const struct world *world;
  const struct translated *translated;
  bool namespaces;     /* Enterprise: services are told apart by namespace, too */
  bool each_port;      /* each port of a workload with several is registered as NAME-PORT */
  bool default_allow;  /* what no intention is for, and what no permission takes */
  bool http_by_others; /* somebody else has made services with a port of HTTP so */
};

bool consul_admits(const struct consul_mesh *mesh, const struct request *request);
void consul_shares(const struct consul_mesh *mesh, const struct outbound_request *request, struct shares *ret_shares);

#endif
