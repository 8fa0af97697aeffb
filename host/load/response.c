#include "host/load/response.h"

static struct response *response_of(http_parser *parser) {
  return parser->data;
}

/* A callback's 1 says that there is no body. */
static int on_headers_complete(http_parser *parser) {
  return response_of(parser)->to_head && parser->status_code >= 200;
}

/* An interim answer (RFC 9110, 15.2) is followed by another one. Switching protocols was not asked for. */
static int on_message_complete(http_parser *parser) {
  struct response *response = response_of(parser);
  if (parser->status_code == 101)
    return -1;
  if (parser->status_code < 200)
    return 0;
  response->done = true;
  response->status = parser->status_code;
  response->kept = http_should_keep_alive(parser) != 0;
  http_parser_pause(parser, 1);
  return 0;
}

static const http_parser_settings settings = {.on_headers_complete = on_headers_complete,
                                              .on_message_complete = on_message_complete};

void response_begin(struct response *response, bool to_head) {
  response->to_head = to_head;
  response->done = false;
  http_parser_init(&response->parser, HTTP_RESPONSE);
  response->parser.data = response;
}

int response_take(struct response *response, const char *data, size_t length, enum load_error *ret_error) {
  if (response->done) {
    *ret_error = LOAD_ERROR_MALFORMED;
    return length > 0;
  }
  size_t taken = http_parser_execute(&response->parser, &settings, data, length);
  enum http_errno error = HTTP_PARSER_ERRNO(&response->parser);
  *ret_error = length == 0                    ? LOAD_ERROR_CLOSED
               : error == HPE_HEADER_OVERFLOW ? LOAD_ERROR_TOO_LONG
                                              : LOAD_ERROR_MALFORMED;
  if (response->done)
    return taken < length;
  return length == 0 || error != HPE_OK || taken < length;
}
