/* Datagrams in a stream: each with its length before it, two bytes, the higher first. */
#ifndef TRAMMEL_REFERENCE_MESH_FRAME_H
#define TRAMMEL_REFERENCE_MESH_FRAME_H

#include <stddef.h>

#include "sdk/base/strbuf.h"

struct stream;

enum { FRAME_HEAD = 2 };

/* Queues a datagram of at most LIMIT_DATAGRAM bytes. */
void frame_write(struct stream *stream, const char *data, size_t length);

struct frame_reader {
  struct strbuf partial; /* the begin of a frame, or one that was handed out */
  bool handed_out;
};

enum frame {
  FRAME_MORE,     /* all bytes are taken, and more are needed */
  FRAME_DATAGRAM, /* here is one: until the next call, or the end of the bytes */
  FRAME_BAD,      /* what no datagram can be; or no memory for it. Nothing can be read any more */
};

/* Takes bytes from the front of `*data`, up to the end of a datagram. */
enum frame frame_next(struct frame_reader *reader, const char **data, size_t *length, const char **ret_datagram,
                      size_t *ret_size);
void frame_reader_finish(struct frame_reader *reader);

#endif
