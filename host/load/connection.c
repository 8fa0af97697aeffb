#include "host/load/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/base/clock.h"

static enum load_error error_of(int number) {
  switch (number) {
  case ECONNREFUSED:
    return LOAD_ERROR_REFUSED;
  case ENETUNREACH:
  case EHOSTUNREACH:
  case ENETDOWN:
  case EHOSTDOWN:
  case EACCES:
  case EPERM:
    return LOAD_ERROR_UNREACHABLE;
  case ETIMEDOUT:
    return LOAD_ERROR_CONNECT;
  case ECONNRESET:
  case EPIPE:
    return LOAD_ERROR_RESET;
  case EMFILE:
  case ENFILE:
    return LOAD_ERROR_DESCRIPTORS;
  default:
    return LOAD_ERROR_SYSTEM;
  }
}

static void enter(struct connection *connection, enum connection_state state, int64_t now_ns) {
  connection->state = state;
  connection->since_ns = now_ns;
}

void connection_close(struct connection *connection, int64_t now_ns) {
  if (connection->state == CONNECTION_DOWN)
    return;
  (void)close(connection->fd);
  connection->fd = -1;
  enter(connection, CONNECTION_DOWN, now_ns);
}

static enum connection_step broken(struct connection *connection, enum load_error error, int64_t now_ns,
                                   enum load_error *ret_error) {
  connection_close(connection, now_ns);
  *ret_error = error;
  return CONNECTION_BROKE;
}

/* ---- sending */

static enum connection_step push(struct connection *connection, const struct connection_context *context,
                                 int64_t now_ns, enum load_error *ret_error) {
  const struct target *target = context->target;
  while (connection->sent < target->request_length) {
    ssize_t n = send(connection->fd, target->request + connection->sent, target->request_length - connection->sent,
                     MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return CONNECTION_WAITS;
    if (n < 0)
      return broken(connection, error_of(errno), now_ns, ret_error);
    connection->sent += (size_t)n;
    context->tally->bytes_written += (uint64_t)n;
  }
  return CONNECTION_WAITS;
}

enum connection_step connection_send(struct connection *connection, const struct connection_context *context,
                                     int64_t now_ns, enum load_error *ret_error) {
  enter(connection, CONNECTION_BUSY, now_ns);
  connection->sent = 0;
  response_begin(&connection->response, context->target->head);
  return push(connection, context, now_ns, ret_error);
}

/* ---- connecting */

static enum connection_step stand(struct connection *connection, const struct connection_context *context,
                                  int64_t now_ns, enum load_error *ret_error) {
  histogram_record(context->tally->connecting, now_ns - connection->since_ns);
  context->tally->connections++;
  enter(connection, CONNECTION_FREE, now_ns);
  return connection->has_shot ? connection_send(connection, context, now_ns, ret_error) : CONNECTION_STANDS;
}

enum connection_step connection_dial(struct connection *connection, const struct connection_context *context,
                                     int64_t now_ns, enum load_error *ret_error) {
  const struct target_address *address = &context->target->address;
  int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  *ret_error = LOAD_ERROR_SYSTEM;
  if (fd < 0) {
    *ret_error = error_of(errno);
    return CONNECTION_BROKE;
  }
  connection->fd = fd;
  connection->turn++;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                              .data.u64 = connection_mark(connection)};
  enter(connection, CONNECTION_CONNECTING, now_ns);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  int r = connect(fd, (const struct sockaddr *)&address->at, address->length);
  if (r < 0 && errno != EINPROGRESS)
    return broken(connection, error_of(errno), now_ns, ret_error);
  if (epoll_ctl(context->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
    return broken(connection, LOAD_ERROR_SYSTEM, now_ns, ret_error);
  return r == 0 ? stand(connection, context, now_ns, ret_error) : CONNECTION_WAITS;
}

static enum connection_step connected(struct connection *connection, const struct connection_context *context,
                                      int64_t now_ns, enum load_error *ret_error) {
  int problem = 0;
  socklen_t size = sizeof(problem);
  if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0)
    problem = errno;
  return problem == 0 ? stand(connection, context, now_ns, ret_error)
                      : broken(connection, error_of(problem), now_ns, ret_error);
}

/* ---- receiving */

static enum connection_step answered(struct connection *connection, const struct connection_context *context, bool last,
                                     int64_t now_ns) {
  bool whole = connection->sent == context->target->request_length;
  if (connection->response.kept && !context->target->fresh && whole && !last)
    enter(connection, CONNECTION_FREE, now_ns);
  else
    connection_close(connection, now_ns);
  return CONNECTION_ANSWERED;
}

/* One that is free has nothing to receive but its end; what else it receives, nobody asked for. `last`: no further
 * event will tell of what is there, since the other side has ended. */
static enum connection_step receive(struct connection *connection, const struct connection_context *context, bool last,
                                    int64_t now_ns, enum load_error *ret_error) {
  for (;;) {
    ssize_t n = recv(connection->fd, context->buffer, context->buffer_size, 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return CONNECTION_WAITS;
    if (n < 0)
      return broken(connection, error_of(errno), now_ns, ret_error);
    context->tally->bytes_read += (uint64_t)n;
    if (connection->state == CONNECTION_FREE)
      return broken(connection, n == 0 ? LOAD_ERROR_CLOSED : LOAD_ERROR_MALFORMED, now_ns, ret_error);
    if (response_take(&connection->response, context->buffer, (size_t)n, ret_error))
      return broken(connection, *ret_error, now_ns, ret_error);
    if (connection->response.done)
      return answered(connection, context, last, now_ns);
    if ((size_t)n < context->buffer_size && !last)
      return CONNECTION_WAITS; /* that was all: a read less */
  }
}

enum connection_step connection_event(struct connection *connection, const struct connection_context *context,
                                      uint32_t events, int64_t now_ns, enum load_error *ret_error) {
  bool last = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  enum connection_step step = CONNECTION_WAITS;
  if (connection->state == CONNECTION_CONNECTING)
    step = connected(connection, context, now_ns, ret_error);
  else if (events & EPOLLOUT && connection->state == CONNECTION_BUSY)
    step = push(connection, context, now_ns, ret_error);
  if (step == CONNECTION_BROKE || !(events & EPOLLIN || last))
    return step;
  enum connection_step received = receive(connection, context, last, now_ns, ret_error);
  return received == CONNECTION_WAITS ? step : received;
}
