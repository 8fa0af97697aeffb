#include "plugins/istio/codes.h"
#include "plugins/istio/lifecycle.h"
#include "plugins/istio/options.h"

/* The control port of a lab's workload stays outside of the mesh, as calls to it are not the workload's. The program
 * waits for its proxy: its first call would fail otherwise. */
static json_t *lab_overlay(const struct istio_options *options) {
  return json_pack("{s:{s:{s:o, s:s}}}", "metadata", "annotations", "traffic.sidecar.istio.io/excludeInboundPorts",
                   json_sprintf("%u", options->control_port), "proxy.istio.io/config",
                   "{\"holdApplicationUntilProxyStarts\":true}");
}

/* Injects a pod whose namespace does not ask for it. */
static json_t *workload_overlay(const struct istio_options *options) {
  if (*options->revision)
    return json_pack("{s:{s:{s:s}}}", "metadata", "labels", "istio.io/rev", options->revision);
  return json_pack("{s:{s:{s:s}}}", "metadata", "labels", "sidecar.istio.io/inject", "true");
}

static void join_namespace(const struct istio_options *options, struct enrollment *enrollment) {
  if (*options->revision)
    enrollment_namespace_label(enrollment, "istio.io/rev", options->revision);
  else
    enrollment_namespace_label(enrollment, "istio-injection", "enabled");
}

int istio_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  const struct istio_options options = istio_options(call);
  if (request->lab != LAB_KUBERNETES)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB, "Istio's workloads are pods: use a lab on Kubernetes");
  enrollment_for(enrollment, request->scope);
  enrollment_sidecar(enrollment, "istio-proxy");
  if (request->scope != ENROLL_WORKLOAD)
    join_namespace(&options, enrollment);
  if (request->scope == ENROLL_NAMESPACE)
    return TRAMMEL_OK;
  json_t *overlay = request->scope == ENROLL_LAB ? lab_overlay(&options) : workload_overlay(&options);
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_pod_overlay(enrollment, overlay);
  return TRAMMEL_OK;
}
