#include "host/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/engine/command.h"
#include "host/engine/owner.h"
#include "host/engine/owners.h"
#include "host/engine/patience.h"
#include "host/engine/ready.h"
#include "host/transport/kube/refusal.h"
#include "sdk/adapter/smi_wire.h"

#define PB(name) Trammel__Adapter__V1__##name

#define PROCESS_GRACE_MS 2000
#define DEATH_WAIT_MS 20

/* The owner of what a plan's steps create. No adapter's or lab's name holds a space. */
#define PLAN_OWNER "the plan"

/* "trammel/<adapter>" as a field manager: at most 128 bytes (Kubernetes, server-side apply). */
#define MANAGER_SIZE 129

struct engine {
  struct instance *instance;
  struct adapter_http http;
  const atomic_bool *cancel;
  struct mesh mesh;
  char manager[MANAGER_SIZE];
  struct owners *owners;
  struct programs programs;
  struct process **processes;
  size_t process_count;
  size_t process_capacity;
};
DEFINE_CLEANUP(struct engine *, engine_destroy);

/* Puts down a request of the adapter, and what is wrong with the answer. Without memory it is not put down. */
static void record(const struct engine *engine, json_t *requests, const struct endpoint_request *request, int r,
                   const struct http_response *response, const struct error *err) {
  _cleanup_error_ struct error *refusal = NULL;
  const char *problem = r < 0 ? error_message(err) : NULL;
  bool cluster = engine->mesh.cluster && strcmp(request->endpoint, ENGINE_CLUSTER_ENDPOINT) == 0;

  if (r == 0 && cluster && response->status != 404 &&
      kube_refusal_read(request->method, request->path, response, &refusal) < 0)
    problem = error_message(refusal);
  (void)json_array_append_new(requests, json_pack("{s:s, s:s, s:s, s:i, s:s?}", "endpoint", request->endpoint, "method",
                                                  request->method, "path", request->path, "status",
                                                  r < 0 ? 0 : (int)response->status, "problem", problem));
}

/* Carries out an HTTP request of the adapter; `user` is an array that it is put down in, or NULL. */
static int adapter_request(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                           const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                           unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  struct engine *engine = ctx;
  struct http_response response;
  const struct endpoint_request request = {.endpoint = endpoint,
                                           .method = method,
                                           .path = path,
                                           .content_type = content_type,
                                           .body = body,
                                           .body_length = body_length,
                                           .deadline_ns = deadline_ns};
  _cleanup_error_ struct error *why = NULL;

  int r = endpoints_send(engine->mesh.endpoints, &request, &response, &why);
  if (user)
    record(engine, user, &request, r, &response, why);
  if (r < 0)
    (void)error_set(err, -r, "%s", error_message(why));
  if (r < 0)
    return r;
  *ret_status = response.status;
  *ret_body = response.body;
  *ret_body_length = response.body_length;
  return 0;
}

int engine_create(const struct adapter_entry *entry, json_t *config, struct journal *journal, const atomic_bool *cancel,
                  struct diagnostics *diagnostics, struct engine **ret_engine, struct error **err) {
  if (!entry->usable)
    return error_set(err, EINVAL, "adapter %s is not usable: %s", entry->id, entry->refusal);
  _cleanup_(engine_destroy_p) struct engine *engine = calloc(1, sizeof(*engine));
  if (!engine)
    return error_set(err, ENOMEM, "out of memory for an engine");
  engine->cancel = cancel;
  engine->mesh.description = entry->description;
  engine->mesh.journal = journal;
  engine->mesh.cancel = cancel;
  (void)snprintf(engine->manager, sizeof(engine->manager), "trammel/%s", entry->id);
  engine->mesh.manager = engine->manager;
  engine->http = (struct adapter_http){.ctx = engine, .request = adapter_request};
  engine->owners = owners_create();
  int r = engine->owners ? 0 : error_set(err, ENOMEM, "out of memory for an engine");
  if (r == 0)
    r = endpoints_create(entry->description, cancel, &engine->mesh.endpoints, err);
  if (r == 0)
    r = programs_init(&engine->programs, entry->description, err);
  if (r == 0)
    r = instance_create(entry, config, &engine->http, diagnostics, &engine->instance, err);
  if (r < 0)
    return r;
  *ret_engine = take(engine);
  return 0;
}

