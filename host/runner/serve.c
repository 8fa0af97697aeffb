#include "host/runner/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/inprocess.h"
#include "host/adapter/loader.h"
#include "host/adapter/runner_protocol.h"
#include "host/adapter/status.h"
#include "host/rpc/core/rpc.h"
#include "host/runner/confinement.h"
#include "host/runner/supervise.h"
#include "sdk/adapter/codec.h"
#include "trammel/adapter/v1/placement.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name

struct serving {
  const trammel_adapter *adapter;
  const char *id;
  PB(DescribeResponse) * description;
  struct adapter_http http;
  pthread_mutex_t lock;
  struct inprocess *instance; /* NULL until the host has made it; never destroyed: the process ends */
  char *config;               /* its own */
};

/* A call, and what goes over it. */
struct exchange {
  struct rpc_call *call;
  pthread_mutex_t sending; /* messages of a stream, and HTTP requests, come from two threads */
};

/* ---- messages */

static int send_message(struct exchange *exchange, PB(FromAdapter) * message, struct error **err) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = message_pack(&message->base, &data, &length, err);
  if (r < 0)
    return r;
  pthread_mutex_lock(&exchange->sending);
  r = rpc_send(exchange->call, data, length);
  pthread_mutex_unlock(&exchange->sending);
  return r < 0 ? error_set(err, -r, "the host no longer waits for it") : 0;
}

/* The next message; its owner frees it. -ECANCELED when there is none. */
static int receive(struct rpc_call *call, PB(ToAdapter) * *ret_message, struct error **err) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  ProtobufCMessage *message = NULL;
  int r = rpc_receive(call, NULL, &data, &length);
  if (r <= 0)
    return error_set(err, r < 0 ? -r : ECANCELED, "the host no longer waits for it");
  r = message_unpack(&trammel__adapter__v1__to_adapter__descriptor, data, length, MESSAGE_MEMORY_MAX, &message, err);
  if (r == 0)
    *ret_message = (PB(ToAdapter) *)message;
  return r;
}

static void to_adapter_free(PB(ToAdapter) * message) {
  if (message)
    trammel__adapter__v1__to_adapter__free_unpacked(message, NULL);
}
DEFINE_CLEANUP(PB(ToAdapter) *, to_adapter_free);

static PB(FromAdapter) answer_of(const uint8_t *data, size_t length) {
  PB(FromAdapter) message = TRAMMEL__ADAPTER__V1__FROM_ADAPTER__INIT;
  message.body_case = TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_MESSAGE;
  message.message = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)data, .len = length};
  return message;
}

/* A unary method's, which ends the call. */
static int send_only_answer(struct exchange *exchange, const uint8_t *answer, size_t answer_length,
                            struct error **err) {
  PB(FromAdapter) message = answer_of(answer, answer_length);
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = message_pack(&message.base, &data, &length, err);
  if (r == 0)
    rpc_send_last(exchange->call, data, length);
  return r;
}

static char *text(const char *from) {
  static char none[] = "";
  return from ? (char *)(uintptr_t)from : none;
}

static void send_diagnostic(struct exchange *exchange, const struct diagnostic *diagnostic) {
  PB(CallDiagnostic) own = TRAMMEL__ADAPTER__V1__CALL_DIAGNOSTIC__INIT;
  PB(FromAdapter) message = TRAMMEL__ADAPTER__V1__FROM_ADAPTER__INIT;
  own.severity = diagnostic->severity;
  own.code = text(diagnostic->code);
  own.pointer = text(diagnostic->pointer);
  own.summary = text(diagnostic->summary);
  own.detail = text(diagnostic->detail);
  own.remedy = text(diagnostic->remedy);
  message.body_case = TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_DIAGNOSTIC;
  message.diagnostic = &own;
  (void)send_message(exchange, &message, NULL); /* the call's status tells as much */
}

/* ---- HTTP, by the host */

static int error_of(uint32_t status) {
  switch (status) {
  case TRAMMEL_FAILED_PRECONDITION:
    return EDESTADDRREQ;
  case TRAMMEL_PERMISSION_DENIED:
    return EACCES;
  case TRAMMEL_RESOURCE_EXHAUSTED:
    return EFBIG;
  default:
    return status_errno((int)status);
  }
}

