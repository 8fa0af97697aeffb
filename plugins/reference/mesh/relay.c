#include "plugins/reference/mesh/relay.h"

#include <stdlib.h>

#include "plugins/reference/mesh/datagram.h"
#include "plugins/reference/mesh/frame.h"
#include "plugins/reference/mesh/limits.h"

struct relay {
  struct stream *stream;
  struct frame_reader reader;
  struct datagram_socket *program;
  void (*closed)(void *context);
  void *context;
};

static void relay_ready(void *context) {
  (void)context;
}

static size_t relay_data(void *context, const char *data, size_t length) {
  struct relay *relay = context;
  const char *rest = data, *datagram;
  size_t left = length, size;
  stream_set_deadline(relay->stream, TIMEOUT_RELAY_IDLE);
  for (;;) {
    switch (frame_next(&relay->reader, &rest, &left, &datagram, &size)) {
    case FRAME_DATAGRAM:
      datagram_send(relay->program, datagram, size);
      break;
    case FRAME_MORE:
      return length;
    case FRAME_BAD:
      relay->closed(relay->context);
      return length;
    }
  }
}

static void relay_ended(void *context, enum stream_end end) {
  (void)end;
  struct relay *relay = context;
  relay->closed(relay->context);
}

static const struct stream_handler relay_handler = {
    .ready = relay_ready, .data = relay_data, .drained = relay_ready, .ended = relay_ended};

/* A caller that does not read loses answers, as with any full queue. */
static void relay_answer(void *context, const char *data, size_t length) {
  struct relay *relay = context;
  if (stream_full(relay->stream))
    return;
  stream_set_deadline(relay->stream, TIMEOUT_RELAY_IDLE);
  frame_write(relay->stream, data, length);
  stream_flush(relay->stream);
}

struct relay *relay_create(struct stream_loop *loop, struct stream *stream, const struct sockaddr_in *program,
                           void (*closed)(void *context), void *context) {
  struct relay *relay = calloc(1, sizeof *relay);
  if (!relay) {
    stream_destroy(stream);
    return NULL;
  }
  *relay = (struct relay){.stream = stream, .closed = closed, .context = context};
  relay->program = datagram_connect(loop, program, relay_answer, relay);
  if (!relay->program) {
    relay_destroy(relay);
    return NULL;
  }
  stream_set_handler(stream, &relay_handler, relay);
  stream_set_deadline(stream, TIMEOUT_RELAY_IDLE);
  return relay;
}

void relay_destroy(struct relay *relay) {
  if (!relay)
    return;
  stream_destroy(relay->stream);
  datagram_close(relay->program);
  frame_reader_finish(&relay->reader);
  free(relay);
}
