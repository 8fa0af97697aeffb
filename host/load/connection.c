#include "host/load/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "host/load/protocol.h"
#include "sdk/base/clock.h"

#define REDIAL_NS (100 * NS_PER_MS) /* in a closed loop, until one that failed is made anew: refusals come at once */

static void enter(struct connection *connection, enum connection_state state, int64_t now_ns) {
  connection->state = state;
  connection->since_ns = now_ns;
}

void connection_init(struct connection *connection, uint32_t place, struct exchange *exchanges, unsigned count) {
  *connection = (struct connection){.place = place, .exchanges = exchanges, .transport.fd = -1};
  for (unsigned i = count; i > 0; i--) {
    exchanges[i - 1].next = connection->free;
    connection->free = &exchanges[i - 1];
  }
}

unsigned connection_room(const struct connection *connection) {
  if (connection->state == CONNECTION_DOWN)
    return connection->on_their_way == 0;
  bool has_room =
      connection->state == CONNECTION_UP && !connection->pausing && connection->limit > connection->on_their_way;
  return has_room ? connection->limit - connection->on_their_way : 0;
}

/* ---- how requests end */

/* In a closed loop, until the next request after one that failed: what is refused is refused at once. */
static int64_t pause_ns(const struct connection_context *context, int64_t now_ns) {
  return context->pacer->closed ? now_ns + REDIAL_NS : 0;
}

static void release(struct connection *connection, struct connection_context *context, struct exchange *exchange) {
  exchange->taken = false;
  exchange->next = connection->free;
  connection->free = exchange;
  connection->on_their_way--;
  context->on_their_way--;
}

void connection_begun(struct exchange *exchange, struct connection_context *context, int64_t now_ns) {
  exchange->begun = true;
  pacer_begun(context->pacer, &exchange->shot, now_ns);
}

void connection_answered(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                         unsigned status, int64_t now_ns) {
  pacer_completed(context->pacer, &exchange->shot, now_ns, status);
  release(connection, context, exchange);
}

void connection_called(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                       int64_t now_ns) {
  pacer_called(context->pacer, &exchange->shot, now_ns, exchange->status, exchange->call.status);
  release(connection, context, exchange);
}

void connection_fail(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                     enum load_error error, int64_t now_ns) {
  bool waited = error == LOAD_ERROR_TIMEOUT || error == LOAD_ERROR_LOST;
  pacer_failed(context->pacer, &exchange->shot, now_ns, error);
  release(connection, context, exchange);
  if (waited || connection->state != CONNECTION_UP || !context->pacer->closed)
    return;
  connection->pausing = true;
  connection->not_before_ns = pause_ns(context, now_ns);
}

void connection_close(struct connection *connection, const struct connection_context *context, int64_t now_ns) {
  if (connection->state == CONNECTION_DOWN)
    return;
  if (context->protocol->close)
    context->protocol->close(connection);
  connection->pausing = false;
  transport_close(&connection->transport);
  enter(connection, CONNECTION_DOWN, now_ns);
}

void connection_break(struct connection *connection, struct connection_context *context, enum load_error error,
                      int64_t now_ns) {
  connection_close(connection, context, now_ns);
  connection->not_before_ns = connection->on_their_way > 0 ? pause_ns(context, now_ns) : 0;
  for (unsigned i = 0; connection->on_their_way > 0 && i < context->target->streams; i++)
    if (connection->exchanges[i].taken)
      connection_fail(connection, context, &connection->exchanges[i], error, now_ns);
}

void connection_expire(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  if (connection->state == CONNECTION_DOWN)
    return;
  if (connection->state != CONNECTION_UP && now_ns - connection->dialed_ns >= context->connect_timeout_ns) {
    connection_break(connection, context, LOAD_ERROR_CONNECT, now_ns);
    return;
  }
  if (connection->pausing && now_ns >= connection->not_before_ns) {
    connection->pausing = false;
    connection->not_before_ns = 0;
  }
  for (unsigned i = 0; connection->state == CONNECTION_UP && i < context->target->streams; i++) {
    struct exchange *exchange = &connection->exchanges[i];
    if (exchange->taken && now_ns - exchange->shot.sent_ns >= context->timeout_ns)
      context->protocol->give_up(connection, context, exchange, now_ns);
  }
  if (connection->state == CONNECTION_UP && context->protocol->expire)
    context->protocol->expire(connection, context, now_ns);
}

void connection_finish(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  for (unsigned i = 0; i < context->target->streams; i++) {
    if (!connection->exchanges[i].taken)
      continue;
    pacer_censored(context->pacer, &connection->exchanges[i].shot, now_ns);
    release(connection, context, &connection->exchanges[i]);
  }
  connection_close(connection, context, now_ns);
}

