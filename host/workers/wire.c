#include "host/workers/wire.h"

#include <errno.h>
#include <string.h>

#include "sdk/adapter/codec.h"
#include "sdk/base/memory.h"

#define PB(name) Trammel__Load__V1__##name

static char *text(const char *borrowed) {
  static char none[] = "";
  return borrowed ? (char *)(uintptr_t)borrowed : none;
}

static const char *given(const char *from) {
  return *from ? from : NULL;
}

/* ---- what is to be done */

_Static_assert(sizeof(void *) != 8 || sizeof(struct target_options) == 120,
               "what is new of a target, workers must hear");

static void assign_target(const struct target_options *from, struct wire_assignment *to) {
  PB(Target) *target = &to->target;
  *target = (PB(Target))TRAMMEL__LOAD__V1__TARGET__INIT;
  to->tls = (PB(Tls))TRAMMEL__LOAD__V1__TLS__INIT;
  target->url = text(from->url);
  target->method = text(from->method);
  target->headers = (char **)(uintptr_t)from->headers;
  target->n_headers = from->header_count;
  target->body = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)from->body, .len = from->body_length};
  target->has_body = from->body != NULL;
  target->fresh = from->fresh;
  target->http2 = from->http2;
  target->streams = from->streams;
  target->grpc = text(from->grpc);
  target->grpc_messages = from->grpc_messages;
  target->has_grpc_health = from->grpc_health != NULL;
  target->grpc_health = text(from->grpc_health);
  to->tls.trust_file = text(from->tls.trust_file);
  to->tls.certificate_file = text(from->tls.certificate_file);
  to->tls.key_file = text(from->tls.key_file);
  to->tls.server_name = text(from->tls.server_name);
  to->tls.insecure = from->tls.insecure;
  target->tls = &to->tls;
}

static void assign_load(const struct load_options *from, struct wire_assignment *to) {
  PB(Load) *load = &to->load;
  *load = (PB(Load))TRAMMEL__LOAD__V1__LOAD__INIT;
  load->schedule = text(schedule_kind_name(from->schedule.kind));
  load->rate = from->schedule.rate;
  load->rate_end = from->schedule.rate_end;
  load->rate_step = from->schedule.rate_step;
  load->rate_swing = from->schedule.rate_swing;
  load->period_ns = from->schedule.period_ns;
  load->duration_ns = from->schedule.duration_ns;
  load->seed = from->schedule.seed;
  load->threads = from->threads;
  load->connections = from->connections;
  load->warm_up_ns = from->warm_up_ns;
  load->connect_timeout_ns = from->connect_timeout_ns;
  load->timeout_ns = from->timeout_ns;
  load->drain_ns = from->drain_ns;
}

void wire_assign(const struct target_options *target, const struct load_options *load,
                 struct wire_assignment *ret_assignment) {
  assign_target(target, ret_assignment);
  assign_load(load, ret_assignment);
  ret_assignment->message = (PB(Assignment))TRAMMEL__LOAD__V1__ASSIGNMENT__INIT;
  ret_assignment->message.target = &ret_assignment->target;
  ret_assignment->message.load = &ret_assignment->load;
  ret_assignment->message.worker = load->share.worker;
  ret_assignment->message.workers = load->share.workers;
}

static void take_target(const PB(Target) * from, const char *headers[TARGET_HEADERS_MAX], struct target_options *to) {
  for (size_t i = 0; i < from->n_headers; i++)
    headers[i] = from->headers[i];
  *to = (struct target_options){.url = from->url,
                                .method = given(from->method),
                                .headers = headers,
                                .header_count = from->n_headers,
                                .body = from->has_body ? (const char *)from->body.data : NULL,
                                .body_length = from->body.len,
                                .fresh = from->fresh,
                                .http2 = from->http2,
                                .streams = from->streams,
                                .grpc = given(from->grpc),
                                .grpc_messages = from->grpc_messages,
                                .grpc_health = from->has_grpc_health ? from->grpc_health : NULL};
  if (from->has_body && from->body.len == 0)
    to->body = "";
  if (from->tls)
    to->tls = (struct tls_options){.trust_file = given(from->tls->trust_file),
                                   .certificate_file = given(from->tls->certificate_file),
                                   .key_file = given(from->tls->key_file),
                                   .server_name = given(from->tls->server_name),
                                   .insecure = from->tls->insecure};
}

int wire_take_assignment(const PB(Assignment) * message, const char *headers[TARGET_HEADERS_MAX],
                         struct target_options *ret_target, struct load_options *ret_load, struct error **err) {
  const PB(Load) *load = message->load;
  if (!load || !message->target)
    return error_set(err, EINVAL, "an assignment has a target and a load");
  int kind = schedule_kind_parse(load->schedule);
  if (kind < 0)
    return error_set(err, EINVAL, "there is no schedule '%.40s'", load->schedule);
  if (message->target->n_headers > TARGET_HEADERS_MAX)
    return error_set(err, EINVAL, "at most %d headers", TARGET_HEADERS_MAX);
  if (load->warm_up_ns < 0 || load->connect_timeout_ns < 0 || load->timeout_ns < 0 || load->drain_ns < 0)
    return error_set(err, EINVAL, "a time is below 0");
  take_target(message->target, headers, ret_target);
  *ret_load = (struct load_options){.schedule = {.kind = (enum schedule_kind)kind,
                                                 .rate = load->rate,
                                                 .rate_end = load->rate_end,
                                                 .rate_step = load->rate_step,
                                                 .rate_swing = load->rate_swing,
                                                 .period_ns = load->period_ns,
                                                 .duration_ns = load->duration_ns,
                                                 .seed = load->seed},
                                    .threads = load->threads,
                                    .connections = load->connections,
                                    .share = {.worker = message->worker, .workers = message->workers},
                                    .warm_up_ns = load->warm_up_ns,
                                    .connect_timeout_ns = load->connect_timeout_ns,
                                    .timeout_ns = load->timeout_ns,
                                    .drain_ns = load->drain_ns};
  return 0;
}

/* ---- messages */

int wire_send(struct rpc_call *call, const ProtobufCMessage *message) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = message_pack(message, &data, &length, NULL);
  return r < 0 ? r : rpc_send(call, data, length);
}

int wire_receive(struct rpc_call *call, const atomic_bool *cancel, const ProtobufCMessageDescriptor *type,
                 ProtobufCMessage **ret_message) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = rpc_receive(call, cancel, &data, &length);
  if (r <= 0)
    return r;
  r = message_unpack(type, data, length, MESSAGE_MEMORY_MAX, ret_message, NULL);
  return r < 0 ? r : 1;
}
