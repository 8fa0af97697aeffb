/* HTTP/1.1 on a connection that stands: one request at a time. */
#include <sys/socket.h>

#include "host/load/protocol.h"

static void submit(struct connection *connection, struct connection_context *context, struct exchange *exchange) {
  (void)exchange;
  connection->sent = 0;
  response_begin(&connection->response, context->target->head);
}

static void open_connection(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  connection->limit = 1;
  connection_stands(connection, context, now_ns);
  connection_push_request(connection, context, now_ns);
}

static void answered(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  const struct target *target = context->target;
  bool whole = connection->sent == target->request_length;
  bool kept = connection->response.kept && !target->fresh && whole && !connection->transport.last;
  connection_answered(connection, context, connection->exchanges, connection->response.status, now_ns);
  if (!kept)
    connection_close(connection, context, now_ns);
}

/* Whether more may come of it. One without a request has nothing to receive but its end; what else it receives, nobody
 * asked for. */
static bool take_bytes(struct connection *connection, struct connection_context *context, size_t length,
                       int64_t now_ns) {
  enum load_error error = length > 0 ? LOAD_ERROR_MALFORMED : LOAD_ERROR_CLOSED;
  context->tally->bytes_read += length;
  if (connection->exchanges->taken && !connection->exchanges->begun && length > 0)
    connection_begun(connection->exchanges, context, now_ns);
  if (!connection->exchanges->taken || response_take(&connection->response, context->buffer, length, &error)) {
    connection_break(connection, context, error, now_ns);
    return false;
  }
  if (connection->response.done)
    answered(connection, context, now_ns);
  return !connection->response.done;
}

static void receive(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  enum load_error error;
  size_t taken = 0;
  ssize_t n;
  do {
    if (taken >= CONNECTION_TURN_BYTES) {
      connection_rearm(connection, context);
      return;
    }
    n = transport_receive(&connection->transport, context->buffer, context->buffer_size, &error);
    if (n == TRANSPORT_FAILED)
      connection_break(connection, context, error, now_ns);
    if (n == TRANSPORT_WAITS || n == TRANSPORT_FAILED)
      return;
    taken += n == TRANSPORT_ENDED ? 0 : (size_t)n;
  } while (take_bytes(connection, context, n == TRANSPORT_ENDED ? 0 : (size_t)n, now_ns));
}

/* There is no way to give a request up but to close the connection. */
static void give_up(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                    int64_t now_ns) {
  (void)exchange;
  connection_break(connection, context, LOAD_ERROR_TIMEOUT, now_ns);
}

const struct protocol http1_protocol = {.socket_type = SOCK_STREAM,
                                        .open = open_connection,
                                        .submit = submit,
                                        .push = connection_push_request,
                                        .receive = receive,
                                        .give_up = give_up};
