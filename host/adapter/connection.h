/* The placement of an instance at the other end of a channel. What differs between a child process and another machine
 * is how the channel comes to be, and what its end was: the connector. */
#ifndef TRAMMEL_HOST_ADAPTER_CONNECTION_H
#define TRAMMEL_HOST_ADAPTER_CONNECTION_H

#include <stddef.h>

#include "host/adapter/placement.h"
#include "host/rpc/core/rpc.h"

/* First in what a connector makes. */
struct connection {
  struct rpc_channel *channel;
  unsigned users; /* calls on it */
  bool broken;    /* no new calls; closed by its last user */
  int64_t started_ns;
};

struct connector {
  /* On the thread of a call. The caller closes what it gets, also when this fails with `*ret_connection` set. */
  int (*open)(const struct adapter_entry *entry, struct connection **ret_connection, struct error **err);
  /* After a call found nobody at the other end: whether that is the connection's end, and why, for people. `reason` is
   * gRPC's. */
  bool (*has_ended)(struct connection *connection, const char *reason, char *ret_why, size_t size);
  void (*close)(struct connection *connection);
  bool config_with_calls; /* the other end may lose the instance without the channel's end */
  const char *detail;     /* of the diagnostic of a call that was lost */
  const char *when_late;  /* what is done with a connection whose call passed its deadline */
};
#define CONNECTION_WHY_MAX 500

/* As child_placement_create(). Borrows `connector`, too. */
int connection_placement_create(const struct connector *connector, const struct adapter_entry *entry,
                                const char *config, const struct adapter_http *http, struct diagnostics *diagnostics,
                                struct placement **ret_placement, struct error **err);

#endif
