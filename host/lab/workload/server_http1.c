/* Serves HTTP/1.1 and 1.0, with pipelining. A request is answered before the next one is parsed. */
#include <http_parser.h>
#include <string.h>
#include <strings.h>

#include "host/lab/workload/connection.h"
#include "host/lab/workload/exchange.h"
#include "host/lab/workload/forward.h"

struct http1 {
  struct connection *connection;
  http_parser parser;
  struct exchange exchange;
  struct strbuf name;
  struct strbuf value;
  struct strbuf rest; /* what came after a /call that is not answered yet */
  struct forward *forward;
  bool in_head; /* not in the trailers, which are ignored */
  bool in_value;
  bool expects_continue;
  bool keep_alive;
  bool closing;
};

static int finish_header(struct http1 *http) {
  int r = 0;
  if (http->in_value) {
    const char *name = strbuf_text(&http->name);
    const char *value = strbuf_text(&http->value);
    r = exchange_header(&http->exchange, name, http->name.length, value, http->value.length);
    if (strcasecmp(name, "expect") == 0 && strcasecmp(value, "100-continue") == 0)
      http->expects_continue = true;
  }
  http->in_value = false;
  strbuf_clear(&http->name);
  strbuf_clear(&http->value);
  return r;
}

static int on_begin(http_parser *parser) {
  struct http1 *http = parser->data;
  exchange_begin(&http->exchange, "http/1.1", http->connection->port);
  strbuf_clear(&http->name);
  strbuf_clear(&http->value);
  http->in_head = true;
  http->in_value = false;
  http->expects_continue = false;
  return 0;
}

static int on_url(http_parser *parser, const char *text, size_t length) {
  struct http1 *http = parser->data;
  return exchange_path(&http->exchange, text, length);
}

static int on_name(http_parser *parser, const char *text, size_t length) {
  struct http1 *http = parser->data;
  if (!http->in_head)
    return 0;
  int r = http->in_value ? finish_header(http) : 0;
  strbuf_append(&http->name, text, length);
  return r;
}

static int on_value(http_parser *parser, const char *text, size_t length) {
  struct http1 *http = parser->data;
  if (!http->in_head)
    return 0;
  http->in_value = true;
  strbuf_append(&http->value, text, length);
  return 0;
}

static int on_head(http_parser *parser) {
  struct http1 *http = parser->data;
  if (finish_header(http) < 0)
    return -1;
  http->in_head = false;
  const char *method = http_method_str((enum http_method)parser->method);
  (void)strncpy(http->exchange.method, method, EXCHANGE_METHOD_MAX);
  if (parser->method == HTTP_CONNECT) {
    exchange_fail(&http->exchange, 405, "CONNECT asks for a tunnel, and this is no proxy");
    return -1;
  }
  parser->upgrade = 0; /* an upgrade may be ignored (RFC 9110, 7.8), and is */
  if (http->expects_continue)
    strbuf_puts(stream_output(http->connection->stream), "HTTP/1.1 100 Continue\r\n\r\n");
  if (http->expects_continue)
    stream_flush(http->connection->stream);
  return 0;
}

static int on_body(http_parser *parser, const char *data, size_t length) {
  struct http1 *http = parser->data;
  return exchange_body(&http->exchange, data, length);
}

static void write_answer(struct http1 *http) {
  const struct exchange *exchange = &http->exchange;
  struct strbuf *out = stream_output(http->connection->stream);
  strbuf_printf(out, "HTTP/1.1 %u %s\r\ncontent-type: %s\r\ncontent-length: %zu\r\n", exchange->status,
                http_status_str(exchange->status), exchange->reply_type, exchange->reply.length);
  if (exchange->nonce[0])
    strbuf_printf(out, "x-trammel-nonce: %s\r\nx-trammel-server: %s\r\n", exchange->nonce,
                  http->connection->service->name);
  if (!http->keep_alive)
    strbuf_puts(out, "connection: close\r\n");
  else if (http->parser.http_minor == 0)
    strbuf_puts(out, "connection: keep-alive\r\n");
  strbuf_puts(out, "\r\n");
  if (strcmp(exchange->method, "HEAD") != 0)
    strbuf_append(out, exchange->reply.data, exchange->reply.length);
  if (!http->keep_alive)
    http->closing = true;
}

