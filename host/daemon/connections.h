/* The connections that are served, a thread each. */
#ifndef TRAMMEL_HOST_DAEMON_CONNECTIONS_H
#define TRAMMEL_HOST_DAEMON_CONNECTIONS_H

#include <stdint.h>

#include "host/rpc/core/rpc.h"

#define CONNECTIONS_MAX 512

struct connections;

int connections_create(const struct rpc_service *service, unsigned most, struct connections **ret_connections,
                       struct error **err);

/* Serves a connected socket, which it takes; -EAGAIN when there are too many: it is closed. One thread calls this. */
int connections_admit(struct connections *connections, int fd, struct error **err);

/* Ends all that there are, and waits for that. NULL is fine. */
void connections_destroy(struct connections *connections);

#endif
