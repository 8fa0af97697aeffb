#include "host/certify/store_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>

/* Things that are kept. */
#define THINGS_MAX 100000
#define BODY_MAX ((ev_ssize_t)16 << 20)

struct thing {
  char *path;
  char *body;
  size_t length;
};

struct store_server {
  struct event_base *base;
  struct evhttp *http;
  struct event *stop;
  int stop_fd;
  unsigned port;
  pthread_t thread;
  bool started;
  pthread_mutex_t lock;
  struct thing *things; /* in the order of their paths */
  size_t count, capacity;
  unsigned changes, posted;
};

/* ---- what is kept */

static size_t place_of(const struct store_server *server, const char *path, bool *ret_found) {
  size_t low = 0, high = server->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(server->things[middle].path, path) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *ret_found = low < server->count && strcmp(server->things[low].path, path) == 0;
  return low;
}

/* Takes `body`. False without room. */
static bool put(struct store_server *server, const char *path, char *body, size_t length) {
  bool found;
  size_t place = place_of(server, path, &found);
  char *copy = found ? NULL : strdup(path);
  if (!found &&
      (!copy || server->count == THINGS_MAX ||
       array_reserve((void **)&server->things, &server->capacity, server->count, sizeof *server->things) < 0)) {
    free(copy);
    free(body);
    return false;
  }
  struct thing *thing = &server->things[place];
  if (found) {
    free(thing->body);
  } else {
    memmove(thing + 1, thing, (server->count - place) * sizeof *thing);
    thing->path = copy;
    server->count++;
  }
  thing->body = body;
  thing->length = length;
  return true;
}

static bool drop(struct store_server *server, const char *path) {
  bool found;
  size_t place = place_of(server, path, &found);
  struct thing *thing = &server->things[place];
  if (!found)
    return false;
  free(thing->path);
  free(thing->body);
  server->count--;
  memmove(thing, thing + 1, (server->count - place) * sizeof *thing);
  return true;
}

/* ---- requests */

static int store(struct store_server *server, const char *path, struct evhttp_request *request) {
  struct evbuffer *in = evhttp_request_get_input_buffer(request);
  size_t length = evbuffer_get_length(in);
  char *body = malloc(length + 1);
  if (!body)
    return 507;
  (void)evbuffer_remove(in, body, length);
  return put(server, path, body, length) ? 200 : 507;
}

static int post(struct store_server *server, const char *path, struct evhttp_request *request) {
  _cleanup_strbuf_ struct strbuf made = STRBUF_INIT;
  strbuf_printf(&made, "%s/%u", path, ++server->posted);
  return store(server, strbuf_text(&made), request);
}

static int get(struct store_server *server, const char *path, struct evbuffer *out) {
  bool found;
  size_t place = place_of(server, path, &found);
  if (found)
    (void)evbuffer_add(out, server->things[place].body, server->things[place].length);
  return found ? 200 : 404;
}

static int answer(struct store_server *server, struct evhttp_request *request, struct evbuffer *out) {
  const char *path = evhttp_request_get_uri(request);
  enum evhttp_cmd_type method = evhttp_request_get_command(request);
  server->changes += method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD;
  switch (method) {
  case EVHTTP_REQ_PUT:
  case EVHTTP_REQ_PATCH:
    return store(server, path, request);
  case EVHTTP_REQ_POST:
    return post(server, path, request);
  case EVHTTP_REQ_DELETE:
    return drop(server, path) ? 200 : 404;
  case EVHTTP_REQ_GET:
  case EVHTTP_REQ_HEAD:
    return get(server, path, out);
  default:
    return 405;
  }
}

static void on_request(struct evhttp_request *request, void *ctx) {
  struct store_server *server = ctx;
  struct evbuffer *out = evbuffer_new();
  pthread_mutex_lock(&server->lock);
  int status = out ? answer(server, request, out) : 507;
  pthread_mutex_unlock(&server->lock);
  evhttp_send_reply(request, status, NULL, out);
  if (out)
    evbuffer_free(out);
}

