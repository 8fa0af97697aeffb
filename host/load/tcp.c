/* Echo over TCP, and over TLS on it: a request is bytes, and its answer the same bytes. One request at a time. */
#include <string.h>
#include <sys/socket.h>

#include "host/load/protocol.h"

static void submit(struct connection *connection, struct connection_context *context, struct exchange *exchange) {
  (void)context;
  (void)exchange;
  connection->sent = connection->received = 0;
}

static void open_connection(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  connection->limit = 1;
  connection_stands(connection, context, now_ns);
  connection_push_request(connection, context, now_ns);
}

/* Whether these are the next bytes of the answer; none come back before they were sent. */
static bool is_echo(const struct connection *connection, const struct connection_context *context, size_t length) {
  size_t expected = connection->sent - connection->received;
  return connection->exchanges->taken && length <= expected &&
         memcmp(context->buffer, context->target->request + connection->received, length) == 0;
}

static void take_bytes(struct connection *connection, struct connection_context *context, size_t length,
                       int64_t now_ns) {
  struct exchange *exchange = connection->exchanges;
  context->tally->bytes_read += length;
  if (!is_echo(connection, context, length)) {
    connection_break(connection, context, LOAD_ERROR_MALFORMED, now_ns);
    return;
  }
  if (!exchange->begun)
    connection_begun(exchange, context, now_ns);
  connection->received += length;
  if (connection->received < context->target->request_length)
    return;
  connection_answered(connection, context, exchange, 0, now_ns);
  if (context->target->fresh)
    connection_close(connection, context, now_ns);
}

static void receive(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  enum load_error error = LOAD_ERROR_CLOSED;
  size_t taken = 0;
  while (connection->state == CONNECTION_UP) {
    if (taken >= CONNECTION_TURN_BYTES) {
      connection_rearm(connection, context);
      return;
    }
    ssize_t n = transport_receive(&connection->transport, context->buffer, context->buffer_size, &error);
    if (n == TRANSPORT_WAITS)
      return;
    if (n < 0) {
      connection_break(connection, context, error, now_ns);
      return;
    }
    taken += (size_t)n;
    take_bytes(connection, context, (size_t)n, now_ns);
  }
}

/* What is late can't be told from what comes next: the connection is closed. */
static void give_up(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                    int64_t now_ns) {
  (void)exchange;
  connection_break(connection, context, LOAD_ERROR_TIMEOUT, now_ns);
}

const struct protocol tcp_protocol = {.socket_type = SOCK_STREAM,
                                      .open = open_connection,
                                      .submit = submit,
                                      .push = connection_push_request,
                                      .receive = receive,
                                      .give_up = give_up};
