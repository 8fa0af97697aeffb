/* Looking host names up without stopping the event loop. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_RESOLVE_H
#define TRAMMEL_HOST_LAB_WORKLOAD_RESOLVE_H

#include <event2/event.h>

#include "host/lab/workload/endpoint.h"

struct evdns_base;
struct lookup;

/* Starts empty; the system's name servers and hosts file are read at the first lookup. */
struct resolver {
  struct event_base *base;
  struct evdns_base *dns;
};

void resolver_finish(struct resolver *resolver);

/* `endpoint` is NULL when there is no such host; `reason` then says why. */
typedef void (*lookup_done_fn)(void *user, const struct endpoint *endpoint, const char *reason);

/* `done` comes later, from the event loop. The lookup is gone when it does. 0 or -errno with a reason. */
int lookup_create(struct resolver *resolver, const char *host, uint16_t port, lookup_done_fn done, void *user,
                  struct lookup **ret_lookup, struct error **err);
/* Gives the lookup up: `done` does not come. */
void lookup_cancel(struct lookup *lookup);

#endif
