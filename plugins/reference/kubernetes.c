/* The reference mesh on Kubernetes: its control plane, and the sidecars of pods. */
#include <string.h>

#include "plugins/reference/reference.h"

#define READY_TIMEOUT_MS 120000
/* It has nothing to finish. */
#define GRACE_S 1

/* Adds "--fault", NAME for each configured fault. */
static int add_faults(const struct call *call, json_t *arguments) {
  const json_t *config = call_config(call);
  const char *one = json_string_value(json_object_get(config, "fault"));
  int failed = 0;
  size_t i;
  const json_t *fault;
  if (one && strcmp(one, "none") != 0) {
    failed |= json_array_append_new(arguments, json_string("--fault"));
    failed |= json_array_append_new(arguments, json_string(one));
  }
  json_array_foreach(json_object_get(config, "faults"), i, fault) {
    if (strcmp(json_string_value(fault), "none") == 0)
      continue;
    failed |= json_array_append_new(arguments, json_string("--fault"));
    failed |= json_array_append(arguments, (json_t *)(uintptr_t)fault);
  }
  return failed;
}

/* Takes `arguments`. It answers on `port`. NULL without memory. */
static json_t *container(const struct call *call, const char *name, int port, json_t *arguments) {
  if (arguments && add_faults(call, arguments) != 0) {
    json_decref(arguments);
    return NULL;
  }
  return json_pack("{s:s, s:s, s:o, s:{s:{s:s, s:i}, s:i, s:i}, s:{s:b, s:b, s:i, s:b}}", "name", name, "image",
                   reference_image(call), "args", arguments, "readinessProbe", "httpGet", "path", "/v1/ready", "port",
                   port, "periodSeconds", 1, "failureThreshold", 3, "securityContext", "allowPrivilegeEscalation", 0,
                   "runAsNonRoot", 1, "runAsUser", 65532, "readOnlyRootFilesystem", 1);
}

/* The pod's address is known to the sidecar only. */
int kubernetes_overlay(struct call *call, struct enrollment *enrollment) {
  json_t *sidecar = container(call, "trammel-refmesh", SIDECAR_PORT,
                              json_pack("[s, s, s, s, s, s]", "--control", "0.0.0.0:15001", "--sidecar", "$(POD_IP)",
                                        "--trust-domain", reference_trust_domain(call)));
  json_t *env =
      json_pack("[{s:s, s:{s:{s:s}}}]", "name", "POD_IP", "valueFrom", "fieldRef", "fieldPath", "status.podIP");
  json_t *overlay = NULL;
  if (sidecar && json_object_set(sidecar, "env", env) == 0)
    overlay = json_pack("{s:{s:[O]}}", "spec", "containers", sidecar);
  json_decref(env);
  json_decref(sidecar);
  if (!overlay)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  enrollment_pod_overlay(enrollment, overlay);
  enrollment_app_address(enrollment, APP_ADDRESS);
  return TRAMMEL_OK;
}

static json_t *deployment(const struct call *call) {
  json_t *control = container(call, "control", CONTROL_PORT,
                              json_pack("[s, s, s, s, s]", "--control", "0.0.0.0:15000", "--control-plane",
                                        "--trust-domain", reference_trust_domain(call)));
  return json_pack("{s:{s:i, s:{s:{s:s}}, s:{s:{s:{s:s}}, s:{s:[o], s:b, s:i}}}}", "spec", "replicas", 1, "selector",
                   "matchLabels", "app", "trammel-refmesh", "template", "metadata", "labels", "app", "trammel-refmesh",
                   "spec", "containers", control, "automountServiceAccountToken", 0, "terminationGracePeriodSeconds",
                   GRACE_S);
}

static json_t *service(void) {
  return json_pack("{s:{s:{s:s}, s:[{s:s, s:s, s:i, s:i}]}}", "spec", "selector", "app", "trammel-refmesh", "ports",
                   "name", "control", "protocol", "TCP", "port", CONTROL_PORT, "targetPort", CONTROL_PORT);
}

int kubernetes_install(struct call *call, const char *ns, struct plan *plan) {
  const char *url = arena_printf(call_arena(call), "kubernetes:/api/v1/namespaces/%s/services/control:%d/proxy",
                                 path_segment(call, ns), CONTROL_PORT);
  if (!url)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  plan_object(plan, "make a namespace for the reference mesh",
              native_kubernetes(call, 0, "v1", "Namespace", NULL, ns, json_object()));
  plan_object(plan, "start its control plane",
              native_kubernetes(call, 1, "apps/v1", "Deployment", ns, "control", deployment(call)));
  plan_object(plan, "wait for its control plane",
              native_kubernetes(call, 2, "v1", "Service", ns, "control", service()));
  plan_endpoint(plan, CONTROL_ENDPOINT, url);
  plan_ready(plan, CONTROL_ENDPOINT, "/v1/ready", READY_TIMEOUT_MS);
  return TRAMMEL_OK;
}