/* Takes a process that ends with the engine. */
static int keep_process(struct engine *engine, struct process *process, struct error **err) {
  if (array_reserve((void **)&engine->processes, &engine->process_capacity, engine->process_count,
                    sizeof(struct process *)) < 0)
    return error_set(err, ENOMEM, "out of memory for process %s", process_name(process));
  engine->processes[engine->process_count++] = process;
  return 0;
}

static void stop_processes(struct engine *engine) {
  process_stop_all(engine->processes, engine->process_count, PROCESS_GRACE_MS);
  engine->process_count = 0;
}

void engine_destroy(struct engine *engine) {
  if (!engine)
    return;
  owners_destroy(engine->owners, &engine->mesh);
  stop_processes(engine);
  instance_destroy(engine->instance);
  endpoints_destroy(engine->mesh.endpoints);
  cluster_close(engine->mesh.cluster);
  programs_finish(&engine->programs);
  free(engine->processes);
  free(engine);
}

struct instance *engine_instance(struct engine *engine) {
  return engine->instance;
}

int engine_set_endpoint(struct engine *engine, const char *name, const char *url, struct error **err) {
  return endpoints_set(engine->mesh.endpoints, name, url, true, err);
}

int engine_set_endpoint_token(struct engine *engine, const char *name, const char *path, struct error **err) {
  return endpoints_set_token(engine->mesh.endpoints, name, path, err);
}

int engine_set_program(struct engine *engine, const char *name, const char *path, struct error **err) {
  return programs_set(&engine->programs, name, path, err);
}

static bool declares(const PB(DescribeResponse) * description, const char *endpoint) {
  for (size_t i = 0; i < description->n_endpoints; i++)
    if (strcmp(description->endpoints[i]->name, endpoint) == 0)
      return true;
  return false;
}

int engine_set_cluster(struct engine *engine, const struct cluster_options *options, struct error **err) {
  int r = cluster_open(options, &engine->mesh.cluster, err);

  if (r < 0 || !declares(engine->mesh.description, ENGINE_CLUSTER_ENDPOINT))
    return r;
  return endpoints_set_cluster(engine->mesh.endpoints, ENGINE_CLUSTER_ENDPOINT, engine->mesh.cluster, err);
}

int engine_apply(struct engine *engine, const char *owner, PB(NativeObject) *const *objects, size_t count,
                 struct error **err) {
  struct owner *owned = owners_acquire(engine->owners, owner, true);

  if (!owned)
    return error_set(err, ENOMEM, "out of memory for applying objects");
  int r = owner_apply(owned, &engine->mesh, objects, count, err);
  owners_release(engine->owners, owned);
  return r;
}

int engine_remove(struct engine *engine, const char *owner, struct error **err) {
  struct owner *owned = owners_acquire(engine->owners, owner, false);

  if (!owned)
    return 0;
  int r = owner_remove(owned, &engine->mesh, err);
  owners_release(engine->owners, owned);
  return r;
}

int engine_read(struct engine *engine, const char *owner, json_t **ret_objects, struct error **err) {
  struct owner *owned = owners_acquire(engine->owners, owner, false);
  json_t *array = json_array();
  int r = array ? 0 : error_set(err, ENOMEM, "out of memory for the mesh's objects");

  if (owned && r == 0)
    r = owner_read(owned, &engine->mesh, array, err);
  if (owned)
    owners_release(engine->owners, owned);
  if (r < 0) {
    json_decref(array);
    return r;
  }
  *ret_objects = array;
  return 0;
}

static bool cancelled(const struct engine *engine) {
  return engine->cancel && atomic_load(engine->cancel);
}

/* `requests` may be NULL: an array that those of the adapter are put down in. */
static int call_recorded(struct engine *engine, const char *method, const ProtobufCMessage *request,
                         const ProtobufCMessageDescriptor *response_type, struct diagnostics *diagnostics,
                         json_t *requests, void *ret_response, struct error **err) {
  struct call_options options = {.deadline_ns = patience_deadline_ns(CALL_TIMEOUT_DEFAULT_NS),
                                 .cancel = engine->cancel,
                                 .diagnostics = diagnostics,
                                 .user = requests};
  ProtobufCMessage *response = NULL;

  int r = instance_call(engine->instance, method, request, response_type, &options, &response, err);
  if (r == 0)
    *(ProtobufCMessage **)ret_response = response;
  return r;
}

