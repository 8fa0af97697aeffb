#include "plugins/istio/codes.h"
#include "plugins/istio/lifecycle.h"
#include "plugins/istio/options.h"

/* The control port stays outside of the mesh, as calls to it are not the workload's. The program waits for its proxy:
 * its first call would fail otherwise. */
static json_t *pod_overlay(const struct istio_options *options) {
  json_t *port = json_sprintf("%u", options->control_port);
  return json_pack("{s:{s:{s:o, s:s}}}", "metadata", "annotations", "traffic.sidecar.istio.io/excludeInboundPorts",
                   port, "proxy.istio.io/config", "{\"holdApplicationUntilProxyStarts\":true}");
}

int istio_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  const struct istio_options options = istio_options(call);
  if (request->lab != LAB_KUBERNETES)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB, "Istio's workloads are pods: use a lab on Kubernetes");
  if (*options.revision)
    enrollment_namespace_label(enrollment, "istio.io/rev", options.revision);
  else
    enrollment_namespace_label(enrollment, "istio-injection", "enabled");
  json_t *overlay = pod_overlay(&options);
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_pod_overlay(enrollment, overlay);
  return TRAMMEL_OK;
}
