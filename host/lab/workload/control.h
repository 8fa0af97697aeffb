/* The control port: HTTP with JSON, kept out of the mesh. docs/workload.md is its contract. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_CONTROL_H
#define TRAMMEL_HOST_LAB_WORKLOAD_CONTROL_H

#include <event2/event.h>

#include "host/lab/workload/keep.h"
#include "host/lab/workload/server.h"

/* Batches and /calls in progress at once. */
#define CONTROL_JOBS_MAX 16

struct control;

/* Listens on `endpoint`, which then has the real port. All are borrowed. 0 or -errno with a reason. */
int control_create(struct event_base *base, struct service *service, struct server *server, struct keep *keep,
                   struct endpoint *endpoint, struct control **ret_control, struct error **err);
/* Gives up what is in progress. */
void control_destroy(struct control *control);

#endif
