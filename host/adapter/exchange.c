/* A call over a channel: what the adapter sends back, and what it asks of the host meanwhile. */
#include "host/adapter/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/instance.h"
#include "host/adapter/op.h"
#include "host/adapter/placement.h"
#include "host/adapter/runner_protocol.h"
#include "host/adapter/services.h"
#include "host/adapter/status.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/clock.h"
#include "sdk/base/utf8.h"
#include "trammel/adapter/v1/placement.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name

/* Codes of calls that did not come to the adapter's return: docs/diagnostics.md. */
#define LOST_CODE "ADAPTER-0010"
#define LOST_CHANGED_CODE "ADAPTER-0011" /* the mesh may have been changed */

static void from_adapter_free(PB(FromAdapter) * message) {
  if (message)
    trammel__adapter__v1__from_adapter__free_unpacked(message, NULL);
}
DEFINE_CLEANUP(PB(FromAdapter) *, from_adapter_free);

static int send_response(struct exchange *exchange, PB(HttpResponse) * response) {
  PB(ToAdapter) message = TRAMMEL__ADAPTER__V1__TO_ADAPTER__INIT;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  message.body_case = TRAMMEL__ADAPTER__V1__TO_ADAPTER__BODY_HTTP;
  message.http = response;
  int r = message_pack(&message.base, &data, &length, NULL);
  return r < 0 ? r : rpc_send(exchange->rpc, data, length);
}

static int refuse_request(struct exchange *exchange, int status, const char *reason) {
  PB(HttpResponse) response = TRAMMEL__ADAPTER__V1__HTTP_RESPONSE__INIT;
  response.error = (uint32_t)status;
  response.reason = (char *)(uintptr_t)reason;
  return send_response(exchange, &response);
}

/* What the other end sent is from outside: its own check of permissions does not count here. */
static int carry_out(struct exchange *exchange, const PB(HttpRequest) * request) {
  const struct adapter_http *http = exchange->http;
  const char *reason = NULL;
  if (permission_check(exchange->entry->description, request->endpoint, request->method, request->path, &reason) < 0)
    return refuse_request(exchange, TRAMMEL_PERMISSION_DENIED, reason ? reason : "it is not among the permissions");
  if (!http)
    return refuse_request(exchange, TRAMMEL_FAILED_PRECONDITION, "the endpoint has no address");
  if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
    exchange->changed = true;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *body = NULL;
  PB(HttpResponse) response = TRAMMEL__ADAPTER__V1__HTTP_RESPONSE__INIT;
  unsigned status = 0;
  size_t length = 0;
  int r = http->request(http->ctx, exchange->options->user, request->endpoint, request->method, request->path,
                        *request->content_type ? request->content_type : NULL,
                        request->body.len ? request->body.data : NULL, request->body.len, exchange->deadline_ns,
                        &status, &body, &length, &err);
  if (r < 0)
    return refuse_request(exchange, http_status_of_errno(r), err ? error_message(err) : strerror(-r));
  response.status = status;
  response.body = (ProtobufCBinaryData){.data = (uint8_t *)body, .len = length};
  return send_response(exchange, &response);
}

/* Bytes of one string of a diagnostic. */
#define TEXT_MAX 4096

/* A text from the other end, made safe to show; NULL when it is empty. `room` holds it. */
static const char *clean(struct strbuf *room, const char *text) {
  utf8_append_safe(room, text, strnlen(text, TEXT_MAX), "\n");
  return room->length ? strbuf_text(room) : NULL;
}

/* Those that say what is known of effects are the host's. */
static bool is_own(const char *code) {
  return strcmp(code, LOST_CODE) == 0 || strcmp(code, LOST_CHANGED_CODE) == 0;
}

static void keep_diagnostic(struct exchange *exchange, const PB(CallDiagnostic) * from) {
  _cleanup_strbuf_ struct strbuf code = STRBUF_INIT, pointer = STRBUF_INIT, summary = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf detail = STRBUF_INIT, remedy = STRBUF_INIT;
  bool known = from->severity >= SEVERITY_INFO && from->severity <= SEVERITY_ERROR;
  bool plain = *from->code && !is_own(from->code);
  const char *text = clean(&summary, from->summary);
  const struct diagnostic diagnostic = {.severity = known ? (enum severity)from->severity : SEVERITY_ERROR,
                                        .code = clean(&code, plain ? from->code : "ADAPTER"),
                                        .pointer = clean(&pointer, from->pointer),
                                        .summary = text ? text : "",
                                        .detail = clean(&detail, from->detail),
                                        .remedy = clean(&remedy, from->remedy)};
  (void)diagnostics_add(exchange->options->diagnostics, &diagnostic);
}

