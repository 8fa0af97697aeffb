/* One request of a client's HTTP/2 connection, from its head to the end of its answer: a stream of the client's, and
 * while it is passed on one of a server's. */
#ifndef TRAMMEL_REFERENCE_MESH_EXCHANGE_H
#define TRAMMEL_REFERENCE_MESH_EXCHANGE_H

#include <sys/queue.h>

#include "plugins/reference/mesh/h2_link.h"
#include "plugins/reference/mesh/session.h"

struct exchange;
TAILQ_HEAD(exchange_list, exchange);

/* What the exchanges of one connection share. */
struct exchanges {
  nghttp2_session *client;
  struct exchange_list list; /* in the order they began */
  struct pool *pool;
  const struct session_handler *handler;
  void *context;                                /* of the handler */
  void (*changed)(struct exchanges *exchanges); /* there is something to send; the exchanges may be gone after it */
  const struct stream *stream;                  /* whose clock counts */
  bool to_flush;                                /* some exchange is */
};

struct exchange {
  TAILQ_ENTRY(exchange) entry;
  struct exchanges *all;
  int32_t id; /* of the client's stream */
  struct h2_head request;
  struct h2_link *link; /* NULL: nobody is asked (any more) */
  void *note;           /* of the handler's */
  struct strbuf upload; /* of the request's body, not yet passed on; bounded by the stream's window */
  struct strbuf answer; /* of the answer's body, the same */
  int64_t start_ns;
  int64_t begun_s;
  int64_t written_ns; /* when the request was queued on the link */
  unsigned status;    /* of the answer that was begun; 0: none */
  bool decided;       /* the head was looked at, and it is known what for */
  bool request_ended;
  bool bodiless;     /* the request ended with its head */
  bool answer_ended; /* no more comes of it */
  bool served;       /* it was counted */
  bool retried;
  bool to_flush; /* its link may have something to send */
};

/* For a stream that a client opened. NULL without memory. */
struct exchange *exchange_create(struct exchanges *all, int32_t id);
void exchange_destroy(struct exchange *exchange); /* a server learns that nobody waits any more */

/* What nghttp2 reads of the client's stream. 0, or an error of nghttp2 that ends the connection. */
void exchange_begin(struct exchange *exchange, bool ended); /* the head is complete */
int exchange_body(struct exchange *exchange, const char *data, size_t length);
void exchange_end(struct exchange *exchange); /* the request is */

/* Sends on the links what there is to send, until nothing is left of it. */
void exchanges_flush(struct exchanges *all);

#endif
