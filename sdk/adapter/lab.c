/* Enroll and Plan: how workloads join, and how the mesh itself comes and goes. */
#include <arpa/inet.h>
#include <string.h>

#include "sdk/adapter/internal.h"

struct enrollment {
  struct call *call;
  struct pointers objects;
  struct pointers plain_network;
  struct pointers processes;
  struct pointers upstreams;
  struct pointers labels;
  struct pointers annotations;
  struct pointers sidecars;
  const char *overlay;
  enum enroll_scope scope;
  const char *app_address;
};

struct plan {
  struct call *call;
  struct pointers steps;
  struct pointers endpoints; /* of the last step */
};

PB(Label) * label_message(struct call *call, const char *name, const char *value) {
  PB(Label) *label = call_new(call, PB(Label));
  if (!label)
    return NULL;
  *label = (PB(Label))PB_INIT(LABEL);
  label->name = call_text(call, name);
  label->value = call_text(call, value);
  return label;
}

static void tell_endpoints(struct call *call, const struct mesh_process *process, PB(Process) * message) {
  struct pointers endpoints = {0};
  for (size_t i = 0; i < process->endpoint_count; i++) {
    const struct process_endpoint *from = &process->endpoints[i];
    PB(ProcessEndpoint) *to = call_new(call, PB(ProcessEndpoint));
    if (!to)
      return;
    *to = (PB(ProcessEndpoint))PB_INIT(PROCESS_ENDPOINT);
    to->endpoint = call_text(call, from->endpoint);
    to->url_variable = call_text(call, from->url_variable);
    to->token_file_variable = call_text(call, from->token_file_variable);
    pointers_add(call, &endpoints, to);
  }
  message->n_endpoints = endpoints.count;
  message->endpoints = (PB(ProcessEndpoint) **)endpoints.items;
}

static PB(HttpCheck) * check_message(struct call *call, const char *endpoint, const char *path, uint32_t timeout_ms) {
  PB(HttpCheck) *check = call_new(call, PB(HttpCheck));
  if (!check)
    return NULL;
  *check = (PB(HttpCheck))PB_INIT(HTTP_CHECK);
  check->endpoint = call_text(call, endpoint);
  check->path = call_text(call, path);
  check->timeout_ms = timeout_ms;
  return check;
}

static PB(Process) * process_message(struct call *call, const struct mesh_process *process) {
  PB(Process) *message = call_new(call, PB(Process));
  if (!message)
    return NULL;
  *message = (PB(Process))PB_INIT(PROCESS);
  message->name = call_text(call, process->name);
  message->program = call_text(call, process->program);
  struct pointers arguments = {0};
  for (const char *const *a = process->arguments; a && *a; a++)
    pointers_add(call, &arguments, call_text(call, *a));
  message->n_arguments = arguments.count;
  message->arguments = (char **)arguments.items;
  tell_endpoints(call, process, message);
  if (process->ready_endpoint)
    message->ready = check_message(call, process->ready_endpoint, process->ready_path, process->ready_timeout_ms);
  return message;
}

void enrollment_register(struct enrollment *enrollment, struct native_object *object) {
  if (object)
    pointers_add(enrollment->call, &enrollment->objects, object);
}

void enrollment_plain_network(struct enrollment *enrollment, struct native_object *object) {
  if (object)
    pointers_add(enrollment->call, &enrollment->plain_network, object);
}

void enrollment_process(struct enrollment *enrollment, const struct mesh_process *process) {
  PB(Process) *message = process_message(enrollment->call, process);
  if (message)
    pointers_add(enrollment->call, &enrollment->processes, message);
}

void enrollment_upstream(struct enrollment *enrollment, const struct upstream *upstream) {
  struct call *call = enrollment->call;
  PB(Upstream) *message = call_new(call, PB(Upstream));
  if (!message)
    return;
  *message = (PB(Upstream))PB_INIT(UPSTREAM);
  message->workload = call_text(call, upstream->workload->name);
  message->workload_namespace = call_text(call, upstream->workload->ns);
  message->service = call_text(call, upstream->service->name);
  message->service_namespace = call_text(call, upstream->service->ns);
  message->port = upstream->port;
  message->address = call_text(call, upstream->address);
  message->listen_port = upstream->listen_port;
  message->protocol = (PB(Protocol))upstream->protocol; /* the same numbers, as in inventory.c */
  message->unsupported = call_text(call, upstream->unsupported);
  pointers_add(call, &enrollment->upstreams, message);
}

void enrollment_namespace_label(struct enrollment *enrollment, const char *name, const char *value) {
  pointers_add(enrollment->call, &enrollment->labels, label_message(enrollment->call, name, value));
}

