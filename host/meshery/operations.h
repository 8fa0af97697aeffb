/* The operations that clients of an adapter's MeshService began: each is a conformance run of the host, which a thread
 * follows and tells of. */
#ifndef TRAMMEL_HOST_MESHERY_OPERATIONS_H
#define TRAMMEL_HOST_MESHERY_OPERATIONS_H

#include "host/meshery/broadcast.h"
#include "host/runs/runs.h"

#define OPERATIONS_MAX 16         /* at once */
#define OPERATION_ID_MAX 128      /* bytes */
#define OPERATION_FAILURES_MAX 64 /* cases that are told of one by one */

struct operations;

/* `spec` is of runs_start(); all are borrowed, and outlive it. */
struct operations *operations_create(struct runs *runs, const char *adapter, json_t *spec, struct broadcast *broadcast);

/* Begins the run `ret_run`. `id` is what events name; "": the run's own, which `ret_id` then has. -EAGAIN for too many,
 * -ESHUTDOWN once they were ended, and what runs_start() says. */
int operations_begin(struct operations *operations, const char *id, char ret_id[OPERATION_ID_MAX + 1],
                     char ret_run[RUN_ID_SIZE], struct error **err);

/* Asks all that go on to end; how many did. */
size_t operations_cancel(struct operations *operations);

/* Once runs were stopped: waits for those that follow them, and takes no more. Others may still call the functions
 * above. */
void operations_end(struct operations *operations);
/* Once nothing calls. NULL is fine. */
void operations_destroy(struct operations *operations);

#endif
