#include "sdk/adapter/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sdk/adapter/codec.h"
#include "sdk/adapter/instance.h"
#include "sdk/adapter/internal.h"
#include "sdk/base/document.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

struct arena *call_arena(struct call *call) {
  return call->arena;
}

const json_t *call_config(const struct call *call) {
  return call->config;
}

const struct adapter_class *call_class(const struct call *call) {
  return call->instance->class;
}

const struct adapter_identity *call_identity(const struct call *call) {
  return call->instance->identity;
}

bool call_cancelled(struct call *call) {
  return call->op_api->cancelled(call->op);
}

int call_cancel_fd(struct call *call) {
  return call->op_api->cancel_fd(call->op);
}

int64_t call_deadline_ns(struct call *call) {
  return call->op_api->deadline_ns(call->op);
}

void call_out_of_memory(struct call *call) {
  atomic_store(&call->failed, true);
}

void *call_alloc(struct call *call, size_t size) {
  void *memory = arena_alloc(call->arena, size);
  if (!memory)
    call_out_of_memory(call);
  return memory;
}

char *call_text(struct call *call, const char *text) {
  static char empty[1];
  if (!text || !*text)
    return empty;
  char *copy = arena_strdup(call->arena, text);
  if (copy)
    return copy;
  call_out_of_memory(call);
  return empty;
}

void call_unwritten(struct call *call, int r) {
  if (r == -E2BIG && !atomic_exchange(&call->told, true))
    (void)call_fail(call, TRAMMEL_RESOURCE_EXHAUSTED, "SDK-0023",
                    "what is to be written as JSON is nested too deep: it may have %d levels", DOCUMENT_DEPTH_MAX);
  call_out_of_memory(call);
}

char *call_json_text(struct call *call, const json_t *value) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  int r = value ? json_write_compact(value, &buffer) : -ENOMEM;
  char *text = r == 0 ? arena_strndup(call->arena, strbuf_text(&buffer), buffer.length) : NULL;
  if (!text)
    call_unwritten(call, r);
  return text;
}

/* Most lists have one item: sources of an object, objects of a rule. */
static int reserve_item(struct call *call, struct pointers *list) {
  if (list->capacity > 0)
    return arena_reserve(call->arena, (void **)&list->items, &list->capacity, list->count, sizeof *list->items);
  list->items = arena_array(call->arena, 1, sizeof *list->items);
  list->capacity = list->items ? 1 : 0;
  return list->items ? 0 : -ENOMEM;
}

void pointers_add(struct call *call, struct pointers *list, void *item) {
  if (reserve_item(call, list) < 0) {
    call_out_of_memory(call);
    return;
  }
  list->items[list->count++] = item;
}

static trammel_str str(const char *text) {
  return text ? (trammel_str){text, strlen(text)} : (trammel_str){NULL, 0};
}

void call_log(struct call *call, uint32_t level, const char *format, ...) {
  const trammel_log_api *api = call->instance->log_api;
  if (!api)
    return;
  char line[1024];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (n < 0)
    return;
  size_t length = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
  api->write(call->instance->host, level, (trammel_str){line, length});
}

