#include "plugins/consul/injection.h"

#define INJECT "consul.hashicorp.com/connect-inject"
#define TRANSPARENT "consul.hashicorp.com/transparent-proxy"
#define EXCLUDED_PORTS "consul.hashicorp.com/transparent-proxy-exclude-inbound-ports"

/* Since consul-k8s 1.0. What it was called before, envoy-sidecar, came with a Consul that this is not for. */
#define SIDECAR "consul-dataplane"

static const char *obstacle(const struct consul_config *config, bool lab) {
  if (config->old)
    return "leave generation at \"1.9\": Consul 1.8 has no transparent proxy, which takes the traffic of pods";
  if (config->qualified)
    return "leave names at plain: consul-k8s names services itself";
  if (config->built_in)
    return "leave proxies at envoy: these are its sidecars";
  if (lab && !config->namespaces)
    return "set namespaces: true (Consul Enterprise): without them a lab's workloads would become instances of the "
           "mesh's own services of the same name, and what is allowed to them";
  return NULL;
}

/* The control port of a lab's workload stays outside of the mesh, as calls to it are not the workload's. Whatever the
 * mesh's default is, its programs know nothing of upstreams with ports of their own. */
static json_t *lab_overlay(const struct consul_config *config) {
  return json_pack("{s:{s:{s:s, s:s, s:o}}}", "metadata", "annotations", INJECT, "true", TRANSPARENT, "true",
                   EXCLUDED_PORTS, json_sprintf("%u", (unsigned)config->control_port));
}

static json_t *workload_overlay(void) {
  return json_pack("{s:{s:{s:s}}}", "metadata", "annotations", INJECT, "true");
}

int injection_enroll(struct call *call, const struct consul_config *config, const struct enroll_request *request,
                     struct enrollment *enrollment) {
  if (request->scope == ENROLL_NAMESPACE)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB,
                     "Consul takes pods by an annotation of their own, and not by their namespace's: name each "
                     "workload, as NAMESPACE/KIND/NAME");
  const char *reason = obstacle(config, request->scope == ENROLL_LAB);
  if (reason)
    return call_fail(call, TRAMMEL_FAILED_PRECONDITION, CODE_LAB, "for Kubernetes, %s", reason);
  json_t *overlay = request->scope == ENROLL_LAB ? lab_overlay(config) : workload_overlay();
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_for(enrollment, request->scope);
  enrollment_sidecar(enrollment, SIDECAR);
  enrollment_pod_overlay(enrollment, overlay);
  return TRAMMEL_OK;
}