static int call(struct engine *engine, const char *method, const ProtobufCMessage *request,
                const ProtobufCMessageDescriptor *response_type, struct diagnostics *diagnostics, void *ret_response,
                struct error **err) {
  return call_recorded(engine, method, request, response_type, diagnostics, NULL, ret_response, err);
}

int engine_check(struct engine *engine, struct error **err) {
  for (size_t i = 0; i < engine->process_count; i++)
    if (process_wait(engine->processes[i], DEATH_WAIT_MS))
      return process_died(engine->processes[i], err);
  return 0;
}

bool engine_offers(const struct engine *engine, const char *method) {
  for (size_t i = 0; i < engine->mesh.description->n_methods; i++)
    if (strcmp(engine->mesh.description->methods[i], method) == 0)
      return true;
  return false;
}

bool engine_supports(const struct engine *engine, const char *group) {
  const PB(DescribeResponse) *description = engine->mesh.description;
  for (size_t i = 0; i < description->n_smi; i++)
    if (strcmp(description->smi[i]->group, group) == 0 &&
        description->smi[i]->support != TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_UNSUPPORTED)
      return true;
  return false;
}

int engine_detect_recorded(struct engine *engine, json_t *requests, PB(DetectResponse) * *ret_response,
                           struct error **err) {
  const PB(DetectRequest) request = TRAMMEL__ADAPTER__V1__DETECT_REQUEST__INIT;

  return call_recorded(engine, "Detect", &request.base, &trammel__adapter__v1__detect_response__descriptor, NULL,
                       requests, ret_response, err);
}

int engine_detect(struct engine *engine, PB(DetectResponse) * *ret_response, struct error **err) {
  return engine_detect_recorded(engine, NULL, ret_response, err);
}

int engine_translate(struct engine *engine, const struct smi_set *set, const PB(Inventory) * inventory,
                     const PB(TranslateOptions) * options, struct diagnostics *diagnostics,
                     PB(TranslateResponse) * *ret_response, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  PB(TranslateRequest) request = TRAMMEL__ADAPTER__V1__TRANSLATE_REQUEST__INIT;

  request.smi = arena ? smi_to_wire(arena, set) : NULL;
  if (!request.smi)
    return error_set(err, ENOMEM, "out of memory for a translation");
  request.inventory = (PB(Inventory) *)inventory; /* only packed */
  request.options = (PB(TranslateOptions) *)options;
  return call(engine, "Translate", &request.base, &trammel__adapter__v1__translate_response__descriptor, diagnostics,
              ret_response, err);
}

int engine_metrics(struct engine *engine, const PB(MetricsRequest) * request, struct diagnostics *diagnostics,
                   PB(MetricsResponse) * *ret_response, struct error **err) {
  return call(engine, "Metrics", &request->base, &trammel__adapter__v1__metrics_response__descriptor, diagnostics,
              ret_response, err);
}

int engine_start_process(struct engine *engine, const char *prefix, const PB(Process) * message,
                         struct process **ret_process, struct error **err) {
  char name[PROCESS_NAME_MAX + 2];
  struct process *process = NULL;

  int n = snprintf(name, sizeof(name), "%s-%s", prefix, message->name);
  if (n < 0 || n > PROCESS_NAME_MAX)
    return error_set(err, EINVAL, "the name of process %s-%s has more than %d characters", prefix, message->name,
                     PROCESS_NAME_MAX);
  _cleanup_(command_finish) struct command command;
  int r = command_make(&command, message, &engine->programs, engine->mesh.endpoints, err);
  if (r == 0)
    r = process_start_command(engine->mesh.journal, name, &command.process, &process, err);
  if (r == 0 && message->ready)
    r = ready_wait(engine->mesh.endpoints, engine->cancel, process, message->ready, err);
  else if (r < 0)
    return r;
  if (r < 0) {
    process_stop(process, PROCESS_GRACE_MS);
    return r;
  }
  *ret_process = process;
  return 0;
}

