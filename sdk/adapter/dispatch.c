/* The C ABI of an adapter that is written against the typed layer. */
#include <errno.h>
#include <string.h>

#include "sdk/adapter/codec.h"
#include "sdk/adapter/instance.h"
#include "sdk/adapter/internal.h"
#include "sdk/base/document.h"
#include "sdk/base/error.h"
#include "sdk/base/schema.h"

static void call_finish(struct call *call) {
  for (size_t i = 0; i < call->document_count; i++)
    json_decref(call->documents[i]);
  json_decref(call->config);
  call_forget_request(call);
  arena_destroy(call->arena);
}

static int call_init(struct call *call, trammel_instance *instance, trammel_op *op) {
  *call =
      (struct call){.instance = instance, .op_api = instance->op_api, .op = op, .arena = arena_create(CALL_MEMORY_MAX)};
  pthread_mutex_lock(&instance->lock);
  call->config = json_incref(instance->config);
  pthread_mutex_unlock(&instance->lock);
  return call->arena ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
}

/* 0, -EINVAL, -ENOMEM. */
static int config_schema(const struct adapter_class *class, json_t **ret_schema) {
  const char *text = class->description.config_schema;
  if (!text)
    text = "{\"type\":\"object\",\"additionalProperties\":false}";
  return json_read(text, strlen(text), ret_schema, NULL);
}

/* The host has checked it, but a remote host may be anyone's. */
static int check_config(struct call *call, json_t *config) {
  json_t *schema = NULL;
  int r = config_schema(call_class(call), &schema);
  if (r == -ENOMEM)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (r < 0)
    return call_fail(call, TRAMMEL_INTERNAL, "SDK-0004", "the adapter's own configuration schema is no JSON");
  int status = call_validate(call, schema, config);
  json_decref(schema);
  return status;
}

static int configure(struct call *call, const void *data, size_t length) {
  _cleanup_error_ struct error *err = NULL;
  json_t *config = length ? NULL : json_object();
  int r = length ? json_read(data, length, &config, &err) : 0;
  if (r < 0 && r != -ENOMEM)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0005", "the configuration is no JSON: %s",
                     error_message(err));
  if (!config)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  int status = json_is_object(config)
                   ? check_config(call, config)
                   : call_fail(call, TRAMMEL_INVALID_ARGUMENT, "SDK-0005", "the configuration is no JSON object");
  if (status == TRAMMEL_OK && call_class(call)->configure) {
    json_t *before = call->config;
    call->config = json_incref(config);
    json_decref(before);
    status = call_class(call)->configure(call);
  }
  if (status == TRAMMEL_OK) {
    pthread_mutex_lock(&call->instance->lock);
    json_t *before = call->instance->config;
    call->instance->config = json_incref(config);
    pthread_mutex_unlock(&call->instance->lock);
    json_decref(before);
  }
  json_decref(config);
  return status;
}

/* The configuration of an instance that got none: the defaults. What is required may be missing, for Describe works
 * without. */
static json_t *default_config(const struct adapter_class *class) {
  json_t *schema = NULL;
  json_t *config = config_schema(class, &schema) == 0 ? json_object() : NULL;
  if (config && schema_fill_defaults(schema, config) < 0) {
    json_decref(config);
    config = NULL;
  }
  json_decref(schema);
  return config;
}

/* A host service, when its table has at least the `size` bytes that this layer uses. */
static const void *service(const trammel_host *host, const char *id, size_t size) {
  const trammel_head *head = host->get(host, id);
  return head && head->size >= size ? head : NULL;
}