void enrollment_namespace_annotation(struct enrollment *enrollment, const char *name, const char *value) {
  pointers_add(enrollment->call, &enrollment->annotations, label_message(enrollment->call, name, value));
}

void enrollment_pod_overlay(struct enrollment *enrollment, json_t *overlay) {
  char *text = call_json_text(enrollment->call, overlay);
  json_decref(overlay);
  if (text)
    enrollment->overlay = text;
}

void enrollment_sidecar(struct enrollment *enrollment, const char *container) {
  pointers_add(enrollment->call, &enrollment->sidecars, call_text(enrollment->call, container));
}

void enrollment_for(struct enrollment *enrollment, enum enroll_scope scope) {
  enrollment->scope = scope;
}

/* The scope of a request; 0 with a diagnostic for none. */
static int scope_of(struct call *call, const PB(EnrollRequest) * request, enum enroll_scope *ret_scope) {
  const bool lab = request->scope == PB_VALUE(ENROLL_SCOPE__ENROLL_SCOPE_UNSPECIFIED);
  if (request->scope < PB_VALUE(ENROLL_SCOPE__ENROLL_SCOPE_UNSPECIFIED) ||
      request->scope > PB_VALUE(ENROLL_SCOPE__ENROLL_SCOPE_WORKLOAD) ||
      (!lab && request->lab != PB_VALUE(LAB_KIND__LAB_KIND_KUBERNETES)))
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0018", "unknown scope of an Enroll: %d in a lab of kind %d",
                     (int)request->scope, (int)request->lab);
  *ret_scope = (enum enroll_scope)request->scope; /* the same numbers */
  return TRAMMEL_OK;
}

void enrollment_app_address(struct enrollment *enrollment, const char *address) {
  enrollment->app_address = address;
}

/* The lab of a request; 0 with a diagnostic for none. */
static int lab_of(struct call *call, PB(LabKind) lab, enum lab_kind *ret_lab) {
  if (lab != PB_VALUE(LAB_KIND__LAB_KIND_PROCESS) && lab != PB_VALUE(LAB_KIND__LAB_KIND_KUBERNETES))
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0009", "unknown kind of lab: %d", (int)lab);
  *ret_lab = lab == PB_VALUE(LAB_KIND__LAB_KIND_PROCESS) ? LAB_PROCESS : LAB_KUBERNETES;
  return TRAMMEL_OK;
}

/* The other processes of this machine reach 127.0.0.0/8 only; elsewhere anyone would. */
static bool is_loopback(const char *address) {
  struct in_addr in;
  return inet_pton(AF_INET, address, &in) == 1 && ntohl(in.s_addr) >> 24 == 127;
}

static int check_addresses(struct call *call, const struct inventory *inventory) {
  for (size_t i = 0; i < inventory->workload_count; i++) {
    const struct inventory_workload *w = &inventory->workloads[i];
    if (!is_loopback(w->app_address) || !is_loopback(w->inbound_address) || !is_loopback(w->outbound_address))
      return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0010",
                       "workload %s/%s of a process lab needs three addresses of 127.0.0.0/8, found \"%s\", \"%s\", "
                       "\"%s\"",
                       w->ns, w->name, w->app_address, w->inbound_address, w->outbound_address);
  }
  return TRAMMEL_OK;
}

static void enroll_response(struct enrollment *from, PB(EnrollResponse) * to) {
  *to = (PB(EnrollResponse))PB_INIT(ENROLL_RESPONSE);
  to->n_processes = from->processes.count;
  to->processes = (PB(Process) **)from->processes.items;
  to->n_upstreams = from->upstreams.count;
  to->upstreams = (PB(Upstream) **)from->upstreams.items;
  to->n_namespace_labels = from->labels.count;
  to->namespace_labels = (PB(Label) **)from->labels.items;
  to->scope = (PB(EnrollScope))from->scope; /* the same numbers */
  to->n_namespace_annotations = from->annotations.count;
  to->namespace_annotations = (PB(Label) **)from->annotations.items;
  to->n_sidecars = from->sidecars.count;
  to->sidecars = (char **)from->sidecars.items;
  if (from->app_address)
    to->app_address = call_text(from->call, from->app_address);
  if (from->overlay)
    to->pod_template_overlay =
        (ProtobufCBinaryData){.len = strlen(from->overlay), .data = (uint8_t *)call_text(from->call, from->overlay)};
}

