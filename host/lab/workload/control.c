#include "host/lab/workload/control_internal.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <string.h>

#include "host/lab/workload/json_text.h"

#define IDLE_TIMEOUT_S 3600

static void free_text(const void *data, size_t length, void *user) {
  (void)length;
  (void)user;
  free((void *)(uintptr_t)data);
}

void control_answer(struct evhttp_request *request, int status, const char *content_type, struct strbuf *body) {
  struct evbuffer *buffer = evhttp_request_get_output_buffer(request);
  size_t length = body->length;
  bool failed = strbuf_failed(body);
  char *text = length > 0 ? strbuf_steal(body) : NULL;
  strbuf_finish(body);
  if (text && evbuffer_add_reference(buffer, text, length, free_text, NULL) < 0) {
    free(text);
    failed = true;
  }
  (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", content_type);
  evhttp_send_reply(request, failed ? 500 : status, NULL, NULL);
}

void control_refuse(struct evhttp_request *request, int status, const char *reason) {
  struct strbuf body = STRBUF_INIT;
  json_text_error(&body, reason);
  control_answer(request, status, "application/json", &body);
}

const char *control_body(struct evhttp_request *request, size_t *ret_length) {
  struct evbuffer *buffer = evhttp_request_get_input_buffer(request);
  *ret_length = evbuffer_get_length(buffer);
  return *ret_length == 0 ? "" : (const char *)evbuffer_pullup(buffer, -1);
}

static void answer_ready(struct control *control, struct evhttp_request *request) {
  struct strbuf body = STRBUF_INIT;
  strbuf_puts(&body, "{\"name\":");
  json_text_puts(&body, control->service->name);
  strbuf_putc(&body, '}');
  control_answer(request, 200, "application/json", &body);
}

static void answer_received(struct control *control, struct evhttp_request *request) {
  struct evkeyvalq query = {0};
  struct strbuf body = STRBUF_INIT;
  const char *text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
  if (text && evhttp_parse_query_str(text, &query) < 0) {
    control_refuse(request, 400, "the query must be prefix=P");
    return;
  }
  const char *prefix = text ? evhttp_find_header(&query, "prefix") : NULL;
  record_write(&control->service->record, prefix ? prefix : "", &body);
  evhttp_clear_headers(&query);
  control_answer(request, 200, "application/json", &body);
}

static void forget_received(struct control *control, struct evhttp_request *request) {
  struct strbuf body = STRBUF_INIT;
  record_clear(&control->service->record);
  strbuf_puts(&body, "{}");
  control_answer(request, 200, "application/json", &body);
}

static void answer_metrics(struct control *control, struct evhttp_request *request) {
  struct strbuf body = STRBUF_INIT;
  metrics_write(&control->service->metrics, &body);
  control_answer(request, 200, "application/json", &body);
}

static void clear_metrics(struct control *control, struct evhttp_request *request) {
  struct strbuf body = STRBUF_INIT;
  metrics_clear(&control->service->metrics);
  control_answer(request, 200, "application/json", &body);
}

static void answer_echo(struct control *control, struct evhttp_request *request) {
  struct strbuf body = STRBUF_INIT;
  size_t length = 0;
  const char *data = control_body(request, &length);
  const char *caller = evhttp_find_header(evhttp_request_get_input_headers(request), "ServiceName");
  const char *type = evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Type");
  metrics_received(&control->service->metrics, caller ? caller : "");
  if (data)
    strbuf_append(&body, data, length);
  control_answer(request, 200, type ? type : "application/octet-stream", &body);
}

static const struct route {
  enum evhttp_cmd_type method;
  const char *path;
  void (*handle)(struct control *control, struct evhttp_request *request);
} routes[] = {
    {EVHTTP_REQ_GET, "/v1/ready", answer_ready},
    {EVHTTP_REQ_PUT, "/v1/configuration", control_configure},
    {EVHTTP_REQ_POST, "/v1/calls", control_start_calls},
    {EVHTTP_REQ_GET, "/v1/received", answer_received},
    {EVHTTP_REQ_DELETE, "/v1/received", forget_received},
    {EVHTTP_REQ_POST, "/call", control_start_forward},
    {EVHTTP_REQ_GET, "/echo", answer_echo},
    {EVHTTP_REQ_POST, "/echo", answer_echo},
    {EVHTTP_REQ_GET, "/metrics", answer_metrics},
    {EVHTTP_REQ_DELETE, "/metrics", clear_metrics},
};

static void on_request(struct evhttp_request *request, void *user) {
  const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
  const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
  bool known = false;
  for (size_t i = 0; path && i < sizeof(routes) / sizeof(routes[0]); i++) {
    if (strcmp(routes[i].path, path) != 0)
      continue;
    known = true;
    if (routes[i].method == evhttp_request_get_command(request)) {
      routes[i].handle(user, request);
      return;
    }
  }
  control_refuse(request, known ? 405 : 404,
                 known ? "the method is not one of this path's" : "no such path; docs/workload.md has the list");
}

int control_create(struct event_base *base, struct service *service, struct server *server, struct keep *keep,
                   struct endpoint *endpoint, struct control **ret_control, struct error **err) {
  int fd = endpoint_bind(endpoint, SOCK_STREAM, err);
  if (fd < 0)
    return fd;
  struct control *control = calloc(1, sizeof(*control));
  if (control)
    control->http = evhttp_new(base);
  if (!control || !control->http || evhttp_accept_socket(control->http, fd) < 0) {
    control_destroy(control);
    (void)close(fd);
    return error_set(err, ENOMEM, "out of memory for the control port");
  }
  control->base = base;
  control->service = service;
  control->server = server;
  control->keep = keep;
  LIST_INIT(&control->jobs);
  evhttp_set_allowed_methods(control->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
  evhttp_set_max_body_size(control->http, WORKLOAD_BODY_MAX);
  evhttp_set_max_headers_size(control->http, WORKLOAD_HEAD_MAX);
  evhttp_set_timeout(control->http, IDLE_TIMEOUT_S);
  evhttp_set_gencb(control->http, on_request, control);
  *ret_control = control;
  return 0;
}

void control_destroy(struct control *control) {
  if (!control)
    return;
  while (!LIST_EMPTY(&control->jobs))
    control_job_destroy(LIST_FIRST(&control->jobs));
  if (control->http)
    evhttp_free(control->http);
  free(control);
}
