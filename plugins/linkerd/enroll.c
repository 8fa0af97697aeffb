#include "plugins/linkerd/codes.h"
#include "plugins/linkerd/lifecycle.h"
#include "plugins/linkerd/options.h"

#define INJECT "linkerd.io/inject"

/* The control port of a lab's workload stays outside of the mesh, as calls to it are not the workload's. */
static json_t *lab_overlay(const struct linkerd_options *options) {
  return json_pack("{s:{s:{s:o}}}", "metadata", "annotations", "config.linkerd.io/skip-inbound-ports",
                   json_sprintf("%u", options->control_port));
}

/* Injects a pod whose namespace does not ask for it. */
static json_t *workload_overlay(void) {
  return json_pack("{s:{s:{s:s}}}", "metadata", "annotations", INJECT, "enabled");
}

int linkerd_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  const struct linkerd_options options = linkerd_options(call);
  if (request->lab != LAB_KUBERNETES)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB, "Linkerd's workloads are pods: use a lab on Kubernetes");
  enrollment_for(enrollment, request->scope);
  enrollment_sidecar(enrollment, "linkerd-proxy");
  if (request->scope != ENROLL_WORKLOAD)
    enrollment_namespace_annotation(enrollment, INJECT, "enabled");
  if (request->scope == ENROLL_NAMESPACE)
    return TRAMMEL_OK;
  json_t *overlay = request->scope == ENROLL_LAB ? lab_overlay(&options) : workload_overlay();
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_pod_overlay(enrollment, overlay);
  return TRAMMEL_OK;
}
