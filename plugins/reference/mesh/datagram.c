#include "plugins/reference/mesh/datagram.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/stream.h"

enum { QUEUE_BYTES = 1024 * 1024 };

_Static_assert((size_t)LIMIT_DATAGRAM < (size_t)STREAM_SCRATCH, "a datagram is received whole");

struct datagram_socket {
  struct stream_loop *loop;
  int fd;
  struct event readable;
  datagram_answer answer;
  void *context;
};

void datagram_make_room(int fd) {
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){QUEUE_BYTES}, sizeof(int));
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){QUEUE_BYTES}, sizeof(int));
}

ssize_t datagram_receive(struct stream_loop *loop, int fd, struct sockaddr_in *ret_from) {
  socklen_t size = sizeof *ret_from;
  return recvfrom(fd, loop->scratch, STREAM_SCRATCH, MSG_DONTWAIT, (struct sockaddr *)ret_from,
                  ret_from ? &size : NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *context) {
  (void)what;
  const struct datagram_socket *socket = context;
  for (int i = 0; i < DATAGRAMS_PER_EVENT; i++) {
    ssize_t n = datagram_receive(socket->loop, fd, NULL);
    if (n < 0)
      return;
    socket->answer(socket->context, socket->loop->scratch, (size_t)n);
  }
}

struct datagram_socket *datagram_connect(struct stream_loop *loop, const struct sockaddr_in *program,
                                         datagram_answer answer, void *context) {
  struct datagram_socket *made = calloc(1, sizeof *made);
  int fd = made ? socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
  if (fd < 0) {
    free(made);
    return NULL;
  }
  *made = (struct datagram_socket){.loop = loop, .fd = fd, .answer = answer, .context = context};
  datagram_make_room(fd);
  if (connect(fd, (const struct sockaddr *)program, sizeof *program) < 0 ||
      event_assign(&made->readable, loop->base, fd, EV_READ | EV_PERSIST, on_readable, made) < 0 ||
      event_add(&made->readable, NULL) < 0) {
    close(fd);
    free(made);
    return NULL;
  }
  return made;
}

void datagram_close(struct datagram_socket *socket) {
  if (!socket)
    return;
  event_del(&socket->readable);
  close(socket->fd);
  free(socket);
}

void datagram_send(struct datagram_socket *socket, const char *data, size_t length) {
  /* That nobody listened before is told in place of sending. */
  if (send(socket->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == ECONNREFUSED)
    (void)send(socket->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}
