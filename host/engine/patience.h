/* How long the calling thread has left for what it does with a mesh, an adapter and workloads. A case runs on one
 * thread and has its time as a whole; each request on the way has a limit of its own, which this cuts short. */
#ifndef TRAMMEL_HOST_ENGINE_PATIENCE_H
#define TRAMMEL_HOST_ENGINE_PATIENCE_H

#include <stdint.h>

/* No request that this thread begins goes on past `deadline_ns` (CLOCK_MONOTONIC), apart from those that clean up. 0:
 * no such limit, as at first. */
void patience_set(int64_t deadline_ns);

/* The deadline of a request that may take `longest_ns`, begun now. */
int64_t patience_deadline_ns(int64_t longest_ns);

#endif
