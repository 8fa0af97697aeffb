/* The servers behind the mesh: one thread each, with libevent. */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

struct server {
  const char *name;
  struct event_base *base;
  struct evhttp *http;
  struct evconnlistener *lines;
  struct event *stop;
  int stop_pipe[2];
  pthread_t thread;
  atomic_uint requests, received_lines;
};

/* Answers with its name, and the body it got. With the path /chunked the length isn't told; with /head the answer is
 * the request's own head. */
static void on_request(struct evhttp_request *request, void *context) {
  struct server *server = context;
  struct evbuffer *out = evbuffer_new();
  const char *uri = evhttp_request_get_uri(request);
  atomic_fetch_add(&server->requests, 1);
  evhttp_add_header(evhttp_request_get_output_headers(request), "x-server", server->name);
  if (strcmp(uri, "/head") == 0) {
    struct evkeyval *field;
    TAILQ_FOREACH(field, evhttp_request_get_input_headers(request), next)
    evbuffer_add_printf(out, "%s: %s\n", field->key, field->value);
  }
  evbuffer_add_buffer(out, evhttp_request_get_input_buffer(request));
  if (strcmp(uri, "/chunked") == 0) {
    evhttp_send_reply_start(request, 200, "OK");
    evhttp_send_reply_chunk(request, out);
    evhttp_send_reply_end(request);
  } else if (strcmp(uri, "/fail") == 0) {
    evhttp_send_reply(request, 500, "Failed", out);
  } else {
    evhttp_send_reply(request, 200, "OK", out);
  }
  evbuffer_free(out);
}

static void on_lines(struct bufferevent *connection, void *context) {
  struct server *server = context;
  char *line;
  while ((line = evbuffer_readln(bufferevent_get_input(connection), NULL, EVBUFFER_EOL_LF))) {
    atomic_fetch_add(&server->received_lines, 1);
    evbuffer_add_printf(bufferevent_get_output(connection), "%s %s\n", server->name, line);
    free(line);
  }
}

/* At the client's end of sending, "bye" is said before closing. */
static void on_sent(struct bufferevent *connection, void *context) {
  (void)context;
  bufferevent_free(connection);
}

static void on_event(struct bufferevent *connection, short what, void *context) {
  if (!(what & BEV_EVENT_EOF)) {
    bufferevent_free(connection);
    return;
  }
  bufferevent_setcb(connection, NULL, on_sent, on_event, context);
  bufferevent_disable(connection, EV_READ);
  evbuffer_add(bufferevent_get_output(connection), "bye\n", 4);
}

static void on_connect(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int length,
                       void *context) {
  (void)from;
  (void)length;
  struct bufferevent *connection = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(connection, on_lines, NULL, on_event, context);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

static void on_stop(evutil_socket_t fd, short what, void *base) {
  (void)fd;
  (void)what;
  event_base_loopbreak(base);
}

static void *run(void *context) {
  struct server *server = context;
  event_base_dispatch(server->base);
  return NULL;
}

struct server *server_start(const char *name, int host) {
  struct server *server = calloc(1, sizeof *server);
  assert_non_null(server);
  const char *address = address_of('a', host);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(TCP_PORT)};
  inet_pton(AF_INET, address, &at.sin_addr);
  server->name = name;
  server->base = event_base_new();
  server->http = evhttp_new(server->base);
  evhttp_set_gencb(server->http, on_request, server);
  assert_int_equal(evhttp_bind_socket(server->http, address, HTTP_PORT), 0);
  server->lines = evconnlistener_new_bind(server->base, on_connect, server,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, 64,
                                          (struct sockaddr *)&at, sizeof at);
  assert_non_null(server->lines);
  assert_int_equal(pipe(server->stop_pipe), 0);
  server->stop = event_new(server->base, server->stop_pipe[0], EV_READ, on_stop, server->base);
  event_add(server->stop, NULL);
  assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
  return server;
}

void server_stop(struct server *server) {
  if (!server)
    return;
  assert_int_equal(write(server->stop_pipe[1], "x", 1), 1);
  pthread_join(server->thread, NULL);
  evconnlistener_free(server->lines);
  evhttp_free(server->http);
  event_free(server->stop);
  event_base_free(server->base);
  close(server->stop_pipe[0]);
  close(server->stop_pipe[1]);
  free(server);
}

unsigned server_requests(struct server *server) {
  return atomic_load(&server->requests);
}

unsigned server_lines(struct server *server) {
  return atomic_load(&server->received_lines);
}