static int take_response(const PB(HttpResponse) * response, unsigned *ret_status, char **ret_body,
                         size_t *ret_body_length, struct error **err) {
  if (response->error != TRAMMEL_OK)
    return error_set(err, error_of(response->error), "%s", response->reason);
  char *body = malloc(response->body.len + 1);
  if (!body)
    return error_set(err, ENOMEM, "out of memory");
  if (response->body.len)
    memcpy(body, response->body.data, response->body.len);
  *ret_status = response->status;
  *ret_body = body;
  *ret_body_length = response->body.len;
  return 0;
}

/* On the adapter's thread, while the call's waits for the adapter. */
static int request(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                   const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                   unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  (void)ctx;
  (void)deadline_ns; /* the host has it, too */
  struct exchange *exchange = user;
  PB(HttpRequest) own = TRAMMEL__ADAPTER__V1__HTTP_REQUEST__INIT;
  PB(FromAdapter) message = TRAMMEL__ADAPTER__V1__FROM_ADAPTER__INIT;
  _cleanup_(to_adapter_free_p) PB(ToAdapter) *answer = NULL;
  own.endpoint = text(endpoint);
  own.method = text(method);
  own.path = text(path);
  own.content_type = text(content_type);
  own.body = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)body, .len = body_length};
  message.body_case = TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_HTTP;
  message.http = &own;
  int r = send_message(exchange, &message, err);
  if (r == 0)
    r = receive(exchange->call, &answer, err);
  if (r < 0)
    return r;
  if (!answer || answer->body_case != TRAMMEL__ADAPTER__V1__TO_ADAPTER__BODY_HTTP)
    return error_set(err, EPROTO, "the host answered with something that is no HTTP response");
  return take_response(answer->http, ret_status, ret_body, ret_body_length, err);
}

/* ---- calls */

static int create_instance(struct serving *serving, const char *config, const struct call_options *options,
                           struct error **err) {
  const struct inprocess_options placing = {
      .id = serving->id, .description = serving->description, .http = &serving->http};
  int r = inprocess_create(serving->adapter, &placing, config, options, &serving->instance, err);
  if (r == 0 && !(serving->config = strdup(config)))
    r = error_set(err, ENOMEM, "out of memory");
  return r;
}

/* The instance with this configuration: there is one for each connection. */
static int make_instance(struct serving *serving, ProtobufCBinaryData text, const struct call_options *options,
                         struct error **err) {
  _cleanup_free_ char *config = strndup((const char *)text.data, text.len);
  if (!config)
    return error_set(err, ENOMEM, "out of memory");
  int r = 0;
  pthread_mutex_lock(&serving->lock);
  if (!serving->instance)
    r = create_instance(serving, config, options, err);
  else if (!serving->config || strcmp(serving->config, config) != 0)
    r = error_set(err, EPROTO, "there is an instance already, with another configuration");
  pthread_mutex_unlock(&serving->lock);
  return r;
}

static int on_message(void *ctx, const uint8_t *data, size_t length) {
  PB(FromAdapter) message = answer_of(data, length);
  return send_message(ctx, &message, NULL);
}

/* The answer is a unary method's; one that streams has none. */
static int run(struct serving *serving, struct exchange *exchange, const PB(CallRequest) * call,
               const struct call_options *options, uint8_t **ret_answer, size_t *ret_length, struct error **err) {
  if (!*call->method)
    return make_instance(serving, call->request, options, err);
  int r = call->config.len ? make_instance(serving, call->config, options, err) : 0;
  if (r < 0)
    return r;
  pthread_mutex_lock(&serving->lock);
  struct inprocess *instance = serving->instance;
  pthread_mutex_unlock(&serving->lock);
  if (!instance && strcmp(call->method, "Describe") == 0) /* as it was told before anything was served */
    return message_pack(&serving->description->base, ret_answer, ret_length, err);
  if (!instance)
    return error_set(err, EPROTO, "there is no instance yet");
  return inprocess_call(instance, call->method, call->request.data, call->request.len,
                        call->streaming ? on_message : NULL, exchange, options, ret_answer, ret_length, err);
}

