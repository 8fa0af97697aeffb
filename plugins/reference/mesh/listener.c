#include "plugins/reference/mesh/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/reference/mesh/datagram.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/workload.h"
#include "sdk/base/error.h"
#include "sdk/base/loopback.h"

enum {
  BACKLOG = 1024,
  ACCEPTS_PER_EVENT = 64,
};

int listener_open(struct listener *listener, struct error **err) {
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &listener->address.sin_addr, text, sizeof text);
  uint16_t port = ntohs(listener->address.sin_port);
  bool udp = listener->receive;
  _cleanup_close_ int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return error_set(err, errno, "opening a socket for %s:%u: %s", text, port, strerror(errno));
  if (udp) /* without SO_REUSEADDR, by which another program could take datagrams away */
    datagram_make_room(fd);
  else
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (!udp)
    loopback_tune(fd, (const struct sockaddr *)&listener->address); /* those it accepts inherit it */
  if (bind(fd, (const struct sockaddr *)&listener->address, sizeof listener->address) < 0 ||
      (!udp && listen(fd, BACKLOG) < 0))
    return error_set(err, errno, "listening on %s:%u%s: %s", text, port, udp ? " (UDP)" : "", strerror(errno));
  listener->fd = fd;
  fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
  return 0;
}

void listener_share(struct listener *listener, struct listener *from) {
  listener->fd = from->fd;
  listener->from = from;
}

void listener_take_over(struct listener *listener) {
  struct listener *from = take(listener->from);
  if (!from)
    return;
  if (from->watched)
    event_del(&from->event);
  from->watched = false;
  from->fd = -1;
}

/* Without descriptors a caller would wait for ever, and the loop would turn on it: the spare one lets it in and out. */
static void turn_away(struct listener *listener) {
  struct mesh *mesh = listener->workload->mesh;
  if (mesh->spare_fd >= 0)
    close(mesh->spare_fd);
  int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0)
    close(fd);
  mesh->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_accept(evutil_socket_t socket_fd, short what, void *context) {
  (void)socket_fd;
  (void)what;
  struct listener *listener = context;
  struct workload *workload = listener->workload;
  for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE)
        turn_away(listener);
      return;
    }
    if (workload->mesh->connections >= LIMIT_CONNECTIONS)
      close(fd);
    else
      listener->accept(workload, listener->index, fd);
  }
}

/* No answer can go to port 0. */
static void on_datagrams(evutil_socket_t socket_fd, short what, void *context) {
  (void)socket_fd;
  (void)what;
  struct listener *listener = context;
  struct stream_loop *loop = &listener->workload->mesh->loop;
  for (int i = 0; i < DATAGRAMS_PER_EVENT; i++) {
    struct sockaddr_in from = {0};
    ssize_t n = datagram_receive(loop, listener->fd, &from);
    if (n < 0)
      return;
    if (from.sin_port != 0)
      listener->receive(listener, &from, loop->scratch, (size_t)n);
  }
}

bool listener_same(const struct listener *a, const struct listener *b) {
  return a->address.sin_port == b->address.sin_port && a->address.sin_addr.s_addr == b->address.sin_addr.s_addr &&
         !a->receive == !b->receive;
}

int listener_start(struct listener *listener, struct event_base *base) {
  event_callback_fn callback = listener->receive ? on_datagrams : on_accept;
  if (event_assign(&listener->event, base, listener->fd, EV_READ | EV_PERSIST, callback, listener) < 0 ||
      event_add(&listener->event, NULL) < 0)
    return -ENOMEM;
  listener->watched = true;
  return 0;
}

void listener_close(struct listener *listener) {
  if (listener->watched)
    event_del(&listener->event);
  if (listener->fd >= 0 && !listener->from)
    close(listener->fd);
  listener->watched = false;
  listener->fd = -1;
}
