/* Connections from one proxy to where it sends requests, kept open between them. */
#ifndef TRAMMEL_REFERENCE_MESH_POOL_H
#define TRAMMEL_REFERENCE_MESH_POOL_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#include "plugins/reference/mesh/stream.h"

struct pool;
struct peer;
struct pool_link;

struct target {
  struct sockaddr_in address;
  const char *identity; /* SPIFFE ID that must answer; NULL: plain. Borrowed for the call */
  bool datagrams;       /* with an identity: the connection is to carry these. Not for idle ones */
  bool h2;              /* a connection that speaks HTTP/2: never mixed up with one that does not */
};

/* `tls` is what the pool's owner calls with; NULL when it calls plainly. Borrowed. */
struct pool *pool_create(struct stream_loop *loop, SSL_CTX *tls);
void pool_destroy(struct pool *pool); /* with every connection, in use or not */

/* What a connection's protocol keeps with it between requests. */
struct pool_state {
  /* Something came while the connection was idle. False when it is of no more use. */
  bool (*heard)(struct pool_state *state, const char *data, size_t length);
  void (*destroy)(struct pool_state *state); /* with the connection, whose stream may be gone */
};

struct pool_link {
  LIST_ENTRY(pool_link) entry;
  struct stream *stream;
  struct peer *peer;
  struct pool_state *state; /* NULL: it keeps nothing, and an idle connection that says anything is of no more use */
  int64_t made_s;           /* by the loop's clock */
  bool reused;              /* it carried a request before */
};

/* A connection to the target, for its stream to be used with `handler`: an idle one where `idle` allows that and there
 * is one, else one that begins to connect (which has a deadline for that). NULL without memory or descriptors. */
struct pool_link *pool_take(struct pool *pool, const struct target *target, bool idle,
                            const struct stream_handler *handler, void *context);

/* Gives it back: kept when `reusable` and not older than a certificate may get before its renewal, else destroyed. */
void pool_give(struct pool_link *link, bool reusable);

/* Gives up a connection that is not to be kept, after what is queued on it was sent. */
void pool_release(struct pool_link *link);

/* Gives up a connection in the middle of what is sent over it. */
void pool_abort(struct pool_link *link);

#endif
