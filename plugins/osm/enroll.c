#include "plugins/osm/codes.h"
#include "plugins/osm/lifecycle.h"
#include "plugins/osm/options.h"

int osm_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment) {
  const struct osm_options options = osm_options(call);
  if (request->lab != LAB_KUBERNETES)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB, "OSM's workloads are pods: use a lab on Kubernetes");
  /* The control port stays outside of the mesh, as calls to it are not the workload's. */
  json_t *port = json_sprintf("%u", options.control_port);
  json_t *overlay =
      json_pack("{s:{s:{s:o}}}", "metadata", "annotations", "openservicemesh.io/inbound-port-exclusion-list", port);
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_namespace_label(enrollment, "openservicemesh.io/monitored-by", options.mesh_name);
  enrollment_namespace_annotation(enrollment, "openservicemesh.io/sidecar-injection", "enabled");
  enrollment_pod_overlay(enrollment, overlay);
  return TRAMMEL_OK;
}
