/* One connection of a generator, and the requests that are on their way on it. It tells the pacer how each of them
 * ends. Its descriptor is registered once, edge-triggered, so that a request takes one send and one receive. What
 * bytes go over it is up to its protocol. */
#ifndef TRAMMEL_HOST_LOAD_CONNECTION_H
#define TRAMMEL_HOST_LOAD_CONNECTION_H

#include <sys/queue.h>

#include "host/load/grpc_call.h"
#include "host/load/pacer.h"
#include "host/load/response.h"
#include "host/load/target.h"
#include "host/load/transport.h"

/* What a connection takes at one time, about: then others have their turn, and the clock is looked at. */
#define CONNECTION_TURN_BYTES ((size_t)1 << 20)

enum connection_state {
  CONNECTION_DOWN, /* no descriptor */
  CONNECTION_CONNECTING,
  CONNECTION_SECURING, /* the socket stands, TLS does not yet */
  CONNECTION_GREETING, /* HTTP/2: the target has not told its settings yet */
  CONNECTION_UP,
};

/* Where a request of a connection has its place. */
struct exchange {
  struct exchange *next; /* among those that are free */
  struct shot shot;
  bool taken; /* it has a request */
  bool begun; /* something of its answer has come */
  /* of HTTP/2: */
  bool ended;      /* its answer is whole */
  bool was_reset;  /* by the target */
  unsigned status; /* of the answer */
  int32_t stream;
  size_t body_sent;
  /* of gRPC: */
  struct grpc_call call;
  /* of UDP: */
  uint64_t number;
};

struct protocol;
struct http2;
struct udp;

/* Its list, among the generator's. */
enum connection_list_kind { CONNECTION_UNLISTED, CONNECTION_LISTED_STANDING, CONNECTION_LISTED_DOWN };

struct connection {
  TAILQ_ENTRY(connection) entry;
  STAILQ_ENTRY(connection) unsent_entry;
  bool has_unsent; /* it is among those that have something to send */
  enum connection_list_kind listed;
  enum connection_state state;
  uint32_t place, turn; /* among the generator's, and how many descriptors it has had: what epoll is told */
  struct transport transport;
  struct exchange *exchanges, *free; /* as many as the target has streams */
  unsigned on_their_way;             /* requests, those that wait for the connection to stand among them */
  unsigned limit;                    /* of them, when it stands */
  int64_t dialed_ns;                 /* when it last began to connect */
  int64_t since_ns;                  /* when the state began */
  int64_t not_before_ns;             /* down or pausing: when it may go on */
  bool pausing;                      /* it stands, and takes no request */
  size_t sent;                       /* of HTTP/1.1 and TCP: bytes of the request */
  size_t received;                   /* of TCP: bytes of the answer */
  struct response response;          /* of HTTP/1.1 */
  struct http2 *http2;
  struct udp *udp;
};

/* What an event carries: `place` in the high half, `turn` in the low one. An event of a turn before is stale. */
static inline uint64_t connection_mark(const struct connection *connection) {
  return (uint64_t)connection->place << 32 | connection->turn;
}

/* What the connections of a generator have in common. Times are since the start of the run. */
struct connection_context {
  int epoll_fd;
  int64_t start_ns; /* monotonic */
  const struct target *target;
  const struct protocol *protocol; /* of the target */
  struct pacer *pacer;
  struct tally *tally;
  unsigned on_their_way; /* requests, of all connections */
  int64_t connect_timeout_ns, timeout_ns;
  char *buffer; /* for what is received */
  size_t buffer_size;
};

/* Down, with `count` places for requests, which the caller keeps. */
void connection_init(struct connection *connection, uint32_t place, struct exchange *exchanges, unsigned count);
/* How many requests it takes now: none while it comes up. One that is down takes its first, and connects for it. */
unsigned connection_room(const struct connection *connection);

/* Begins to connect; what it has goes out once it stands. */
void connection_dial(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Takes a request, for which there is room; goes out at connection_push(). */
void connection_send(struct connection *connection, struct connection_context *context, const struct shot *shot,
                     int64_t now_ns);
/* Sends what it has taken. */
void connection_push(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Acts on what epoll says of it. */
void connection_event(struct connection *connection, struct connection_context *context, uint32_t events,
                      int64_t now_ns);
/* Ends what has taken too long. */
void connection_expire(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* The run ends: what is on its way is censored. */
void connection_finish(struct connection *connection, struct connection_context *context, int64_t now_ns);

/* ---- for the protocols */

/* It has had its turn, and there may be more to receive: an event comes for that. */
void connection_rearm(struct connection *connection, const struct connection_context *context);
/* Requests can be sent: those that it has are. */
void connection_stands(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* Goes on to send the target's request, of which `sent` bytes have gone; for protocols that have one at a time. */
void connection_push_request(struct connection *connection, struct connection_context *context, int64_t now_ns);
/* The answer begins to come; to be called once, with what comes first. */
void connection_begun(struct exchange *exchange, struct connection_context *context, int64_t now_ns);
/* `status` 0: the protocol has none. */
void connection_answered(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                         unsigned status, int64_t now_ns);
/* Of gRPC: by the statuses of HTTP and of the call. */
void connection_called(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                       int64_t now_ns);
void connection_fail(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                     enum load_error error, int64_t now_ns);
/* It goes down, and what it has on its way has failed. */
void connection_break(struct connection *connection, struct connection_context *context, enum load_error error,
                      int64_t now_ns);
/* It goes down with nothing on its way. */
void connection_close(struct connection *connection, const struct connection_context *context, int64_t now_ns);

#endif
