/* What a call of a workload's program goes to, of any transport. */
#ifndef TRAMMEL_REFERENCE_MESH_OUTBOUND_H
#define TRAMMEL_REFERENCE_MESH_OUTBOUND_H

#include "plugins/reference/mesh/connection.h"

/* What was chosen for a request, or for an open tunnel or flow. */
struct outbound_choice {
  char identity[SPIFFE_ID];    /* who must answer */
  char destination[STORE_KEY]; /* "" for nobody */
  uint16_t port;
  char split[LIMIT_NAME + 1]; /* that chose, and the backend it chose; "" for none */
  char backend[LIMIT_NAME + 1];
};

struct outbound {
  struct connection base;
  const struct upstream *upstream; /* of the workload's spec */
  struct outbound_choice last;     /* of the last request */
};

/* Chooses the destination of a request (`context` is the outbound), or of a connection or flow where it is NULL. */
enum route outbound_route(void *context, const struct head *request, struct target *ret_target);

/* Whether an open tunnel or flow may stay, as far as this side decides. */
bool outbound_may_stay(struct connection *connection);

#endif
