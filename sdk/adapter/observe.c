/* Detect, Metrics and Invoke: what asks the mesh. */
#include <errno.h>
#include <string.h>

#include "sdk/adapter/internal.h"
#include "sdk/base/document.h"
#include "sdk/base/error.h"

struct metrics {
  struct call *call;
  struct pointers items;
  uint32_t window_ms;
  unsigned status;
  ProtobufCBinaryData document;
};

struct invocation {
  struct call *call;
  bool gone;
};

int run_detect(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response) {
  (void)request;
  struct detection detection = {0};
  int status = call_class(call)->detect(call, &detection);
  PB(DetectResponse) *response = status == TRAMMEL_OK ? call_new(call, PB(DetectResponse)) : NULL;
  if (!response)
    return status;
  *response = (PB(DetectResponse))PB_INIT(DETECT_RESPONSE);
  response->present = detection.present;
  response->ready = detection.ready;
  response->mesh_version = call_text(call, detection.mesh_version);
  response->detail = call_text(call, detection.detail);
  response->namespace_ = call_text(call, detection.ns);
  response->evidence = call_text(call, detection.evidence);
  smi_support_to_wire(call, detection.served, detection.served_count, &response->n_served, &response->served);
  *ret_response = &response->base;
  return TRAMMEL_OK;
}

void metrics_window(struct metrics *metrics, uint32_t window_ms) {
  metrics->window_ms = window_ms;
}

void metrics_document(struct metrics *metrics, unsigned status, const char *body, size_t length) {
  metrics->status = status;
  metrics->document = (ProtobufCBinaryData){.len = length, .data = (uint8_t *)(uintptr_t)body}; /* only packed */
}

static void add_edge(struct call *call, const struct metrics_item *item, PB(MetricsItem) * message) {
  message->peer = resource_ref(call, item->peer.kind, item->peer.ns, item->peer.name);
  message->direction = item->direction == EDGE_TO ? PB_VALUE(EDGE_DIRECTION__EDGE_DIRECTION_TO)
                                                  : PB_VALUE(EDGE_DIRECTION__EDGE_DIRECTION_FROM);
  message->side =
      item->side == EDGE_CLIENT ? PB_VALUE(EDGE_SIDE__EDGE_SIDE_CLIENT) : PB_VALUE(EDGE_SIDE__EDGE_SIDE_SERVER);
}

static PB(MetricsBackend) * backend_message(struct call *call, const struct metrics_backend *backend) {
  PB(MetricsBackend) *message = call_new(call, PB(MetricsBackend));
  if (!message)
    return NULL;
  *message = (PB(MetricsBackend))PB_INIT(METRICS_BACKEND);
  message->apex = call_text(call, backend->apex);
  message->name = call_text(call, backend->name);
  message->weight = backend->weight;
  return message;
}

void metrics_add(struct metrics *metrics, const struct metrics_item *item) {
  struct call *call = metrics->call;
  PB(MetricsItem) *message = call_new(call, PB(MetricsItem));
  if (!message)
    return;
  *message = (PB(MetricsItem))PB_INIT(METRICS_ITEM);
  message->resource = resource_ref(call, item->resource.kind, item->resource.ns, item->resource.name);
  if (item->direction)
    add_edge(call, item, message);
  if (item->backend.apex)
    message->backend = backend_message(call, &item->backend);
  message->success_count = item->success_count;
  message->failure_count = item->failure_count;
  message->p50_ns = item->p50_ns;
  message->p90_ns = item->p90_ns;
  message->p99_ns = item->p99_ns;
  pointers_add(call, &metrics->items, message);
}

/* The texts stay the message's. */
static int read_selector(struct call *call, const PB(MetricsRequest) * message, struct metrics_request *request) {
  struct smi_label *labels = arena_array(call_arena(call), message->n_selector, sizeof *labels);
  if (!labels)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  for (size_t i = 0; i < message->n_selector; i++)
    labels[i] = (struct smi_label){message->selector[i]->name, message->selector[i]->value};
  request->selector = labels;
  request->selector_count = message->n_selector;
  return TRAMMEL_OK;
}

