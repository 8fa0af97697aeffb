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
  bool over;      /* no new calls; closed by its last user */
  int64_t started_ns;
};

struct connector {
  /* On the thread of a call. The caller closes what it gets, also when this fails with `*ret_connection` set. */
  int (*open)(const struct adapter_entry *entry, struct connection **ret_connection, struct error **err);
  /* What the end of a connection was that a call found lost, for people. `reason` is gRPC's. Any thread. */
  void (*describe_end)(struct connection *connection, const char *reason, char *ret_why, size_t size);
  void (*close)(struct connection *connection);
  bool config_with_calls; /* the other end may lose the instance without the channel's end */
  const char *detail;     /* of the diagnostic of a call that was cut short */
  const char *when_late;  /* what is done with a connection whose call passed its deadline */
};

/* As child_placement_create(). Borrows `connector`, too. */
int connection_placement_create(const struct connector *connector, const struct adapter_entry *entry,
                                const char *config, const struct adapter_http *http,
                                const struct placement_backoff *backoff, struct diagnostics *diagnostics,
                                struct placement **ret_placement, struct error **err);

#endif
