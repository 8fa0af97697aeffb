/* What a call of a workload's program goes to, of any transport. */
#ifndef TRAMMEL_REFERENCE_MESH_OUTBOUND_H
#define TRAMMEL_REFERENCE_MESH_OUTBOUND_H

#include "plugins/reference/mesh/connection.h"

struct outbound {
  struct connection base;
  const struct upstream *upstream; /* of the workload's spec */
  char identity[SPIFFE_ID];        /* who must answer the request that is being routed */
  /* The destination of the last request, or of an open tunnel or flow. */
  char destination[STORE_KEY];
  uint16_t port;
  /* The split that chose for the last request, and the backend it chose; "" for none. */
  char split[LIMIT_NAME + 1];
  char backend[LIMIT_NAME + 1];
};

/* Chooses the destination of a request (`context` is the outbound), or of a connection or flow where it is NULL. */
enum route outbound_route(void *context, const struct head *request, struct target *ret_target);

/* Whether an open tunnel or flow may stay, as far as this side decides. */
bool outbound_may_stay(struct connection *connection);

#endif