static int serve_exchange(struct serving *serving, struct exchange *exchange, struct error **err) {
  _cleanup_(to_adapter_free_p) PB(ToAdapter) *first = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = diagnostics ? receive(exchange->call, &first, err) : error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    return r;
  if (!first || first->body_case != TRAMMEL__ADAPTER__V1__TO_ADAPTER__BODY_REQUEST)
    return error_set(err, EPROTO, "a call begins with its request");
  const struct call_options options = {.deadline_ns = rpc_call_deadline(exchange->call),
                                       .cancel = rpc_call_cancelled(exchange->call),
                                       .diagnostics = diagnostics,
                                       .user = exchange};
  _cleanup_free_ uint8_t *answer = NULL;
  size_t length = 0;
  r = run(serving, exchange, first->request, &options, &answer, &length, err);
  for (size_t i = 0; i < diagnostics_count(diagnostics); i++)
    send_diagnostic(exchange, diagnostics_at(diagnostics, i));
  return r == 0 && answer ? send_only_answer(exchange, answer, length, err) : r;
}

static int serve_call(void *ctx, struct rpc_call *call, const char *method, char **ret_text) {
  struct exchange exchange = {.call = call, .sending = PTHREAD_MUTEX_INITIALIZER};
  _cleanup_error_ struct error *err = NULL;
  int r = strcmp(method, PLACEMENT_CALL) == 0 ? serve_exchange(ctx, &exchange, &err)
                                              : error_set(&err, ENOTSUP, "there is no method %s", method);
  pthread_mutex_destroy(&exchange.sending);
  *ret_text = r < 0 ? strdup(error_message(err)) : NULL;
  return status_of_errno(r);
}

/* ---- the adapter */

/* As in the scan: without a configuration. */
static int describe(struct serving *serving, struct error **err) {
  struct inprocess *inprocess = NULL;
  const struct inprocess_options options = {.id = serving->id};
  const struct call_options call = {0};
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  ProtobufCMessage *message = NULL;
  int r = inprocess_create(serving->adapter, &options, "", &call, &inprocess, err);
  if (r == 0)
    r = inprocess_call(inprocess, "Describe", NULL, 0, NULL, NULL, &call, &data, &length, err);
  inprocess_destroy(inprocess);
  if (r == 0)
    r = message_unpack(&trammel__adapter__v1__describe_response__descriptor, data, length, MESSAGE_MEMORY_MAX, &message,
                       err);
  if (r == 0)
    serving->description = (PB(DescribeResponse) *)message;
  return r;
}

/* To the host, which reads what this process writes: "<LEVEL>line", LEVEL as in trammel/abi.h. */
static void write_log(void *ctx, const char *adapter, uint32_t level, const char *line) {
  (void)ctx;
  (void)adapter;
  (void)fprintf(stderr, "<%" PRIu32 ">%s\n", level, line);
}

static int load(bool partly, struct gate *gate, struct serving *serving, struct error **err) {
  int r = supervise(err);
  if (r == 0)
    r = confinement_enter(RUNNER_FILE_FD, partly, err);
  if (r == 0)
    r = gate_take(RUNNER_FILE_FD, gate, err);
  if (r == 0)
    r = loader_load(gate, &serving->adapter, err);
  if (r == 0)
    r = confinement_seal(err);
  serving->id = gate->note.id;
  return r < 0 ? r : describe(serving, err);
}

int serve(bool partly) {
  struct gate gate = {.fd = -1};
  struct serving serving = {.lock = PTHREAD_MUTEX_INITIALIZER, .http = {.request = request}};
  const struct rpc_service service = {.ctx = &serving, .serve = serve_call};
  _cleanup_error_ struct error *err = NULL;
  adapter_log_to(write_log, NULL);
  int r = load(partly, &gate, &serving, &err);
  if (r == 0)
    r = rpc_serve(RUNNER_CHANNEL_FD, &service, &err);
  if (r < 0)
    (void)fprintf(stderr, "%s\n", error_message(err));
  return r < 0 ? 1 : 0;
}
