#include "host/lab/workload/exchange.h"

#include <errno.h>
#include <string.h>

#include "host/lab/workload/header.h"
#include "host/lab/workload/json_text.h"

void exchange_finish(struct exchange *exchange) {
  strbuf_finish(&exchange->path);
  strbuf_finish(&exchange->body);
  strbuf_finish(&exchange->reply);
}

void exchange_begin(struct exchange *exchange, const char *protocol, uint16_t port) {
  strbuf_clear(&exchange->path);
  strbuf_clear(&exchange->body);
  strbuf_clear(&exchange->reply);
  exchange->head_length = 0;
  exchange->body_length = 0;
  exchange->reply_type = "application/json";
  exchange->protocol = protocol;
  exchange->status = 0;
  exchange->port = port;
  exchange->method[0] = '\0';
  exchange->answer = 0;
  exchange->has_id = false;
  exchange->id[0] = '\0';
  exchange->caller[0] = '\0';
  exchange->content_type[0] = '\0';
  exchange->nonce[0] = '\0';
}

void exchange_fail(struct exchange *exchange, unsigned status, const char *reason) {
  exchange->status = status;
  exchange->reply_type = "application/json";
  strbuf_clear(&exchange->reply);
  json_text_error(&exchange->reply, reason);
}

static int head_grow(struct exchange *exchange, size_t length) {
  exchange->head_length += length;
  if (exchange->head_length <= WORKLOAD_HEAD_MAX)
    return 0;
  exchange_fail(exchange, 431, "the request's head is over 64 KiB");
  return -E2BIG;
}

int exchange_path(struct exchange *exchange, const char *text, size_t length) {
  int r = head_grow(exchange, length);
  if (r == 0)
    strbuf_append(&exchange->path, text, length);
  return r;
}

/* False when it does not fit. */
static bool value_keep(char *field, size_t size, const char *value, size_t length) {
  if (length >= size)
    return false;
  memcpy(field, value, length);
  field[length] = '\0';
  return true;
}

static int take_id(struct exchange *exchange, const char *value, size_t length) {
  if (exchange->has_id) {
    exchange_fail(exchange, 400, "x-trammel-id came twice");
    return -EINVAL;
  }
  exchange->has_id = true;
  if (value_keep(exchange->id, sizeof(exchange->id), value, length))
    return 0;
  exchange_fail(exchange, 400, "x-trammel-id is longer than 64 characters");
  return -E2BIG;
}

/* The status to answer with: a final one that has a body. */
static int take_answer(struct exchange *exchange, const char *value, size_t length) {
  unsigned status = 0;
  for (size_t i = 0; length == 3 && i < length && value[i] >= '0' && value[i] <= '9'; i++)
    status = status * 10 + (unsigned)(value[i] - '0');
  if (status >= 200 && status <= 599 && status != 204 && status != 205 && status != 304) {
    exchange->answer = status;
    return 0;
  }
  exchange_fail(exchange, 400, "x-trammel-answer must be a status from 200 to 599 that has a body");
  return -EINVAL;
}

int exchange_header(struct exchange *exchange, const char *name, size_t name_length, const char *value,
                    size_t value_length) {
  int r = head_grow(exchange, name_length + value_length + 4); /* ": " and the line's end */
  if (r < 0)
    return r;
  if (header_name_is(name, name_length, "x-trammel-id")) {
    r = take_id(exchange, value, value_length);
  } else if (header_name_is(name, name_length, "x-trammel-answer")) {
    r = take_answer(exchange, value, value_length);
  } else if (header_name_is(name, name_length, "servicename")) {
    (void)value_keep(exchange->caller, sizeof(exchange->caller), value, value_length);
  } else if (header_name_is(name, name_length, "content-type")) {
    (void)value_keep(exchange->content_type, sizeof(exchange->content_type), value, value_length);
  }
  return r;
}

/* The path without its query. */
static bool path_is(const struct exchange *exchange, const char *path) {
  const char *text = strbuf_text(&exchange->path);
  size_t length = strcspn(text, "?");
  return strlen(path) == length && strncmp(text, path, length) == 0;
}

static bool is_echo(const struct exchange *exchange) {
  return path_is(exchange, "/echo") && (strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "POST") == 0);
}

bool exchange_is_call(const struct exchange *exchange) {
  return path_is(exchange, "/call") && strcmp(exchange->method, "POST") == 0;
}

int exchange_body(struct exchange *exchange, const void *data, size_t length) {
  exchange->body_length += length;
  if (exchange->body_length > WORKLOAD_BODY_MAX) {
    exchange_fail(exchange, 413, "the request's body is over 1 MiB");
    return -E2BIG;
  }
  if (is_echo(exchange) || exchange_is_call(exchange))
    strbuf_append(&exchange->body, data, length);
  return 0;
}

void exchange_accept(struct exchange *exchange, struct service *service) {
  int r = service_accept(service, exchange->id, strlen(exchange->id), exchange->port, exchange->nonce);
  if (r < 0) {
    exchange->nonce[0] = '\0';
    exchange_fail(exchange, r == -EINVAL ? 400 : 500,
                  r == -EINVAL ? "x-trammel-id must be of A-Z a-z 0-9 . _ -" : "no random bytes for a nonce");
    return;
  }
  if (exchange_is_call(exchange) || is_echo(exchange))
    metrics_received(&service->metrics, exchange->caller);
}

static void append_member(struct strbuf *out, const char *name, const char *value) {
  strbuf_puts(out, name);
  json_text_puts(out, value);
}

static void answer_description(struct exchange *exchange, const struct service *service) {
  struct strbuf *reply = &exchange->reply;
  append_member(reply, "{\"server\":", service->name);
  append_member(reply, ",\"nonce\":", exchange->nonce);
  append_member(reply, ",\"id\":", exchange->id);
  append_member(reply, ",\"method\":", exchange->method);
  append_member(reply, ",\"path\":", strbuf_text(&exchange->path));
  append_member(reply, ",\"protocol\":", exchange->protocol);
  strbuf_puts(reply, "}\n");
}

void exchange_answer(struct exchange *exchange, const struct service *service) {
  if (exchange->status != 0)
    return;
  if (is_echo(exchange)) {
    strbuf_finish(&exchange->reply);
    exchange->reply = take(exchange->body);
    exchange->reply_type = exchange->content_type[0] ? exchange->content_type : "application/octet-stream";
  } else {
    answer_description(exchange, service);
  }
  exchange->status = exchange->answer ? exchange->answer : 200;
  if (strbuf_failed(&exchange->path) || strbuf_failed(&exchange->body) || strbuf_failed(&exchange->reply))
    exchange_fail(exchange, 500, "out of memory");
}
