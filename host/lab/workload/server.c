#include "host/lab/workload/server.h"

#include <errno.h>
#include <fcntl.h>

#include "host/lab/workload/connection.h"
#include "host/lab/workload/server_udp.h"

#define ACCEPTS_AT_ONCE 64

struct listener {
  struct server *server;
  struct event *event;
  const struct connection_protocol *protocol; /* NULL: UDP */
  int fd;
  uint16_t port;
};

struct server {
  struct event_base *base;
  struct service *service;
  struct connection_list connections;
  size_t connection_count;
  struct listener listeners[SERVER_LISTENERS_MAX];
  size_t listener_count;
  int spare_fd; /* given up for a moment to turn a connection away when descriptors run out */
};

static int open_spare(void) {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int server_create(struct event_base *base, struct service *service, struct server **ret_server) {
  struct server *server = calloc(1, sizeof(*server));
  if (!server)
    return -ENOMEM;
  server->base = base;
  server->service = service;
  server->spare_fd = open_spare();
  LIST_INIT(&server->connections);
  *ret_server = server;
  return 0;
}

/* Without this, a connection that cannot be accepted would keep the listener readable, and the loop spinning. */
static void turn_away(struct server *server, int listening) {
  if (server->spare_fd >= 0)
    (void)close(server->spare_fd);
  int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0)
    (void)close(fd);
  server->spare_fd = open_spare();
}

/* False when there is none left. */
static bool accept_one(struct listener *listener) {
  struct server *server = listener->server;
  int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE)
      turn_away(server, listener->fd);
    return errno == ECONNABORTED || errno == EINTR;
  }
  if (server->connection_count >= SERVER_CONNECTIONS_MAX)
    (void)close(fd);
  else
    (void)connection_create(&server->connections, &server->connection_count, server->base, server->service,
                            listener->protocol, fd, listener->port);
  return true;
}

static void on_accept(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  for (unsigned i = 0; i < ACCEPTS_AT_ONCE && accept_one(user); i++)
    ;
}

static void on_datagram(evutil_socket_t fd, short what, void *user) {
  (void)what;
  const struct listener *listener = user;
  server_udp_read(listener->server->service, fd, listener->port);
}

static int listener_open(struct listener *listener, enum call_protocol protocol, struct endpoint endpoint,
                         struct error **err) {
  bool udp = protocol == CALL_UDP;
  int fd = endpoint_bind(&endpoint, udp ? SOCK_DGRAM : SOCK_STREAM, err);
  if (fd < 0)
    return fd;
  listener->event =
      event_new(listener->server->base, fd, EV_READ | EV_PERSIST, udp ? on_datagram : on_accept, listener);
  if (!listener->event || event_add(listener->event, NULL) < 0) {
    if (listener->event)
      event_free(listener->event);
    (void)close(fd);
    return error_set(err, ENOMEM, "out of memory for a listener");
  }
  listener->fd = fd;
  listener->port = endpoint_port(&endpoint);
  listener->protocol = udp ? NULL : protocol == CALL_TCP ? &connection_tcp : &connection_http;
  return 0;
}

int server_listen(struct server *server, enum call_protocol protocol, const struct endpoint *endpoint,
                  struct error **err) {
  if (server->listener_count == SERVER_LISTENERS_MAX)
    return error_set(err, E2BIG, "more than %d listeners", SERVER_LISTENERS_MAX);
  struct listener *listener = &server->listeners[server->listener_count];
  listener->server = server;
  int r = listener_open(listener, protocol, *endpoint, err);
  if (r == 0)
    server->listener_count++;
  return r;
}

void server_close(struct server *server) {
  for (size_t i = 0; i < server->listener_count; i++) {
    event_free(server->listeners[i].event);
    (void)close(server->listeners[i].fd);
  }
  server->listener_count = 0;
  while (!LIST_EMPTY(&server->connections))
    connection_destroy(LIST_FIRST(&server->connections));
}

void server_destroy(struct server *server) {
  if (!server)
    return;
  server_close(server);
  if (server->spare_fd >= 0)
    (void)close(server->spare_fd);
  free(server);
}
