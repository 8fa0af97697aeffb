/* The adapter of Consul: SMI to config entries and intentions, as custom resources or through the HTTP API. */
#ifndef TRAMMEL_PLUGINS_CONSUL_CONSUL_H
#define TRAMMEL_PLUGINS_CONSUL_CONSUL_H

#include "sdk/adapter/adapter.h"

#define CONSUL_ENDPOINT "consul"
#define CONSUL_PROGRAM "consul"
#define CONSUL_API_VERSION "consul.hashicorp.com/v1alpha1"

/* Codes of diagnostics; never reused for something else. */
#define CODE_DANGLING "CONSUL-0001"     /* a route, match or binding that is not there */
#define CODE_IDENTITY "CONSUL-0002"     /* a subject that cannot be told by the name of a service */
#define CODE_SHARED_NAME "CONSUL-0003"  /* one name in two namespaces, without namespaces in Consul */
#define CODE_UNVERIFIED "CONSUL-0004"   /* without ACLs nothing verifies who has a name */
#define CODE_NOTHING_LEFT "CONSUL-0005" /* what it depends on was left out */
#define CODE_REGEX "CONSUL-0006"        /* a regular expression outside the dialect */
#define CODE_METHOD "CONSUL-0007"       /* a method that Consul refuses */
#define CODE_PORT "CONSUL-0008"         /* ports that are not the one port of a service */
#define CODE_UDP "CONSUL-0009"          /* UDPRoutes */
#define CODE_PROTOCOL "CONSUL-0010"     /* HTTP on a service that is not of HTTP */
#define CODE_GENERATION "CONSUL-0011"   /* what Consul 1.8 does not have */
#define CODE_DENY_REACH "CONSUL-0012"   /* the default deny reaches beyond the namespaces it was asked for */
#define CODE_ROOT_TAKEN "CONSUL-0013"   /* a second split for one service */
#define CODE_CHAIN "CONSUL-0014"        /* a backend that is split itself */
#define CODE_WEIGHT "CONSUL-0015"       /* weights that are no hundredths of a percent */
#define CODE_BACKEND "CONSUL-0016"      /* a backend that is not there, or not on the root's port */
#define CODE_PROXY "CONSUL-0017"        /* what the proxy that is built into Consul does not do */
#define CODE_LAB "CONSUL-0018"          /* a lab that it cannot be enrolled in, or not with these options */

/* The options (docs/meshes/consul.md). */
struct consul_config {
  bool crd;             /* transport: custom resources, else the HTTP API */
  bool old;             /* generation 1.8: intentions one by one, of layer 4 */
  bool acls;            /* names of services are verified */
  bool namespaces;      /* Consul has the namespaces of Kubernetes (Enterprise) */
  bool denies_already;  /* the mesh denies by default: no intention is needed for it */
  bool each_port;       /* every port of a workload with several is a service of its own, NAME-PORT */
  bool write_protocols; /* service-defaults are written where HTTP is needed */
  bool built_in;        /* the proxies are `consul connect proxy`, which carries connections and looks into none */
  bool qualified;       /* services are called PREFIX NAMESPACE _ NAME */
  const char *name_prefix;
  uint16_t control_port; /* of workloads of a lab on Kubernetes, which stays outside of the mesh */
};

void consul_config_read(const struct call *call, struct consul_config *ret_config);

/* Refuses what the schema cannot. */
int consul_configure(struct call *call);

int consul_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment);
int consul_detect(struct call *call, struct detection *ret_detection);
int consul_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics);
int consul_translate(struct call *call, const struct translate_request *request, struct translation *translation);

#endif
