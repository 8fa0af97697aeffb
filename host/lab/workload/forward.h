/* The known sample app's /call: makes the one HTTP/1.1 call that a body {"url","method","body","headers"} describes. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_FORWARD_H
#define TRAMMEL_HOST_LAB_WORKLOAD_FORWARD_H

#include <event2/event.h>

#include "host/lab/workload/service.h"

struct forward;

/* What the called server answered; or 502 and {"error"} when it did not. Borrowed for the call. */
struct forward_reply {
  unsigned status;
  const char *content_type;
  const char *body;
  size_t body_length;
};
typedef void (*forward_done_fn)(void *user, const struct forward_reply *reply);

/* Starts the call; `done` comes later from the event loop, and may destroy the forward. `service` is borrowed: it is
 * who calls, and its metrics count the call. 0, or -EINVAL with a reason. */
int forward_create(struct event_base *base, struct service *service, const char *json, size_t length,
                   forward_done_fn done, void *user, struct forward **ret_forward, struct error **err);
/* Gives the call up when it is not done. NULL is fine. */
void forward_destroy(struct forward *forward);

#endif
