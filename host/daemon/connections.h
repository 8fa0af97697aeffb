/* The connections that are served, a thread each. */
#ifndef TRAMMEL_HOST_DAEMON_CONNECTIONS_H
#define TRAMMEL_HOST_DAEMON_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/rpc/service.h"

#define CONNECTIONS_MAX 512
#define CONNECTIONS_RESERVED 32                      /* for this machine */
#define CONNECTIONS_IDLE_MS (INT64_C(5) * 60 * 1000) /* without a call, then one of the network is ended */

struct connections;
struct tls;

struct connections_options {
  struct rpc_service service;
  struct service *host; /* borrowed; not NULL: `ctx` of the service is a struct session of it for each connection */
  unsigned most;
  unsigned reserved;                               /* of these, at most half: places that only local ones have */
  void (*log)(const char *peer, const char *text); /* told of connections that came to nothing; NULL: nobody is */
};

/* What is known of a connection when it is there. */
struct arrival {
  bool local;       /* of this user or of root */
  const char *peer; /* copied */
  struct tls *tls;  /* borrowed; NULL: without */
};

int connections_create(const struct connections_options *options, struct connections **ret_connections,
                       struct error **err);

/* Serves a connected socket, which it takes, over TLS after its handshake. One that is not local
 * ends when it is idle for CONNECTIONS_IDLE_MS. -EAGAIN when there are too many: it is closed. One thread calls this.
 */
int connections_admit(struct connections *connections, int fd, const struct arrival *arrival, struct error **err);

/* Ends all that there are, and waits for that. NULL is fine. */
void connections_destroy(struct connections *connections);

#endif