static void on_stop(evutil_socket_t fd, short what, void *ctx) {
  struct store_server *server = ctx;
  (void)fd, (void)what;
  (void)event_base_loopbreak(server->base);
}

static void *serve(void *ctx) {
  struct store_server *server = ctx;
  (void)event_base_dispatch(server->base);
  return NULL;
}

/* ---- the server */

static int bind_any(struct store_server *server) {
  struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server->http, "127.0.0.1", 0);
  struct sockaddr_in address = {0};
  ev_socklen_t length = sizeof address;
  if (!bound || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &length) < 0)
    return -EADDRINUSE;
  server->port = ntohs(address.sin_port);
  return 0;
}

static int set_up(struct store_server *server) {
  server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  server->base = event_base_new();
  server->http = server->base ? evhttp_new(server->base) : NULL;
  server->stop =
      server->base && server->stop_fd >= 0 ? event_new(server->base, server->stop_fd, EV_READ, on_stop, server) : NULL;
  if (!server->http || !server->stop || event_add(server->stop, NULL) < 0)
    return -ENOMEM;
  evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
                                               EVHTTP_REQ_POST | EVHTTP_REQ_DELETE);
  evhttp_set_max_body_size(server->http, BODY_MAX);
  evhttp_set_gencb(server->http, on_request, server);
  int r = bind_any(server);
  if (r == 0 && pthread_create(&server->thread, NULL, serve, server) == 0)
    server->started = true;
  return r < 0 ? r : server->started ? 0 : -EAGAIN;
}

int store_server_start(struct store_server **ret_server, struct error **err) {
  struct store_server *server = calloc(1, sizeof *server);
  if (!server)
    return error_set(err, ENOMEM, "out of memory");
  pthread_mutex_init(&server->lock, NULL);
  server->stop_fd = -1;
  int r = set_up(server);
  if (r < 0) {
    store_server_stop(server);
    return error_set(err, -r, "no server on a loopback address: %s", strerror(-r));
  }
  *ret_server = server;
  return 0;
}

void store_server_stop(struct store_server *server) {
  if (!server)
    return;
  if (server->started) {
    (void)eventfd_write(server->stop_fd, 1);
    (void)pthread_join(server->thread, NULL);
  }
  if (server->stop)
    event_free(server->stop);
  if (server->http)
    evhttp_free(server->http);
  if (server->base)
    event_base_free(server->base);
  close_p(&server->stop_fd);
  for (size_t i = 0; i < server->count; i++) {
    free(server->things[i].path);
    free(server->things[i].body);
  }
  free(server->things);
  pthread_mutex_destroy(&server->lock);
  free(server);
}

unsigned store_server_port(const struct store_server *server) {
  return server->port;
}

size_t store_server_count(struct store_server *server) {
  pthread_mutex_lock(&server->lock);
  size_t count = server->count;
  pthread_mutex_unlock(&server->lock);
  return count;
}

unsigned store_server_changes(struct store_server *server) {
  pthread_mutex_lock(&server->lock);
  unsigned changes = server->changes;
  pthread_mutex_unlock(&server->lock);
  return changes;
}

void store_server_append(struct store_server *server, struct strbuf *out) {
  pthread_mutex_lock(&server->lock);
  for (size_t i = 0; i < server->count; i++) {
    const struct thing *thing = &server->things[i];
    strbuf_printf(out, "%s %zu\n", thing->path, thing->length);
    strbuf_append(out, thing->body, thing->length);
  }
  pthread_mutex_unlock(&server->lock);
}

void store_server_first(struct store_server *server, struct strbuf *out) {
  pthread_mutex_lock(&server->lock);
  strbuf_puts(out, server->count ? server->things[0].path : "");
  pthread_mutex_unlock(&server->lock);
}
