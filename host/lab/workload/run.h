/* Carries a batch out: who calls when, on which connection, and how each call ended. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_RUN_H
#define TRAMMEL_HOST_LAB_WORKLOAD_RUN_H

#include "host/lab/workload/batch.h"
#include "host/lab/workload/keep.h"

struct run;

/* `outcomes` has the batch's count, and is borrowed for the call. */
typedef void (*run_done_fn)(void *user, const struct call_outcome *outcomes, size_t count);

/* Takes `batch`, also on failure; `keep` is borrowed. `done` comes later from the event loop, and may destroy the run.
 * 0 or -ENOMEM. */
int run_create(struct event_base *base, struct batch *batch, struct keep *keep, run_done_fn done, void *user,
               struct run **ret_run);
/* Gives up calls that are not done, and closes their connections. NULL is fine. */
void run_destroy(struct run *run);

#endif
