#include "plugins/reference/mesh/message.h"

#include <errno.h>
#include <string.h>

#include "plugins/reference/mesh/grammar.h"
#include "plugins/reference/mesh/limits.h"

enum {
  BAD_REQUEST = 400,
  HEAD_TOO_LARGE = 431,
  NOT_IMPLEMENTED = 501,
  VERSION_NOT_SUPPORTED = 505,
};

static int stored(struct message *message, int r) {
  if (r < 0)
    message->problem = r == -E2BIG ? HEAD_TOO_LARGE : BAD_REQUEST;
  return r < 0;
}

static int on_start(http_parser *parser, const char *data, size_t length) {
  struct message *message = parser->data;
  return stored(message, head_add_start(&message->head, data, length));
}

/* Trailers are read and forgotten: nothing that was decided by the head may change after it. */
static int on_name(http_parser *parser, const char *data, size_t length) {
  struct message *message = parser->data;
  return message->has_head ? 0 : stored(message, head_add_name(&message->head, data, length));
}

static int on_value(http_parser *parser, const char *data, size_t length) {
  struct message *message = parser->data;
  return message->has_head ? 0 : stored(message, head_add_value(&message->head, data, length));
}

/* How long the body is must be said in one way that everyone reads alike (RFC 9112, 6.3, 11.2). */
static bool framing_is_clear(const struct message *message) {
  struct slice coding, length;
  size_t codings = head_count(&message->head, "transfer-encoding", &coding);
  size_t lengths = head_count(&message->head, "content-length", &length);
  if (codings > 1 || lengths > 1 || (codings && lengths))
    return false;
  if (message->chunked != (codings == 1))
    return false;
  if (codings && (!slice_is_name(coding, "chunked") || message->parser.http_minor == 0))
    return false;
  for (size_t i = 0; lengths && i < length.length; i++)
    if (length.data[i] < '0' || length.data[i] > '9')
      return false;
  return true;
}

static int check_request(struct message *message) {
  struct head *head = &message->head;
  if (message->parser.http_major != 1 || message->parser.http_minor > 1)
    return VERSION_NOT_SUPPORTED;
  /* The parser takes SOURCE for another protocol's (Icecast), whose version it doesn't tell apart. */
  if (message->parser.method == HTTP_CONNECT || message->parser.method == HTTP_SOURCE)
    return NOT_IMPLEMENTED;
  size_t hosts = head_count(head, "host", NULL);
  if (hosts > 1 || (hosts == 0 && message->parser.http_minor > 0) || !host_is_clean(head) || !framing_is_clear(message))
    return BAD_REQUEST;
  int r = head_normalise_target(head);
  if (r == 0 && !host_is_clean(head))
    return BAD_REQUEST;
  return r == 0 ? 0 : r == -E2BIG ? HEAD_TOO_LARGE : BAD_REQUEST;
}

static int check_head(struct message *message) {
  if (!fields_are_clean(&message->head))
    return BAD_REQUEST;
  if (message->parser.type == HTTP_REQUEST)
    return check_request(message);
  return message->parser.http_major == 1 && framing_is_clear(message) ? 0 : BAD_REQUEST;
}

/* RFC 9110, 6.4.1. */
static bool status_is_bodiless(unsigned status) {
  return status < 200 || status == 204 || status == 304;
}

static bool ends_with_itself(const struct message *message) {
  return message->bodiless || message->chunked || message->parser.content_length != UINT64_MAX;
}

/* A length that no body follows is only told by answers to HEAD, and by 304 (RFC 9110, 8.6). */
static void drop_needless_length(struct message *message) {
  unsigned status = message->parser.status_code;
  if (message->parser.type == HTTP_RESPONSE && (status < 200 || status == 204))
    head_drop(&message->head, "content-length");
}

static void remember_framing(struct message *message) {
  const http_parser *parser = &message->parser;
  if (parser->type == HTTP_RESPONSE && status_is_bodiless(parser->status_code))
    message->bodiless = true;
  message->chunked = (parser->flags & F_CHUNKED) != 0;
  message->has_body = message->chunked || (parser->content_length > 0 && parser->content_length != UINT64_MAX);
  message->keep_alive =
      parser->http_minor > 0 ? !(parser->flags & F_CONNECTION_CLOSE) : (parser->flags & F_CONNECTION_KEEP_ALIVE) != 0;
  if (parser->type == HTTP_RESPONSE && !ends_with_itself(message))
    message->keep_alive = false;
}