static int step_object(struct engine *engine, const PB(NativeObject) * object, struct error **err) {
  struct owner *owned = owners_acquire(engine->owners, PLAN_OWNER, true);

  if (!owned)
    return error_set(err, ENOMEM, "out of memory for a plan");
  int r = owner_add(owned, &engine->mesh, object, err);
  owners_release(engine->owners, owned);
  return r;
}

static int step_process(struct engine *engine, const PB(Process) * message, struct error **err) {
  struct process *process = NULL;

  int r = engine_start_process(engine, "mesh", message, &process, err);
  if (r < 0)
    return r;
  r = keep_process(engine, process, err);
  if (r < 0)
    process_stop(process, PROCESS_GRACE_MS);
  return r;
}

/* "kubernetes:/PATH" is below that path of the API server. */
static int set_address(struct engine *engine, const PB(EndpointAddress) * address, bool outlives, struct error **err) {
  static const char scheme[] = "kubernetes:";
  if (strncmp(address->url, scheme, sizeof(scheme) - 1) != 0)
    return endpoints_set(engine->mesh.endpoints, address->endpoint, address->url, outlives, err);
  if (!engine->mesh.cluster)
    return error_set(err, ENOENT, "endpoint '%s' is on a Kubernetes cluster: say which with --kubeconfig or --context",
                     address->endpoint);
  return endpoints_set_below_cluster(engine->mesh.endpoints, address->endpoint, engine->mesh.cluster,
                                     address->url + sizeof(scheme) - 1, err);
}

/* The addresses come first: the step's own ready check goes to one. */
static int carry_out(struct engine *engine, const PB(PlanStep) * step, struct error **err) {
  bool starts = step->step_case == TRAMMEL__ADAPTER__V1__PLAN_STEP__STEP_PROCESS;
  int r = 0;

  for (size_t i = 0; r == 0 && i < step->n_endpoints; i++)
    r = set_address(engine, step->endpoints[i], !starts, err);
  if (r == 0 && starts)
    r = step_process(engine, step->process, err);
  else if (r == 0 && step->step_case == TRAMMEL__ADAPTER__V1__PLAN_STEP__STEP_OBJECT)
    r = step_object(engine, step->object, err);
  if (r == 0 && step->ready)
    r = ready_wait(engine->mesh.endpoints, engine->cancel, NULL, step->ready, err);
  return r;
}

static int carry_out_all(struct engine *engine, const PB(PlanResponse) * plan, struct error **err) {
  for (size_t i = 0; i < plan->n_steps; i++) {
    if (cancelled(engine))
      return error_set(err, ECANCELED, "the plan was cancelled before step %zu of %zu", i + 1, plan->n_steps);
    int r = carry_out(engine, plan->steps[i], err);
    if (r < 0) {
      (void)error_wrap(err, "step %zu of %zu (%s)", i + 1, plan->n_steps, plan->steps[i]->summary);
      return r;
    }
  }
  return 0;
}

/* What the plans before created goes, whatever the adapter says of it. */
static int undo_plans(struct engine *engine, struct error **err) {
  int r = engine_remove(engine, PLAN_OWNER, err);

  stop_processes(engine);
  return r;
}

int engine_plan(struct engine *engine, PB(PlanAction) action, PB(LabKind) lab, const char *address,
                struct error **err) {
  PB(PlanRequest) request = TRAMMEL__ADAPTER__V1__PLAN_REQUEST__INIT;
  PB(PlanResponse) *response = NULL;
  bool uninstall = action == TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_UNINSTALL;

  request.action = action;
  request.lab = lab;
  request.address = (char *)(address ? address : ""); /* only packed */
  int r = call(engine, "Plan", &request.base, &trammel__adapter__v1__plan_response__descriptor, NULL, &response, err);
  if (r == 0) {
    r = carry_out_all(engine, response, err);
    trammel__adapter__v1__plan_response__free_unpacked(response, NULL);
  }
  if (!uninstall)
    return r;
  int undone = undo_plans(engine, r < 0 ? NULL : err);
  return r < 0 ? r : undone;
}
