/* One HTTP/1.1 message after another, parsed as it arrives: strict, bounded, and paused between messages. */
#ifndef TRAMMEL_REFERENCE_MESH_MESSAGE_H
#define TRAMMEL_REFERENCE_MESH_MESSAGE_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>

#include "plugins/reference/mesh/head.h"

struct message_handler {
  void (*head)(void *context); /* the head is complete and was checked */
  void (*body)(void *context, const char *data, size_t length);
};

struct message {
  http_parser parser;
  struct head head;
  const struct message_handler *handler;
  void *context;
  enum { BEFORE_START, IN_LINE, AT_LINE_START, AFTER_HEAD } at; /* in the head */
  bool begun;                                                   /* a byte of it was seen */
  bool has_head;                                                /* the handler was told */
  bool complete;
  bool bodiless; /* a response that has no body whatever its head says: set for one to HEAD, found for others */
  /* As the head says it: trailers change what the parser remembers. */
  bool chunked;
  bool has_body;   /* of a request */
  bool keep_alive; /* the connection can be used again after it */
  int problem;     /* HTTP status that tells a client what is wrong with its request; 0: nothing */
};

void message_init(struct message *message, enum http_parser_type type, const struct message_handler *handler,
                  void *context);
void message_finish(struct message *message);

/* Forgets the message that was read and makes ready for the next. */
void message_reset(struct message *message);

/* Reads on, up to the end of the message at most. Returns the bytes used; fewer than `length` when the message is
 * complete or has a problem. */
size_t message_feed(struct message *message, const char *data, size_t length);

/* The connection ended: completes a response that is as long as its connection. False when the message is cut off. */
bool message_end(struct message *message);

unsigned message_status(const struct message *message);

#endif