static void take_data(struct http1 *http, const uint8_t *data, size_t length);

static void on_forwarded(void *user, const struct forward_reply *reply) {
  struct http1 *http = user;
  http->exchange.status = reply->status;
  http->exchange.reply_type = reply->content_type;
  strbuf_append(&http->exchange.reply, reply->body, reply->body_length);
  write_answer(http);
  forward_destroy(take(http->forward));
  stream_pause(http->connection->stream, false);
  struct strbuf rest = take(http->rest);
  if (!http->closing)
    http_parser_pause(&http->parser, 0);
  take_data(http, (const uint8_t *)strbuf_text(&rest), rest.length);
  strbuf_finish(&rest);
}

static void begin_forward(struct http1 *http) {
  struct exchange *exchange = &http->exchange;
  _cleanup_error_ struct error *err = NULL;
  int r = forward_create(http->connection->base, http->connection->service, strbuf_text(&exchange->body),
                         exchange->body.length, on_forwarded, http, &http->forward, &err);
  if (r < 0) {
    exchange_fail(exchange, 400, error_message(err));
    write_answer(http);
    return;
  }
  http_parser_pause(&http->parser, 1);
  stream_pause(http->connection->stream, true);
}

static int on_complete(http_parser *parser) {
  struct http1 *http = parser->data;
  struct exchange *exchange = &http->exchange;
  http->keep_alive = http_should_keep_alive(parser);
  exchange_accept(exchange, http->connection->service);
  if (exchange->status == 0 && exchange_is_call(exchange)) {
    begin_forward(http);
  } else {
    exchange_answer(exchange, http->connection->service);
    write_answer(http);
  }
  if (http->closing)
    http_parser_pause(parser, 1); /* what follows the last request counts as not sent (RFC 9112, 9.6) */
  return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static void answer_malformed(struct http1 *http) {
  enum http_errno code = HTTP_PARSER_ERRNO(&http->parser);
  if (http->exchange.status == 0 || http->exchange.nonce[0])
    exchange_fail(&http->exchange, code == HPE_HEADER_OVERFLOW ? 431 : 400, http_errno_description(code));
  http->exchange.nonce[0] = '\0';
  http->keep_alive = false;
  write_answer(http);
}

static void take_data(struct http1 *http, const uint8_t *data, size_t length) {
  struct stream *stream = http->connection->stream;
  if (length > 0 && !http->closing) {
    size_t taken = http_parser_execute(&http->parser, &settings, (const char *)data, length);
    enum http_errno code = HTTP_PARSER_ERRNO(&http->parser);
    if (code == HPE_PAUSED && !http->closing)
      strbuf_append(&http->rest, data + taken, length - taken);
    else if (code != HPE_OK && !http->closing)
      answer_malformed(http);
  }
  if (http->closing)
    stream_close(stream);
  else
    stream_flush(stream);
}

static void http1_data(struct connection *connection, const uint8_t *data, size_t length) {
  struct http1 *http = connection->state;
  if (!http) {
    http = connection->state = calloc(1, sizeof(*http));
    if (!http) {
      stream_close(connection->stream);
      return;
    }
    http->connection = connection;
    http_parser_init(&http->parser, HTTP_REQUEST);
    http->parser.data = http;
  }
  take_data(http, data, length);
}

static void http1_finish(struct connection *connection) {
  struct http1 *http = connection->state;
  if (!http)
    return;
  forward_destroy(http->forward);
  exchange_finish(&http->exchange);
  strbuf_finish(&http->name);
  strbuf_finish(&http->value);
  strbuf_finish(&http->rest);
  free(http);
}

const struct connection_protocol connection_http1 = {.data = http1_data, .finish = http1_finish};