static int take_message(struct exchange *exchange, PB(FromAdapter) * from) {
  exchange->messages++;
  if (exchange->call->on_message) {
    exchange->stopped = exchange->call->on_message(exchange->call->ctx, from->message.data, from->message.len) != 0;
    return exchange->stopped ? -ECANCELED : 0;
  }
  if (exchange->messages == 1) {
    exchange->message = take(from->message.data);
    exchange->length = from->message.len;
    from->message.len = 0;
  }
  return 0;
}

static int take_in(struct exchange *exchange, const uint8_t *data, size_t length, struct error **err) {
  ProtobufCMessage *unpacked = NULL;
  int r =
      message_unpack(&trammel__adapter__v1__from_adapter__descriptor, data, length, MESSAGE_MEMORY_MAX, &unpacked, err);
  if (r < 0)
    return r == -ENOMEM ? r : -EPROTO;
  _cleanup_(from_adapter_free_p) PB(FromAdapter) *message = (PB(FromAdapter) *)unpacked;
  switch (message->body_case) {
  case TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_MESSAGE:
    return take_message(exchange, message);
  case TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_DIAGNOSTIC:
    keep_diagnostic(exchange, message->diagnostic);
    return 0;
  case TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_HTTP:
    (void)carry_out(exchange, message->http); /* whether it arrives shows at the end */
    return 0;
  default:
    return 0; /* a later version's */
  }
}

/* Until the call is over. 0, or why it was given up: then it is cancelled. */
static int converse(struct exchange *exchange, struct error **err) {
  int r = 0;
  for (;;) {
    _cleanup_free_ uint8_t *data = NULL;
    size_t length = 0;
    int got = rpc_receive(exchange->rpc, exchange->options->cancel, &data, &length);
    if (got == 0)
      return r;
    if (r == 0)
      r = got < 0 ? error_set(err, -got, "out of memory") : take_in(exchange, data, length, err);
    if (r < 0)
      rpc_cancel(exchange->rpc);
  }
}

static int begin(struct exchange *exchange, struct rpc_channel *channel, struct error **err) {
  PB(CallRequest) request = TRAMMEL__ADAPTER__V1__CALL_REQUEST__INIT;
  PB(ToAdapter) message = TRAMMEL__ADAPTER__V1__TO_ADAPTER__INIT;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  request.method = (char *)(uintptr_t)exchange->call->method;
  request.request =
      (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)exchange->call->request, .len = exchange->call->length};
  request.streaming = exchange->call->on_message != NULL;
  if (exchange->config)
    request.config =
        (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)exchange->config, .len = strlen(exchange->config)};
  message.body_case = TRAMMEL__ADAPTER__V1__TO_ADAPTER__BODY_REQUEST;
  message.request = &request;
  int r = message_pack(&message.base, &data, &length, err);
  if (r == 0 && rpc_call_start(channel, PLACEMENT_CALL, exchange->deadline_ns, data, length, &exchange->rpc) < 0)
    r = error_set(err, ENOMEM, "out of memory");
  return r;
}

/* ---- how it ended */

static const char *method_name(const struct exchange *exchange) {
  return *exchange->call->method ? exchange->call->method : "create";
}

static const char *effects(const struct exchange *exchange) {
  return exchange->changed ? "; whether the mesh was changed is not known: it had sent a request that may have"
                           : "; it had sent nothing that changes the mesh";
}

int exchange_cut_short(const struct exchange *exchange, int code, const char *why, const char *detail,
                       struct error **err) {
  const char *id = exchange->entry->id;
  const char *method = method_name(exchange);
  const struct diagnostic diagnostic = {.severity = SEVERITY_ERROR,
                                        .code = exchange->changed ? LOST_CHANGED_CODE : LOST_CODE,
                                        .detail = detail,
                                        .remedy = exchange->changed ? "look at what the mesh has before you try again"
                                                                    : "try again, and tell the adapter's vendor"};
  (void)diagnostics_addf(exchange->options->diagnostics, &diagnostic, "adapter %s: %s: %s%s", id, method, why,
                         effects(exchange));
  return error_set(err, code, "adapter %s: %s: %s%s", id, method, why, effects(exchange));
}

