#include "plugins/linkerd/codes.h"
#include "plugins/linkerd/lifecycle.h"
#include "plugins/linkerd/options.h"

/* The control port stays outside of the mesh, as calls to it are not the workload's. */
static json_t *pod_overlay(const struct linkerd_options *options) {
  return json_pack("{s:{s:{s:o}}}", "metadata", "annotations", "config.linkerd.io/skip-inbound-ports",
                   json_sprintf("%u", options->control_port));
}

int linkerd_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  const struct linkerd_options options = linkerd_options(call);
  if (request->lab != LAB_KUBERNETES)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB, "Linkerd's workloads are pods: use a lab on Kubernetes");
  json_t *overlay = pod_overlay(&options);
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_namespace_annotation(enrollment, "linkerd.io/inject", "enabled");
  enrollment_pod_overlay(enrollment, overlay);
  return TRAMMEL_OK;
}