int adapter_sdk_create(const struct adapter_class *class, const struct adapter_identity *identity,
                       const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  const trammel_op_api *op_api = service(host, TRAMMEL_OP_SERVICE, TRAMMEL_OP_API_SIZE_1_0);
  if (!op_api)
    return TRAMMEL_FAILED_PRECONDITION;
  trammel_instance *instance = calloc(1, sizeof *instance);
  if (!instance)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  *instance = (trammel_instance){.class = class,
                                 .identity = identity,
                                 .host = host,
                                 .op_api = op_api,
                                 .log_api = service(host, TRAMMEL_LOG_SERVICE, TRAMMEL_LOG_API_SIZE_1_0),
                                 .http_api = service(host, TRAMMEL_HTTP_SERVICE, TRAMMEL_HTTP_API_SIZE_1_0),
                                 .config = default_config(class)};
  pthread_mutex_init(&instance->lock, NULL);
  struct call call;
  int status = call_init(&call, instance, op);
  if (!instance->config)
    status = TRAMMEL_RESOURCE_EXHAUSTED;
  if (status == TRAMMEL_OK && config.n)
    status = configure(&call, config.p, config.n);
  call_finish(&call);
  if (status != TRAMMEL_OK) {
    adapter_sdk_destroy(instance);
    return status;
  }
  *ret = instance;
  return TRAMMEL_OK;
}

void adapter_sdk_destroy(trammel_instance *instance) {
  if (!instance)
    return;
  json_decref(instance->config);
  pthread_mutex_destroy(&instance->lock);
  free(instance);
}

const void *adapter_sdk_get(trammel_instance *instance, const char *extension_id) {
  (void)instance;
  (void)extension_id;
  return NULL; /* version 1 has no extensions */
}

static bool is(trammel_str method, const char *name) {
  return method.n == strlen(name) && memcmp(method.p, name, method.n) == 0;
}

static int call_configure(struct call *call, trammel_str request) {
  _cleanup_error_ struct error *err = NULL;
  ProtobufCMessage *message = NULL;
  if (message_unpack_arena(call->arena, &trammel__adapter__v1__configure_request__descriptor, request.p, request.n,
                           &message, &err) < 0)
    return call_bad_request(call, "Configure", err);
  const PB(ConfigureRequest) *r = (const PB(ConfigureRequest) *)message;
  int status = configure(call, r->config.data, r->config.len);
  if (status != TRAMMEL_OK)
    return status;
  PB(ConfigureResponse) response = PB_INIT(CONFIGURE_RESPONSE);
  return call_emit(call, &response.base);
}

static int call_describe(struct call *call) {
  const ProtobufCMessage *response = NULL;
  int status = run_describe(call, &response);
  return status == TRAMMEL_OK ? call_emit(call, response) : status;
}

static int call_method(struct call *call, const struct method *method, trammel_str request) {
  _cleanup_error_ struct error *err = NULL;
  ProtobufCMessage *message = NULL;
  call->request = arena_create(CALL_MEMORY_MAX);
  if (!call->request)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (message_unpack_arena(call->request, method->request_type, request.p, request.n, &message, &err) < 0)
    return call_bad_request(call, method->name, err);
  const ProtobufCMessage *response = NULL;
  int status = method->run(call, message, &response);
  if (atomic_load(&call->failed))
    return atomic_load(&call->told)
               ? TRAMMEL_RESOURCE_EXHAUSTED
               : call_fail(call, TRAMMEL_RESOURCE_EXHAUSTED, "SDK-0006", "%s ran out of memory", method->name);
  return status == TRAMMEL_OK && response ? call_answer(call, response) : status;
}

static int dispatch(struct call *call, trammel_str method, trammel_str request) {
  if (is(method, "Describe"))
    return call_describe(call);
  if (is(method, "Configure"))
    return call_configure(call, request);
  for (const struct method *m = methods; m->name; m++)
    if (is(method, m->name) && m->offered(call_class(call)))
      return call_method(call, m, request);
  return call_fail(call, TRAMMEL_UNIMPLEMENTED, "SDK-0007", "this adapter has no method %.*s",
                   (int)(method.n < 64 ? method.n : 64), method.p ? method.p : "");
}

int adapter_sdk_call(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op) {
  struct call call;
  int status = call_init(&call, instance, op);
  if (status == TRAMMEL_OK)
    status = dispatch(&call, method, request);
  call_finish(&call);
  return status;
}
