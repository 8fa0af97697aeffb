/* An HTTP/1.1 response, read as it comes. Bodies are counted, not kept. */
#ifndef TRAMMEL_HOST_LOAD_RESPONSE_H
#define TRAMMEL_HOST_LOAD_RESPONSE_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/load/tally.h"

struct response {
  http_parser parser;
  bool to_head; /* the request was a HEAD: no body follows, whatever the headers say */
  bool done;
  bool kept;       /* done: the connection may be used again */
  unsigned status; /* done: of the final answer */
};

void response_begin(struct response *response, bool to_head);

/* Takes the next bytes; `length` 0: the connection was closed. 0, or 1 and `*ret_error` when no answer can come of it
 * any more. Bytes beyond the answer are malformed: nothing was asked for them. */
int response_take(struct response *response, const char *data, size_t length, enum load_error *ret_error);

#endif
