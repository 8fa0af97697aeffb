/* A client's HTTP/1.1 connection: each request is decided, passed on and answered before the next is looked at. */
#ifndef TRAMMEL_REFERENCE_MESH_SESSION_H
#define TRAMMEL_REFERENCE_MESH_SESSION_H

#include <stdint.h>

#include "plugins/reference/mesh/pool.h"

struct head;
struct session;

enum route {
  ROUTE_FORWARD,     /* to the target */
  ROUTE_DENIED,      /* 403 */
  ROUTE_UNAVAILABLE, /* 503 */
  ROUTE_FAKED,       /* 200, without asking anyone: only a fault says so */
};

struct session_handler {
  /* Where a request goes. What the target borrows holds until the next call. */
  enum route (*route)(void *context, const struct head *request, struct target *ret_target);
  /* Where a request that `route` sent on goes when it is sent once more: to the same workload. */
  enum route (*again)(void *context, const void *note, const struct head *request, struct target *ret_target);
  /* It was answered with `status`, or not at all (0). May be NULL. */
  void (*served)(void *context, const void *note, unsigned status, int64_t latency_ns);
  /* What has to be known of the request that `route` was called for last, for the two above: a copy, to be freed. They
   * get it where others were routed in between, else NULL. NULL without memory. May be NULL: there is nothing to know.
   */
  void *(*note)(void *context);
  /* The connection is over: the session is to be destroyed. The last call. */
  void (*closed)(void *context);
  /* Whether the connection is to end after the request that begins. May be NULL. */
  bool (*last)(void *context);
  bool program; /* who answers is the workload's program, which can't speak in the mesh's name */
};

/* Takes `client` over, in every case. NULL without memory. With `silent`, what is no HTTP is closed without an answer.
 */
struct session *session_create(struct stream *client, struct pool *pool, bool silent,
                               const struct session_handler *handler, void *context);
void session_destroy(struct session *session);

/* The connection's first bytes, where another has read them. Returns how many were taken, as the handler of a stream
 * does; the session may be gone after it. */
size_t session_feed(struct session *session, const char *data, size_t length);

#endif
