/* Meshery's services, each on a port of 127.0.0.1 (docs/meshery.md). */
#ifndef TRAMMEL_HOST_DAEMON_MESHERY_H
#define TRAMMEL_HOST_DAEMON_MESHERY_H

#include "host/daemon/meshery_config.h"
#include "host/rpc/service.h"

struct meshery;

/* Serves what the configuration says, with at most `connections` on each port. `config` and `host` are borrowed.
 * Without anything to serve `*ret_meshery` is NULL. -EADDRINUSE and others with the port. */
int meshery_open(const struct meshery_config *config, unsigned connections, struct service *host,
                 struct meshery **ret_meshery, struct error **err);

/* After runs_stop(): takes no further connection, and ends the others once all that happened was told. NULL is fine. */
void meshery_close(struct meshery *meshery);

#endif