int run_metrics(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response) {
  const PB(MetricsRequest) *message = (const PB(MetricsRequest) *)request;
  if (!message->resource || !*message->resource->kind)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0013", "metrics of what? The request names no kind");
  struct metrics_request typed = {
      .resource = {message->resource->kind, message->resource->namespace_, message->resource->name},
      .edges = message->edges};
  struct metrics metrics = {.call = call};
  int status = read_selector(call, message, &typed);
  if (status == TRAMMEL_OK)
    status = call_class(call)->metrics(call, &typed, &metrics);
  PB(MetricsResponse) *response = status == TRAMMEL_OK ? call_new(call, PB(MetricsResponse)) : NULL;
  if (!response)
    return status;
  *response = (PB(MetricsResponse))PB_INIT(METRICS_RESPONSE);
  response->n_items = metrics.items.count;
  response->items = (PB(MetricsItem) **)metrics.items.items;
  response->window_ms = metrics.window_ms;
  response->status = metrics.status;
  response->document = metrics.document;
  *ret_response = &response->base;
  return TRAMMEL_OK;
}

bool invocation_event(struct invocation *invocation, bool error, const char *summary, const char *detail) {
  struct call *call = invocation->call;
  PB(InvokeEvent) event = PB_INIT(INVOKE_EVENT);
  event.error = error;
  event.summary = call_text(call, summary);
  event.detail = call_text(call, detail);
  if (!invocation->gone)
    invocation->gone = call_emit(call, &event.base) != TRAMMEL_OK;
  return !invocation->gone;
}

static const struct operation *find_operation(const struct adapter_description *description, const char *name) {
  for (size_t i = 0; i < description->operation_count; i++)
    if (strcmp(description->operations[i].name, name) == 0)
      return &description->operations[i];
  return NULL;
}

/* `*ret_argument` is NULL without an argument, which is as good as an empty object to a schema. */
static int read_argument(struct call *call, const struct operation *operation, ProtobufCBinaryData data,
                         json_t **ret_argument) {
  _cleanup_error_ struct error *err = NULL;
  json_t *schema = NULL;
  int r = 0;
  if (data.len == 0 && !operation->argument_schema)
    return TRAMMEL_OK;
  if (!operation->argument_schema)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0016", "%s takes no argument", operation->name);
  if (data.len)
    r = json_read((const char *)data.data, data.len, ret_argument, &err);
  else
    *ret_argument = json_object();
  if (r < 0 && r != -ENOMEM)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0015", "the argument of %s is no JSON: %s", operation->name,
                     error_message(err));
  if (!*ret_argument)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  r = json_read(operation->argument_schema, strlen(operation->argument_schema), &schema, NULL);
  if (r == -ENOMEM)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (r < 0)
    return call_fail(call, TRAMMEL_INTERNAL, "SDK-0017", "the adapter's own argument schema of %s is no JSON",
                     operation->name);
  int status = call_validate(call, schema, *ret_argument);
  json_decref(schema);
  return status;
}

int run_invoke(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response) {
  const PB(InvokeRequest) *message = (const PB(InvokeRequest) *)request;
  const struct operation *operation = find_operation(&call_class(call)->description, message->operation);
  *ret_response = NULL; /* events go out as they come */
  if (!operation)
    return call_fail(call, TRAMMEL_NOT_FOUND, "SDK-0014", "this adapter has no operation \"%s\"", message->operation);
  json_t *argument = NULL;
  struct invocation invocation = {.call = call};
  int status = read_argument(call, operation, message->argument, &argument);
  if (status == TRAMMEL_OK)
    status = call_class(call)->invoke(call, operation->name, argument, &invocation);
  json_decref(argument);
  return status;
}
