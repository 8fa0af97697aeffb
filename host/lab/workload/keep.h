/* Connections that stay open between batches, by name. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_KEEP_H
#define TRAMMEL_HOST_LAB_WORKLOAD_KEEP_H

#include "host/lab/workload/caller.h"

#define KEEP_MAX 256
#define KEEP_NAME_MAX 64

struct keep_entry {
  char name[KEEP_NAME_MAX + 1];
  struct caller *caller;
};

/* Zero-initialised: empty. */
struct keep {
  struct keep_entry entries[KEEP_MAX];
  size_t count;
  uint64_t generation; /* grows when all are closed */
};

/* Takes the connection of that name out. NULL when there is none; one of another protocol or to another endpoint is
 * closed. The caller may not be usable any more: its idle_end says how it ended. */
struct caller *keep_take(struct keep *keep, const char *name, enum call_protocol protocol,
                         const struct endpoint *endpoint);
/* Puts `caller`, which is idle, under `name`; closes the one that was there. Closes `caller` when there is no room, or
 * when everything was closed since `generation`. */
void keep_put(struct keep *keep, const char *name, uint64_t generation, struct caller *caller);
/* Closes all. */
void keep_clear(struct keep *keep);

#endif
