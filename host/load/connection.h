/* One connection of a generator: at most one request is on its way. Its descriptor is registered once, edge-triggered,
 * so that a request takes one send and one receive. */
#ifndef TRAMMEL_HOST_LOAD_CONNECTION_H
#define TRAMMEL_HOST_LOAD_CONNECTION_H

#include <sys/queue.h>

#include "host/load/pacer.h"
#include "host/load/response.h"
#include "host/load/target.h"

enum connection_state {
  CONNECTION_DOWN,       /* no descriptor */
  CONNECTION_CONNECTING, /* with a request, or ahead of the first one */
  CONNECTION_FREE,
  CONNECTION_BUSY, /* with a request that is sent, or being sent */
};

struct connection {
  TAILQ_ENTRY(connection) entry; /* among the generator's free ones: those that are down or free, and have no request */
  enum connection_state state;
  uint32_t place, turn; /* among the generator's, and how many descriptors it has had: what epoll is told */
  int fd;
  bool has_shot;
  struct shot shot;
  size_t sent;           /* bytes of the request */
  int64_t since_ns;      /* when the state began */
  int64_t not_before_ns; /* down: when it may connect again */
  struct response response;
};

/* What became of a step. */
enum connection_step {
  CONNECTION_WAITS,    /* for the next event */
  CONNECTION_STANDS,   /* it stands, and has no request to send */
  CONNECTION_ANSWERED, /* its request: `response` is done; free again, or down when it was not kept */
  CONNECTION_BROKE,    /* `*ret_error`; it is down */
};

/* What an event carries: `place` in the high half, `turn` in the low one. An event of a turn before is stale. */
static inline uint64_t connection_mark(const struct connection *connection) {
  return (uint64_t)connection->place << 32 | connection->turn;
}

struct connection_context {
  int epoll_fd;
  const struct target *target;
  struct tally *tally;
  char *buffer; /* for what is received */
  size_t buffer_size;
};

/* Begins to connect; a request it has goes out once it stands. */
enum connection_step connection_dial(struct connection *connection, const struct connection_context *context,
                                     int64_t now_ns, enum load_error *ret_error);
/* Sends the request of one that is free. */
enum connection_step connection_send(struct connection *connection, const struct connection_context *context,
                                     int64_t now_ns, enum load_error *ret_error);
/* Acts on what epoll says of it. */
enum connection_step connection_event(struct connection *connection, const struct connection_context *context,
                                      uint32_t events, int64_t now_ns, enum load_error *ret_error);
/* Down, at once; its request is the caller's matter. */
void connection_close(struct connection *connection, int64_t now_ns);

#endif