/* What another process sent, as text for people. */
static void keep_why(char ret_why[static EXCHANGE_WHY_MAX], const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strnlen(text, EXCHANGE_WHY_MAX), "");
  (void)snprintf(ret_why, EXCHANGE_WHY_MAX, "%s", strbuf_text(&safe));
}

/* What a runner says of a call that the adapter returned from begins so; what gRPC says does not. Those who serve an
 * adapter otherwise say what they like. */
static bool returned(const struct exchange *exchange, const char *text) {
  char start[80];
  int n = snprintf(start, sizeof start, "adapter %s: ", exchange->entry->id);
  return exchange->entry->remote || strncmp(text, start, (size_t)n) == 0;
}

static enum exchange_end end_of_failure(const struct exchange *exchange, struct rpc_channel *channel,
                                        const struct rpc_status *status) {
  const atomic_bool *cancel = exchange->options->cancel;
  if (rpc_channel_lost(channel))
    return EXCHANGE_LOST;
  if (status->code == TRAMMEL_DEADLINE_EXCEEDED && clock_monotonic_ns() >= exchange->deadline_ns)
    return EXCHANGE_LATE;
  if (status->code == TRAMMEL_CANCELLED && cancel && atomic_load(cancel))
    return EXCHANGE_CANCELLED;
  if (status->code == TRAMMEL_UNAVAILABLE)
    return EXCHANGE_LOST;
  return returned(exchange, status->text ? status->text : "") ? EXCHANGE_RETURNED : EXCHANGE_FAILED;
}

static int judge_failure(const struct exchange *exchange, struct rpc_channel *channel, const struct rpc_status *status,
                         enum exchange_end *ret_end, char ret_why[static EXCHANGE_WHY_MAX], struct error **err) {
  keep_why(ret_why, status->text && *status->text ? status->text : "it failed without a reason");
  *ret_end = end_of_failure(exchange, channel, status);
  int code = status_errno(status->code);
  return *ret_end == EXCHANGE_RETURNED ? error_set(err, code, "%s", ret_why) : -code;
}

static int judge_answer(const struct exchange *exchange, enum exchange_end *ret_end,
                        char ret_why[static EXCHANGE_WHY_MAX]) {
  if (exchange->call->on_message || !*exchange->call->method || exchange->messages == 1)
    return 0;
  *ret_end = EXCHANGE_MALFORMED;
  (void)snprintf(ret_why, EXCHANGE_WHY_MAX, "it sent %u messages, a unary method sends exactly one",
                 exchange->messages);
  return -EPROTO;
}

static int fail(int r, const struct error *reason, enum exchange_end end, enum exchange_end *ret_end,
                char ret_why[static EXCHANGE_WHY_MAX]) {
  *ret_end = end;
  keep_why(ret_why, reason ? error_message(reason) : strerror(-r));
  return r;
}

static enum exchange_end end_given_up(const struct exchange *exchange, int r) {
  return exchange->stopped ? EXCHANGE_CANCELLED : r == -EPROTO ? EXCHANGE_MALFORMED : EXCHANGE_FAILED;
}

int exchange_run(struct exchange *exchange, struct rpc_channel *channel, enum exchange_end *ret_end,
                 char ret_why[static EXCHANGE_WHY_MAX], struct error **err) {
  _cleanup_error_ struct error *reason = NULL;
  struct rpc_status status;
  *ret_end = EXCHANGE_RETURNED;
  int r = begin(exchange, channel, &reason);
  if (r < 0)
    return fail(r, reason, EXCHANGE_FAILED, ret_end, ret_why);
  r = converse(exchange, &reason);
  rpc_call_finish(exchange->rpc, &status);
  if (r < 0)
    r = fail(r, reason, end_given_up(exchange, r), ret_end, ret_why);
  else if (status.code == TRAMMEL_OK)
    r = judge_answer(exchange, ret_end, ret_why);
  else
    r = judge_failure(exchange, channel, &status, ret_end, ret_why, err);
  free(status.text);
  rpc_call_destroy(exchange->rpc);
  exchange->rpc = NULL;
  return r;
}