/* ---- coming up */

void connection_push_request(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  const struct target *target = context->target;
  enum load_error error;
  while (connection->on_their_way > 0 && connection->sent < target->request_length) {
    ssize_t n = transport_send(&connection->transport, target->request + connection->sent,
                               target->request_length - connection->sent, &error);
    if (n == TRANSPORT_WAITS)
      return;
    if (n < 0) {
      connection_break(connection, context, error, now_ns);
      return;
    }
    connection->sent += (size_t)n;
    context->tally->bytes_written += (uint64_t)n;
  }
}

void connection_push(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  if (connection->state == CONNECTION_UP)
    context->protocol->push(connection, context, now_ns);
}

void connection_stands(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  context->tally->connections++;
  enter(connection, CONNECTION_UP, now_ns);
  for (unsigned i = 0; connection->on_their_way > 0 && i < context->target->streams; i++)
    if (connection->exchanges[i].taken) /* the one that it came up for */
      context->protocol->submit(connection, context, &connection->exchanges[i]);
}

static void secure(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  enum load_error error;
  int r = transport_secure(&connection->transport, context->target->tls, &error);
  if (r == TRANSPORT_FAILED)
    connection_break(connection, context, error, now_ns);
  if (r != 1)
    return;
  if (context->target->tls) {
    now_ns = clock_monotonic_ns() - context->start_ns; /* proving certificates takes its time, too */
    histogram_record(context->tally->securing, now_ns - connection->since_ns);
  }
  enter(connection, CONNECTION_GREETING, now_ns);
  context->protocol->open(connection, context, now_ns);
}

static void reached(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  histogram_record(context->tally->connecting, now_ns - connection->since_ns);
  enter(connection, CONNECTION_SECURING, now_ns);
  secure(connection, context, now_ns);
}

static int register_socket(const struct connection *connection, const struct connection_context *context, int how) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                              .data.u64 = connection_mark(connection)};
  return epoll_ctl(context->epoll_fd, how, connection->transport.fd, &event);
}

void connection_rearm(struct connection *connection, const struct connection_context *context) {
  (void)register_socket(connection, context, EPOLL_CTL_MOD); /* of a descriptor that is there: takes no memory */
}

void connection_dial(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  const struct target_address *address = &context->target->address;
  int fd = socket(address->at.ss_family, context->protocol->socket_type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || transport_open(&connection->transport, fd, context->target->tls) < 0) {
    connection_break(connection, context, fd < 0 ? transport_error(errno) : LOAD_ERROR_SYSTEM, now_ns);
    return;
  }
  connection->turn++;
  connection->dialed_ns = now_ns;
  enter(connection, CONNECTION_CONNECTING, now_ns);
  if (context->protocol->socket_type == SOCK_STREAM)
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  int r = connect(fd, (const struct sockaddr *)&address->at, address->length);
  if (r < 0 && errno != EINPROGRESS)
    connection_break(connection, context, transport_error(errno), now_ns);
  else if (register_socket(connection, context, EPOLL_CTL_ADD) < 0)
    connection_break(connection, context, LOAD_ERROR_SYSTEM, now_ns);
  else if (r == 0)
    reached(connection, context, now_ns);
}

static void connected(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  int problem = 0;
  socklen_t size = sizeof(problem);
  if (getsockopt(connection->transport.fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0)
    problem = errno;
  if (problem == 0)
    reached(connection, context, now_ns);
  else
    connection_break(connection, context, transport_error(problem), now_ns);
}

/* ---- the whole */

void connection_send(struct connection *connection, struct connection_context *context, const struct shot *shot,
                     int64_t now_ns) {
  struct exchange *exchange = connection->free;
  connection->free = exchange->next;
  *exchange = (struct exchange){.shot = *shot, .taken = true};
  connection->not_before_ns = 0;
  connection->on_their_way++;
  context->on_their_way++;
  if (connection->state == CONNECTION_DOWN)
    connection_dial(connection, context, now_ns);
  else
    context->protocol->submit(connection, context, exchange);
}

void connection_event(struct connection *connection, struct connection_context *context, uint32_t events,
                      int64_t now_ns) {
  bool last = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  bool may_have_more =
      events & EPOLLIN || last || connection->transport.ssl; /* TLS may have waited to send, to receive */
  transport_wake(&connection->transport, last);
  if (connection->state == CONNECTION_CONNECTING)
    connected(connection, context, now_ns);
  else if (connection->state == CONNECTION_SECURING)
    secure(connection, context, now_ns);
  else if (events & EPOLLOUT)
    connection_push(connection, context, now_ns);
  if (connection->state >= CONNECTION_GREETING && may_have_more)
    context->protocol->receive(connection, context, now_ns);
}
