/* The state directory of a host, which no other one has at the same time, and the store of its runs and accounts. */
#ifndef TRAMMEL_HOST_DAEMON_STATE_H
#define TRAMMEL_HOST_DAEMON_STATE_H

#include "host/daemon/config.h"
#include "host/store/store.h"

struct state {
  int lock;
  struct store *store;
};
#define STATE_NONE ((struct state){.lock = -1})

/* Makes the directory if need be, and opens the store: the one of the configuration, else SQLite in
 * <state>/trammel.db. -EBUSY when another host has either. */
int state_open(const struct config *config, struct state *ret_state, struct error **err);
void state_close(struct state *state);

#endif