static int on_head(http_parser *parser) {
  struct message *message = parser->data;
  remember_framing(message);
  if (parser->type == HTTP_REQUEST)
    message->head.method = http_method_str((enum http_method)parser->method);
  message->problem = check_head(message);
  if (message->problem)
    return -1;
  message->has_head = true;
  head_drop_hop_by_hop(&message->head);
  drop_needless_length(message);
  message->handler->head(message->context);
  parser->upgrade = 0; /* refused by passing it over (RFC 9110, 7.8) */
  return message->bodiless;
}

static int on_body(http_parser *parser, const char *data, size_t length) {
  struct message *message = parser->data;
  message->handler->body(message->context, data, length);
  return 0;
}

static int on_complete(http_parser *parser) {
  struct message *message = parser->data;
  message->complete = true;
  http_parser_pause(parser, 1);
  return 0;
}

static const http_parser_settings request_settings = {.on_url = on_start,
                                                      .on_header_field = on_name,
                                                      .on_header_value = on_value,
                                                      .on_headers_complete = on_head,
                                                      .on_body = on_body,
                                                      .on_message_complete = on_complete};
static const http_parser_settings response_settings = {.on_status = on_start,
                                                       .on_header_field = on_name,
                                                       .on_header_value = on_value,
                                                       .on_headers_complete = on_head,
                                                       .on_body = on_body,
                                                       .on_message_complete = on_complete};

static size_t execute(struct message *message, const char *data, size_t length) {
  bool request = message->parser.type == HTTP_REQUEST;
  return http_parser_execute(&message->parser, request ? &request_settings : &response_settings, data, length);
}

void message_init(struct message *message, enum http_parser_type type, const struct message_handler *handler,
                  void *context) {
  *message = (struct message){.handler = handler, .context = context};
  message->parser.type = (unsigned char)(type & 3);
  message_reset(message);
}

void message_finish(struct message *message) {
  head_finish(&message->head);
}

void message_reset(struct message *message) {
  enum http_parser_type type = (enum http_parser_type)message->parser.type;
  http_parser_init(&message->parser, type);
  message->parser.data = message;
  head_clear(&message->head);
  message->begun = message->has_head = message->complete = message->bodiless = false;
  message->chunked = message->has_body = message->keep_alive = false;
  message->problem = 0;
  message->at = BEFORE_START;
}

/* The bytes before a line of the head that begins with a blank. That continues the line before (obs-fold), which the
 * parser lets pass, and which others read as a field of its own (RFC 9112, 5.2). */
static size_t length_unfolded(struct message *message, const char *data, size_t length) {
  size_t i = 0;
  for (; i < length && message->at != AFTER_HEAD; i++) {
    bool blank = data[i] == ' ' || data[i] == '\t', end = data[i] == '\r' || data[i] == '\n';
    if (message->at == AT_LINE_START && blank)
      return i;
    if (message->at == AT_LINE_START && end)
      message->at = AFTER_HEAD;
    else if (data[i] == '\n' && message->at == IN_LINE)
      message->at = AT_LINE_START;
    else if (!end)
      message->at = IN_LINE;
  }
  return length;
}

size_t message_feed(struct message *message, const char *data, size_t length) {
  if (message->complete || message->problem || length == 0)
    return 0;
  message->begun = true;
  size_t unfolded = length_unfolded(message, data, length);
  size_t used = unfolded > 0 ? execute(message, data, unfolded) : 0;
  enum http_errno code = HTTP_PARSER_ERRNO(&message->parser);
  if (code != HPE_OK && code != HPE_PAUSED && message->problem == 0)
    message->problem = code == HPE_HEADER_OVERFLOW ? HEAD_TOO_LARGE : BAD_REQUEST;
  if (unfolded < length && message->problem == 0)
    message->problem = BAD_REQUEST;
  return used;
}

bool message_end(struct message *message) {
  if (!message->complete && !message->problem && message->has_head)
    (void)execute(message, NULL, 0);
  return message->complete;
}

unsigned message_status(const struct message *message) {
  return message->parser.status_code;
}
