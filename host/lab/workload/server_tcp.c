/* TCP: "ID\n" is answered with "SERVER NONCE\n". A line that is no id closes the connection. */
#include <string.h>

#include "host/lab/workload/connection.h"

struct line {
  size_t length;
  char text[CALL_ID_MAX + 2]; /* with a carriage return, which is dropped */
};

static bool answer_line(struct connection *connection, const struct line *line) {
  char nonce[NONCE_LENGTH + 1];
  size_t length = line->length;
  if (length > 0 && line->text[length - 1] == '\r')
    length--;
  if (service_accept(connection->service, line->text, length, connection->port, nonce) < 0)
    return false;
  struct strbuf *output = stream_output(connection->stream);
  strbuf_puts(output, connection->service->name);
  strbuf_putc(output, ' ');
  strbuf_puts(output, nonce);
  strbuf_putc(output, '\n');
  return true;
}

static bool take_lines(struct connection *connection, struct line *line, const uint8_t *data, size_t length) {
  while (length > 0) {
    const uint8_t *newline = memchr(data, '\n', length);
    size_t part = newline ? (size_t)(newline - data) : length;
    if (part > sizeof(line->text) - line->length)
      return false;
    memcpy(line->text + line->length, data, part);
    line->length += part;
    if (!newline)
      break;
    if (!answer_line(connection, line))
      return false;
    line->length = 0;
    data += part + 1;
    length -= part + 1;
  }
  return true;
}

static void tcp_data(struct connection *connection, const uint8_t *data, size_t length) {
  if (!connection->state)
    connection->state = calloc(1, sizeof(struct line));
  if (connection->state && take_lines(connection, connection->state, data, length))
    stream_flush(connection->stream);
  else
    stream_close(connection->stream);
}

static void tcp_finish(struct connection *connection) {
  free(connection->state);
}

const struct connection_protocol connection_tcp = {.data = tcp_data, .finish = tcp_finish};