static void diagnosev(struct call *call, const struct finding *finding, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void diagnosev(struct call *call, const struct finding *finding, const char *format, va_list args) {
  char summary[1024];
  char resource[600] = "";
  if (vsnprintf(summary, sizeof summary, format, args) < 0)
    summary[0] = '\0';
  if (finding->resource)
    (void)snprintf(resource, sizeof resource, "%s %s/%s", smi_kind_name(finding->resource->kind), finding->resource->ns,
                   finding->resource->name);
  trammel_diagnostic diagnostic = {.size = sizeof diagnostic,
                                   .severity = finding->severity,
                                   .flags = finding->flags,
                                   .code = str(finding->code),
                                   .resource = str(resource),
                                   .pointer = str(finding->pointer),
                                   .summary = str(summary),
                                   .detail = str(finding->detail),
                                   .cause = str(finding->cause),
                                   .remedy = str(finding->remedy)};
  call->op_api->diagnose(call->op, &diagnostic);
}

void call_diagnose(struct call *call, const struct finding *finding, const char *format, ...) {
  va_list args;
  va_start(args, format);
  diagnosev(call, finding, format, args);
  va_end(args);
}

int call_fail(struct call *call, int status, const char *code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  diagnosev(call, &(struct finding){.severity = TRAMMEL_ERROR, .code = code}, format, args);
  va_end(args);
  return status;
}

int call_http(struct call *call, const struct call_http *request, struct call_http_answer *ret_answer) {
  const trammel_http_api *api = call->instance->http_api;
  if (!api)
    return call_fail(call, TRAMMEL_FAILED_PRECONDITION, "SDK-0001", "the host offers no HTTP service (%s)",
                     TRAMMEL_HTTP_SERVICE);
  trammel_http_header type = {str("content-type"),
                              str(request->content_type ? request->content_type : "application/json")};
  trammel_http_request message = {.size = sizeof message,
                                  .header_count = request->body_length ? 1 : 0,
                                  .endpoint = str(request->endpoint),
                                  .method = str(request->method ? request->method : "GET"),
                                  .path = str(request->path),
                                  .headers = &type,
                                  .body = {request->body, request->body_length}};
  trammel_http_response response = {.size = sizeof response};
  int status = api->request(call->op, &message, &response);
  if (status != TRAMMEL_OK)
    return status;
  char *body = arena_strndup(call->arena, response.body.n ? response.body.p : "", response.body.n);
  char *content_type =
      arena_strndup(call->arena, response.content_type.n ? response.content_type.p : "", response.content_type.n);
  if (!body || !content_type)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  *ret_answer = (struct call_http_answer){
      .status = response.status, .content_type = content_type, .body = body, .body_length = response.body.n};
  return TRAMMEL_OK;
}

int call_get_json(struct call *call, const char *endpoint, const char *path, const char *code,
                  const json_t **ret_body) {
  struct call_http_answer answer = {0};
  int status = call_http(call, &(struct call_http){.endpoint = endpoint, .path = path}, &answer);
  if (status != TRAMMEL_OK)
    return status;
  if (answer.status != 200)
    return call_fail(call, TRAMMEL_UNAVAILABLE, code, "GET %s at endpoint %s answered %u, expected 200", path, endpoint,
                     answer.status);
  if (call->document_count == CALL_JSON_MAX)
    return call_fail(call, TRAMMEL_RESOURCE_EXHAUSTED, code, "more than %d JSON documents in one call", CALL_JSON_MAX);
  _cleanup_error_ struct error *err = NULL;
  json_t *body = NULL;
  int r = json_read(answer.body, answer.body_length, &body, &err);
  if (r == -ENOMEM)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (r < 0)
    return call_fail(call, TRAMMEL_UNAVAILABLE, code, "GET %s at endpoint %s answered no JSON: %s", path, endpoint,
                     error_message(err));
  call->documents[call->document_count++] = body;
  *ret_body = body;
  return TRAMMEL_OK;
}

void call_forget_request(struct call *call) {
  arena_destroy(take(call->request));
}

static int emit(struct call *call, const ProtobufCMessage *message, bool last) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = message_pack(message, &data, &length, &err);
  if (last) {
    call_forget_request(call);
    arena_destroy(take(call->arena));
  }
  if (r == 0)
    r = call->op_api->emit(call->op, (trammel_str){(const char *)data, length});
  switch (r) {
  case 0:
    return TRAMMEL_OK;
  case -ECANCELED:
    return TRAMMEL_CANCELLED;
  case -EMSGSIZE:
    return call_fail(call, TRAMMEL_RESOURCE_EXHAUSTED, "SDK-0002", "the response is too large: %s",
                     err ? error_message(err) : "the host takes no message of that size");
  case -ENOMEM:
    return TRAMMEL_RESOURCE_EXHAUSTED;
  default:
    return TRAMMEL_INTERNAL;
  }
}

int call_emit(struct call *call, const ProtobufCMessage *message) {
  return emit(call, message, false);
}

int call_answer(struct call *call, const ProtobufCMessage *message) {
  return emit(call, message, true);
}

int call_bad_request(struct call *call, const char *method, const struct error *err) {
  int status =
      error_code(err) == ENOMEM || error_code(err) == EMSGSIZE ? TRAMMEL_RESOURCE_EXHAUSTED : TRAMMEL_INVALID_ARGUMENT;
  return call_fail(call, status, "SDK-0003", "the request of %s cannot be taken: %s", method, error_message(err));
}
