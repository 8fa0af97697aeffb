#include "plugins/osm/codes.h"
#include "plugins/osm/lifecycle.h"
#include "plugins/osm/options.h"

#define INJECTION "openservicemesh.io/sidecar-injection"

/* The control port of a lab's workload stays outside of the mesh, as calls to it are not the workload's. */
static json_t *lab_overlay(const struct osm_options *options) {
  return json_pack("{s:{s:{s:o}}}", "metadata", "annotations", "openservicemesh.io/inbound-port-exclusion-list",
                   json_sprintf("%u", options->control_port));
}

static json_t *workload_overlay(void) {
  return json_pack("{s:{s:{s:s}}}", "metadata", "annotations", INJECTION, "enabled");
}

/* A pod is injected only in a namespace that the mesh monitors, whoever asks for it. */
int osm_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  const struct osm_options options = osm_options(call);
  if (request->lab != LAB_KUBERNETES)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB, "OSM's workloads are pods: use a lab on Kubernetes");
  enrollment_for(enrollment, request->scope);
  enrollment_sidecar(enrollment, "envoy");
  enrollment_namespace_label(enrollment, "openservicemesh.io/monitored-by", options.mesh_name);
  if (request->scope != ENROLL_WORKLOAD)
    enrollment_namespace_annotation(enrollment, INJECTION, "enabled");
  if (request->scope == ENROLL_NAMESPACE)
    return TRAMMEL_OK;
  json_t *overlay = request->scope == ENROLL_LAB ? lab_overlay(&options) : workload_overlay();
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_pod_overlay(enrollment, overlay);
  return TRAMMEL_OK;
}
