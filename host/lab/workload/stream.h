/* A non-blocking stream socket with buffered output. Writes while it connects are kept and sent when it is connected.
 * Reading stops while the peer lets too much output pile up, so a peer bounds its own memory. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_STREAM_H
#define TRAMMEL_HOST_LAB_WORKLOAD_STREAM_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/lab/workload/endpoint.h"

struct stream;

/* Called from the event loop, as the last thing the stream does: a handler may destroy the stream. */
struct stream_handler {
  void (*data)(void *user, const uint8_t *data, size_t length);
  void (*end)(void *user, int code); /* 0: the peer closed; else a positive errno. Nothing comes after it. */
};

/* Takes `fd`, a connected socket, also on failure. 0 or -errno. */
int stream_adopt(struct event_base *base, int fd, const struct stream_handler *handler, void *user,
                 struct stream **ret_stream);
/* 0, or -errno of a connect(2) that failed at once. */
int stream_connect(struct event_base *base, const struct endpoint *endpoint, const struct stream_handler *handler,
                   void *user, struct stream **ret_stream);
void stream_destroy(struct stream *stream);

/* Keeps the bytes; stream_flush sends what it can now and the rest later. */
struct strbuf *stream_output(struct stream *stream);
void stream_flush(struct stream *stream);

/* Stops and starts reading. */
void stream_pause(struct stream *stream, bool paused);

/* Sends what is kept, ends the sending side, and calls `end` when the peer has closed too, or after a while. What still
 * comes in is dropped, not handed on: closing at once would reset the connection and take the answer away with it. */
void stream_close(struct stream *stream);

#endif
