#include "tests/integration/engine/http_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct http_server {
  pthread_t thread;
  struct event_base *base;
  struct evhttp *http;
  struct event *stop;
  int stop_fd;
  http_server_handler *handler;
  void *ctx;
  uint16_t port;
  char url[64];
};

static void need(int condition, const char *what) {
  if (!condition) {
    (void)fprintf(stderr, "test HTTP server: %s\n", what);
    abort();
  }
}

static void on_request(struct evhttp_request *request, void *ctx) {
  struct http_server *server = ctx;

  server->handler(server, request, server->ctx);
}

static void on_stop(evutil_socket_t fd, short what, void *ctx) {
  (void)fd;
  (void)what;
  (void)event_base_loopbreak(ctx);
}

static void *run(void *ctx) {
  struct http_server *server = ctx;

  (void)event_base_dispatch(server->base);
  return NULL;
}

static uint16_t bound_port(struct evhttp_bound_socket *socket) {
  struct sockaddr_in address = {0};
  socklen_t size = sizeof(address);

  need(getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)&address, &size) == 0, "getsockname");
  return ntohs(address.sin_port);
}

struct http_server *http_server_start(http_server_handler *handler, void *ctx) {
  struct http_server *server = calloc(1, sizeof(*server));

  need(server != NULL, "out of memory");
  server->handler = handler;
  server->ctx = ctx;
  server->base = event_base_new();
  server->http = evhttp_new(server->base);
  server->stop_fd = eventfd(0, EFD_CLOEXEC);
  need(server->base && server->http && server->stop_fd >= 0, "out of memory");
  evhttp_set_gencb(server->http, on_request, server);
  evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_PUT | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE |
                                               EVHTTP_REQ_HEAD | EVHTTP_REQ_PATCH);
  struct evhttp_bound_socket *socket = evhttp_bind_socket_with_handle(server->http, "127.0.0.1", 0);
  need(socket != NULL, "cannot listen");
  server->port = bound_port(socket);
  (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", server->port);
  server->stop = event_new(server->base, server->stop_fd, EV_READ, on_stop, server->base);
  need(server->stop && event_add(server->stop, NULL) == 0, "out of memory");
  need(pthread_create(&server->thread, NULL, run, server) == 0, "cannot start a thread");
  return server;
}

void http_server_stop(struct http_server *server) {
  need(eventfd_write(server->stop_fd, 1) == 0, "cannot stop");
  (void)pthread_join(server->thread, NULL);
  evhttp_free(server->http);
  event_free(server->stop);
  event_base_free(server->base);
  (void)close(server->stop_fd);
  free(server);
}

uint16_t http_server_port(const struct http_server *server) {
  return server->port;
}

const char *http_server_url(const struct http_server *server) {
  return server->url;
}

struct event_base *http_server_base(struct http_server *server) {
  return server->base;
}

const char *request_method(struct evhttp_request *request) {
  switch (evhttp_request_get_command(request)) {
  case EVHTTP_REQ_GET:
    return "GET";
  case EVHTTP_REQ_PUT:
    return "PUT";
  case EVHTTP_REQ_POST:
    return "POST";
  case EVHTTP_REQ_DELETE:
    return "DELETE";
  case EVHTTP_REQ_HEAD:
    return "HEAD";
  case EVHTTP_REQ_PATCH:
    return "PATCH";
  default:
    return "?";
  }
}

char *request_body(struct evhttp_request *request) {
  struct evbuffer *buffer = evhttp_request_get_input_buffer(request);
  size_t length = evbuffer_get_length(buffer);
  char *text = calloc(1, length + 1);

  need(text && evbuffer_copyout(buffer, text, length) == (ev_ssize_t)length, "cannot read a body");
  return text;
}

void request_answer(struct evhttp_request *request, int status, const char *content_type, const char *body) {
  struct evbuffer *buffer = evbuffer_new();

  need(buffer && evbuffer_add(buffer, body, strlen(body)) == 0, "out of memory");
  if (content_type)
    (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", content_type);
  evhttp_send_reply(request, status, NULL, buffer);
  evbuffer_free(buffer);
}
