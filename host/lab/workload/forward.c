#include "host/lab/workload/forward.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/batch.h"
#include "host/lab/workload/json_text.h"
#include "host/lab/workload/members.h"
#include "host/lab/workload/url.h"

#define FORWARD_TIMEOUT ((struct timeval){10, 0})

struct forward {
  struct event_base *base;
  struct service *service;
  forward_done_fn done;
  void *user;
  json_t *json; /* owns the strings */
  const char *url_text;
  struct url url;
  struct call_header headers[WORKLOAD_HEADERS_MAX + 1]; /* and who calls */
  struct call_request request;
  struct call_sink sink;
  struct lookup *lookup;
  struct caller *caller;
  struct event *begin;
  struct event *timeout;
  struct endpoint endpoint;
};

static void count_call(struct forward *forward, bool succeeded) {
  const json_t *headers = json_object_get(forward->json, "headers");
  _cleanup_free_ char *text = headers ? json_dumps(headers, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY) : NULL;
  metrics_called(&forward->service->metrics, succeeded, forward->url_text, forward->request.method,
                 text ? text : "null");
}

static void finish_failed(struct forward *forward, const char *reason) {
  struct strbuf body = STRBUF_INIT;
  char text[400];
  (void)snprintf(text, sizeof(text), "calling %.200s: %s", forward->url_text, reason);
  json_text_error(&body, text);
  struct forward_reply reply = {
      .status = 502, .content_type = "application/json", .body = strbuf_text(&body), .body_length = body.length};
  count_call(forward, false);
  forward->done(forward->user, &reply);
  strbuf_finish(&body);
}

static void on_called(void *user, struct caller *caller) {
  struct forward *forward = user;
  const struct call_outcome *outcome = &caller->outcome;
  if (outcome->end != CALL_ANSWERED || strbuf_failed(&forward->sink.body)) {
    finish_failed(forward, outcome->error[0] ? outcome->error : call_end_name(outcome->end));
    return;
  }
  struct forward_reply reply = {
      .status = outcome->status,
      .content_type = forward->sink.content_type[0] ? forward->sink.content_type : "application/octet-stream",
      .body = strbuf_text(&forward->sink.body),
      .body_length = forward->sink.body.length,
  };
  count_call(forward, outcome->status >= 200 && outcome->status < 400);
  forward->done(forward->user, &reply);
}

static void call(struct forward *forward) {
  int r = caller_open(forward->base, CALL_HTTP1, &forward->endpoint, &forward->caller);
  if (r < 0)
    finish_failed(forward, strerror(-r));
  else
    caller_call(forward->caller, &forward->request, on_called, forward);
}

static void on_begin(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  call(user);
}

static void on_looked_up(void *user, const struct endpoint *endpoint, const char *reason) {
  struct forward *forward = user;
  forward->lookup = NULL;
  if (!endpoint) {
    finish_failed(forward, reason);
    return;
  }
  forward->endpoint = *endpoint;
  call(forward);
}

static void on_timeout(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  finish_failed(user, "no answer within 10 s");
}

static void add_header(struct forward *forward, struct members *members, const char *name, const char *value) {
  struct call_request *request = &forward->request;
  if (!value) {
    members_fail(members, "\"headers\": \"%.64s\" must be a string", name);
  } else if (request->header_count > WORKLOAD_HEADERS_MAX) {
    members_fail(members, "\"headers\" has more than %d entries", WORKLOAD_HEADERS_MAX);
  } else {
    const char *problem = request_header_problem(name, value);
    if (problem)
      members_fail(members, "\"headers\": \"%.64s\": %s", name, problem);
    forward->headers[request->header_count++] = (struct call_header){.name = name, .value = value};
  }
}

static void read_request(struct forward *forward, struct members *members) {
  struct call_request *request = &forward->request;
  forward->url_text = members_string(members, "url", URL_MAX, NULL);
  request->method = members_string(members, "method", METHOD_MAX, "GET");
  if (!request->method[0])
    request->method = "GET";
  if (!request_method_valid(request->method))
    members_fail(members, "\"method\" must be a token of HTTP, and not CONNECT");
  const char *body = members_string(members, "body", WORKLOAD_BODY_MAX, "");
  request->body = body[0] ? body : NULL;
  request->body_length = strlen(body);
  request->headers = forward->headers;
  add_header(forward, members, "ServiceName", forward->service->name);
  json_t *headers = (json_t *)(uintptr_t)members_get(members, "headers", false);
  const char *name;
  json_t *value;
  if (headers && !json_is_object(headers) && !json_is_null(headers))
    members_fail(members, "\"headers\" must be an object of strings");
  json_object_foreach(headers, name, value) add_header(forward, members, name, json_string_value(value));
}

static int forward_read(struct forward *forward, const char *json, size_t length, struct error **err) {
  int r = members_parse("a call", json, length, &forward->json, err);
  if (r < 0)
    return r;
  struct members members = members_begin("a call", forward->json);
  read_request(forward, &members);
  r = members_finish(&members, err);
  if (r == 0)
    r = url_parse(forward->url_text, &forward->url, err);
  if (r < 0)
    return r;
  forward->request.id = "";
  forward->request.authority = forward->url.authority;
  forward->request.path = forward->url.path;
  forward->request.sink = &forward->sink;
  forward->request.last = true;
  return 0;
}

/* Finds the address, then calls; never before it returned to the event loop. */
static int forward_begin(struct forward *forward, struct error **err) {
  static const struct timeval now = {0};
  const struct url *url = &forward->url;
  forward->begin = evtimer_new(forward->base, on_begin, forward);
  forward->timeout = evtimer_new(forward->base, on_timeout, forward);
  if (!forward->begin || !forward->timeout || evtimer_add(forward->timeout, &FORWARD_TIMEOUT) < 0)
    return error_set(err, ENOMEM, "out of memory for a call");
  if (endpoint_parse(url->host, url->port, &forward->endpoint, NULL) == 0)
    return evtimer_add(forward->begin, &now) < 0 ? -ENOMEM : 0;
  return lookup_create(&forward->service->resolver, url->host, url->port, on_looked_up, forward, &forward->lookup, err);
}

int forward_create(struct event_base *base, struct service *service, const char *json, size_t length,
                   forward_done_fn done, void *user, struct forward **ret_forward, struct error **err) {
  struct forward *forward = calloc(1, sizeof(*forward));
  if (!forward)
    return error_set(err, ENOMEM, "out of memory for a call");
  forward->base = base;
  forward->service = service;
  forward->done = done;
  forward->user = user;
  int r = forward_read(forward, json, length, err);
  if (r == 0)
    r = forward_begin(forward, err);
  if (r < 0) {
    forward_destroy(forward);
    return r;
  }
  *ret_forward = forward;
  return 0;
}

void forward_destroy(struct forward *forward) {
  if (!forward)
    return;
  lookup_cancel(forward->lookup);
  caller_destroy(forward->caller);
  if (forward->begin)
    event_free(forward->begin);
  if (forward->timeout)
    event_free(forward->timeout);
  strbuf_finish(&forward->sink.body);
  json_decref(forward->json);
  free(forward);
}
