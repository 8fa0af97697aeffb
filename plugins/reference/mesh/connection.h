/* A connection that a proxy accepted, from its first byte to its end: first a bare stream, then a session of the
 * version of HTTP that the first bytes are of, a tunnel or a relay. A flow of datagrams is one, too. */
#ifndef TRAMMEL_REFERENCE_MESH_CONNECTION_H
#define TRAMMEL_REFERENCE_MESH_CONNECTION_H

#include "plugins/reference/mesh/h2_session.h"
#include "plugins/reference/mesh/relay.h"
#include "plugins/reference/mesh/session.h"
#include "plugins/reference/mesh/tunnel.h"
#include "plugins/reference/mesh/workload.h"

/* HTTP whose version is not told yet. */
struct greeting {
  struct pool *pool;
  const struct session_handler *handler;
  bool silent;
  size_t length; /* bytes of HTTP/2's preface that were read */
};

struct connection {
  LIST_ENTRY(connection) entry;
  struct workload *workload;
  struct stream *stream;   /* until it is handed over */
  struct session *session; /* HTTP/1.1 */
  struct h2_session *h2;   /* HTTP/2 */
  struct tunnel *tunnel;   /* TCP */
  struct relay *relay;     /* UDP, between proxies */
  struct greeting greeting;
  bool (*allowed)(struct connection *connection); /* of an open tunnel, relay or flow: whether it may stay */
  void (*finish)(struct connection *connection);  /* ends what is not in here; NULL: nothing */
};

/* Embedded first in what inbound.c and outbound.c keep for a connection; `size` is that of the whole. */
struct connection *connection_create(struct workload *workload, size_t size);
void connection_destroy(struct connection *connection);

/* Goes on as HTTP, or as TCP to the target. The connection is destroyed when that fails. */
void connection_serve(struct connection *connection, struct pool *pool, bool silent,
                      const struct session_handler *handler);
void connection_tunnel(struct connection *connection, struct pool *pool, const struct target *target);

/* Goes on with datagrams, to and from a program. The connection is destroyed when that fails. */
void connection_relay(struct connection *connection, const struct sockaddr_in *program);

/* As a handler's `closed`. */
void connection_closed(void *connection);

/* Accepted descriptors; both take them over. `index` is that of the workload's port or upstream. */
void inbound_accept(struct workload *workload, size_t index, int fd);
void outbound_accept(struct workload *workload, size_t index, int fd);

/* Datagrams, at the listener of a port or an upstream. */
void inbound_receive(struct listener *listener, const struct sockaddr_in *from, const char *data, size_t length);
void outbound_receive(struct listener *listener, const struct sockaddr_in *from, const char *data, size_t length);

#endif
