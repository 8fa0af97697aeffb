#include "host/load/http1.h"

void http1_push(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  const struct target *target = context->target;
  enum load_error error;
  while (connection->sent < target->request_length) {
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

void http1_submit(struct connection *connection, const struct connection_context *context) {
  connection->sent = 0;
  response_begin(&connection->response, context->target->head);
}

static void answered(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  const struct target *target = context->target;
  bool whole = connection->sent == target->request_length;
  bool kept = connection->response.kept && !target->fresh && whole && !connection->transport.last;
  connection_answered(connection, context, connection->exchanges, connection->response.status, now_ns);
  if (!kept)
    connection_close(connection, now_ns);
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

void http1_receive(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  enum load_error error;
  ssize_t n;
  do {
    n = transport_receive(&connection->transport, context->buffer, context->buffer_size, &error);
    if (n == TRANSPORT_FAILED)
      connection_break(connection, context, error, now_ns);
    if (n == TRANSPORT_WAITS || n == TRANSPORT_FAILED)
      return;
  } while (take_bytes(connection, context, n == TRANSPORT_ENDED ? 0 : (size_t)n, now_ns));
}
