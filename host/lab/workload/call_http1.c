/* Calls by HTTP/1.1. */
#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/caller.h"
#include "host/lab/workload/stream.h"

struct http1_caller {
  struct caller caller;
  struct stream *stream;
  http_parser parser;
  struct strbuf name;
  struct strbuf value;
  bool in_head; /* not in the trailers, which are ignored */
  bool in_value;
  bool complete;
  bool keep_alive;
  bool too_large;
};

static struct http1_caller *http1_of(struct caller *caller) {
  return (struct http1_caller *)caller; /* its first member */
}

static void finish_header(struct http1_caller *http) {
  if (http->in_value)
    caller_header(&http->caller, strbuf_text(&http->name), http->name.length, strbuf_text(&http->value),
                  http->value.length);
  http->in_value = false;
  strbuf_clear(&http->name);
  strbuf_clear(&http->value);
}

static int on_begin(http_parser *parser) {
  struct http1_caller *http = parser->data;
  http->in_head = true;
  http->in_value = false;
  strbuf_clear(&http->name);
  strbuf_clear(&http->value);
  caller_begin_head(&http->caller);
  return 0;
}

static int on_name(http_parser *parser, const char *text, size_t length) {
  struct http1_caller *http = parser->data;
  if (!http->in_head)
    return 0;
  if (http->in_value)
    finish_header(http);
  strbuf_append(&http->name, text, length);
  return 0;
}

static int on_value(http_parser *parser, const char *text, size_t length) {
  struct http1_caller *http = parser->data;
  if (!http->in_head)
    return 0;
  http->in_value = true;
  strbuf_append(&http->value, text, length);
  return 0;
}

static bool is_interim(const http_parser *parser) {
  return parser->status_code >= 100 && parser->status_code < 200 && parser->status_code != 101;
}

/* Whatever its content-length says (RFC 9112, 6.3). */
static bool has_no_body(const struct http1_caller *http) {
  unsigned status = http->parser.status_code;
  return status < 200 || status == 204 || status == 304 || strcmp(http->caller.request->method, "HEAD") == 0;
}

/* 1 tells the parser that no body follows. */
static int on_head(http_parser *parser) {
  struct http1_caller *http = parser->data;
  finish_header(http);
  http->in_head = false;
  http->caller.outcome.status = parser->status_code;
  return has_no_body(http) ? 1 : 0;
}

static int on_body(http_parser *parser, const char *data, size_t length) {
  struct http1_caller *http = parser->data;
  http->too_large = !caller_body(&http->caller, data, length);
  return http->too_large ? -1 : 0;
}

static int on_complete(http_parser *parser) {
  struct http1_caller *http = parser->data;
  if (is_interim(parser))
    return 0;
  http->complete = true;
  http->keep_alive = http_should_keep_alive(parser) && !parser->upgrade;
  http_parser_pause(parser, 1);
  return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static void finish_malformed(struct http1_caller *http) {
  char text[120];
  (void)snprintf(text, sizeof(text), "not a response of HTTP/1.1: %s",
                 http_errno_description(HTTP_PARSER_ERRNO(&http->parser)));
  caller_finish(&http->caller, CALL_ERROR, false, http->too_large ? "the response's body is over 1 MiB" : text);
}

static void on_data(void *user, const uint8_t *data, size_t length) {
  struct http1_caller *http = user;
  if (!http->caller.busy) {
    stream_pause(http->stream, true);
    caller_ended(&http->caller, EPROTO); /* nothing was asked for */
    return;
  }
  http->caller.silent = false;
  size_t taken = http_parser_execute(&http->parser, &settings, (const char *)data, length);
  if (http->complete)
    caller_finish(&http->caller, CALL_ANSWERED, http->keep_alive && taken == length, NULL);
  else if (HTTP_PARSER_ERRNO(&http->parser) != HPE_OK)
    finish_malformed(http);
}

/* A response may end with the connection (RFC 9112, 6.3). */
static void on_end(void *user, int code) {
  struct http1_caller *http = user;
  stream_pause(http->stream, true);
  if (http->caller.busy && !http->caller.silent && code == 0) {
    (void)http_parser_execute(&http->parser, &settings, NULL, 0);
    if (http->complete) {
      caller_finish(&http->caller, CALL_ANSWERED, false, NULL);
      return;
    }
  }
  caller_ended(&http->caller, code);
}

static const struct stream_handler handler = {.data = on_data, .end = on_end};

static void http1_send(struct caller *caller) {
  struct http1_caller *http = http1_of(caller);
  const struct call_request *request = caller->request;
  struct strbuf *out = stream_output(http->stream);
  http_parser_init(&http->parser, HTTP_RESPONSE);
  http->parser.data = http;
  http->complete = false;
  strbuf_puts(out, request->method);
  strbuf_putc(out, ' ');
  strbuf_puts(out, request->path);
  strbuf_puts(out, " HTTP/1.1\r\nhost: ");
  strbuf_puts(out, request->authority);
  if (request->id[0]) {
    strbuf_puts(out, "\r\nx-trammel-id: ");
    strbuf_puts(out, request->id);
  }
  for (size_t i = 0; i < request->header_count; i++) {
    strbuf_puts(out, "\r\n");
    strbuf_puts(out, request->headers[i].name);
    strbuf_puts(out, ": ");
    strbuf_puts(out, request->headers[i].value);
  }
  if (request->body)
    strbuf_printf(out, "\r\ncontent-length: %zu", request->body_length);
  strbuf_puts(out, request->last ? "\r\nconnection: close\r\n\r\n" : "\r\n\r\n");
  if (request->body)
    strbuf_append(out, request->body, request->body_length);
  stream_flush(http->stream);
}

static int http1_open(struct event_base *base, const struct endpoint *endpoint, struct caller **ret_caller) {
  struct http1_caller *http = calloc(1, sizeof(*http));
  if (!http)
    return -ENOMEM;
  int r = stream_connect(base, endpoint, &handler, http, &http->stream);
  if (r < 0) {
    free(http);
    return r;
  }
  *ret_caller = &http->caller;
  return 0;
}

static void http1_destroy(struct caller *caller) {
  struct http1_caller *http = http1_of(caller);
  stream_destroy(http->stream);
  strbuf_finish(&http->name);
  strbuf_finish(&http->value);
  free(http);
}

const struct caller_type caller_http1 = {
    .protocol = CALL_HTTP1, .open = http1_open, .send = http1_send, .destroy = http1_destroy};
