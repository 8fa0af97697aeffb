#include "plugins/reference/reference.h"

#include <stdio.h>
#include <string.h>

#define READY_TIMEOUT_MS 10000
/* --control A --trust-domain D, a --fault F for each configured one, and the end mark. */
#define ARGUMENTS_MAX (4 + 2 * 129 + 1)

static void add_fault(const char **arguments, size_t *count, const json_t *name) {
  const char *text = json_string_value(name);
  if (!text || strcmp(text, "none") == 0 || *count + 3 > ARGUMENTS_MAX)
    return;
  arguments[(*count)++] = "--fault";
  arguments[(*count)++] = text;
}

static int install(struct call *call, const char *address, struct plan *plan) {
  const char *control = arena_printf(call_arena(call), "%s:%d", address, CONTROL_PORT);
  const char *url = control ? arena_printf(call_arena(call), "http://%s", control) : NULL;
  if (!url)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  const char *arguments[ARGUMENTS_MAX] = {"--control", control, "--trust-domain", reference_trust_domain(call)};
  size_t count = 4;
  add_fault(arguments, &count, json_object_get(call_config(call), "fault"));
  size_t i;
  const json_t *fault;
  json_array_foreach(json_object_get(call_config(call), "faults"), i, fault) add_fault(arguments, &count, fault);
  plan_process(plan, "start the reference mesh",
               &(struct mesh_process){.name = "refmesh",
                                      .program = "trammel-refmesh",
                                      .arguments = arguments,
                                      .ready_endpoint = CONTROL_ENDPOINT,
                                      .ready_path = "/v1/ready",
                                      .ready_timeout_ms = READY_TIMEOUT_MS});
  plan_endpoint(plan, CONTROL_ENDPOINT, url);
  return TRAMMEL_OK;
}

int reference_plan(struct call *call, const struct plan_request *request, struct plan *plan) {
  switch (request->action) {
  case PLAN_INSTALL:
    return request->lab == LAB_KUBERNETES ? kubernetes_install(call, request->address, plan)
                                          : install(call, request->address, plan);
  case PLAN_UNINSTALL:
    return TRAMMEL_OK; /* it keeps nothing: the host ends its process, or removes its objects */
  case PLAN_UPGRADE:
    break;
  }
  return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_LAB,
                   "the reference mesh comes with Trammel and is upgraded with it");
}