int run_enroll(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response) {
  const PB(EnrollRequest) *message = (const PB(EnrollRequest) *)request;
  static const PB(Inventory) no_inventory = PB_INIT(INVENTORY);
  _cleanup_error_ struct error *err = NULL;
  struct enroll_request typed = {0};
  int status = lab_of(call, message->lab, &typed.lab);
  if (status == TRAMMEL_OK)
    status = scope_of(call, message, &typed.scope);
  if (status != TRAMMEL_OK)
    return status;
  if (inventory_from_wire(call->arena, message->inventory ? message->inventory : &no_inventory, &typed.inventory,
                          &err) < 0)
    return call_bad_request(call, "Enroll", err);
  status = typed.lab == LAB_PROCESS ? check_addresses(call, &typed.inventory) : TRAMMEL_OK;
  struct enrollment enrollment = {.call = call};
  if (status == TRAMMEL_OK)
    status = call_class(call)->enroll(call, &typed, &enrollment);
  PB(EnrollResponse) *response = status == TRAMMEL_OK ? call_new(call, PB(EnrollResponse)) : NULL;
  if (!response)
    return status;
  enroll_response(&enrollment, response);
  *ret_response = &response->base;
  status = native_finish(call, &enrollment.plain_network, &response->n_plain_network, &response->plain_network);
  if (status != TRAMMEL_OK)
    return status;
  return native_finish(call, &enrollment.objects, &response->n_registrations, &response->registrations);
}

static PB(PlanStep) * plan_step(struct plan *plan, const char *summary) {
  PB(PlanStep) *step = call_new(plan->call, PB(PlanStep));
  if (!step)
    return NULL;
  *step = (PB(PlanStep))PB_INIT(PLAN_STEP);
  step->summary = call_text(plan->call, summary);
  pointers_add(plan->call, &plan->steps, step);
  plan->endpoints = (struct pointers){0};
  return step;
}

void plan_process(struct plan *plan, const char *summary, const struct mesh_process *process) {
  PB(PlanStep) *step = plan_step(plan, summary);
  if (!step)
    return;
  step->step_case = PB_VALUE(PLAN_STEP__STEP_PROCESS);
  step->process = process_message(plan->call, process);
}

void plan_object(struct plan *plan, const char *summary, struct native_object *object) {
  PB(PlanStep) *step = object ? plan_step(plan, summary) : NULL;
  if (!step)
    return;
  object->message.n_sources = object->sources.count;
  object->message.sources = (PB(ResourceRef) **)object->sources.items;
  step->step_case = PB_VALUE(PLAN_STEP__STEP_OBJECT);
  step->object = &object->message;
}

void plan_endpoint(struct plan *plan, const char *endpoint, const char *url) {
  PB(EndpointAddress) *address = plan->steps.count ? call_new(plan->call, PB(EndpointAddress)) : NULL;
  if (!address)
    return;
  *address = (PB(EndpointAddress))PB_INIT(ENDPOINT_ADDRESS);
  address->endpoint = call_text(plan->call, endpoint);
  address->url = call_text(plan->call, url);
  pointers_add(plan->call, &plan->endpoints, address);
  PB(PlanStep) *step = plan->steps.items[plan->steps.count - 1];
  step->n_endpoints = plan->endpoints.count;
  step->endpoints = (PB(EndpointAddress) **)plan->endpoints.items;
}

void plan_ready(struct plan *plan, const char *endpoint, const char *path, uint32_t timeout_ms) {
  PB(HttpCheck) *check = plan->steps.count ? check_message(plan->call, endpoint, path, timeout_ms) : NULL;
  if (check)
    ((PB(PlanStep) *)plan->steps.items[plan->steps.count - 1])->ready = check;
}

int run_plan(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response) {
  const PB(PlanRequest) *message = (const PB(PlanRequest) *)request;
  struct plan_request typed = {.mesh_version = message->mesh_version, .address = message->address};
  int status = lab_of(call, message->lab, &typed.lab);
  if (status != TRAMMEL_OK)
    return status;
  if (message->action < PB_VALUE(PLAN_ACTION__PLAN_ACTION_INSTALL) ||
      message->action > PB_VALUE(PLAN_ACTION__PLAN_ACTION_UNINSTALL))
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0011", "unknown plan action: %d", (int)message->action);
  typed.action = (enum plan_action)message->action;
  if (typed.lab == LAB_PROCESS && typed.action == PLAN_INSTALL && !is_loopback(typed.address))
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0012",
                     "a process lab needs an address of 127.0.0.0/8 for the mesh, found \"%s\"", typed.address);
  struct plan plan = {.call = call};
  status = call_class(call)->plan(call, &typed, &plan);
  PB(PlanResponse) *response = status == TRAMMEL_OK ? call_new(call, PB(PlanResponse)) : NULL;
  if (!response)
    return status;
  *response = (PB(PlanResponse))PB_INIT(PLAN_RESPONSE);
  response->n_steps = plan.steps.count;
  response->steps = (PB(PlanStep) **)plan.steps.items;
  *ret_response = &response->base;
  return TRAMMEL_OK;
}
