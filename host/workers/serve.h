/* The worker's side: carries out one assignment and hands over what it counted. */
#ifndef TRAMMEL_HOST_WORKERS_SERVE_H
#define TRAMMEL_HOST_WORKERS_SERVE_H

#include "sdk/base/error.h"

/* Serves WorkerService on a connected stream socket that does not block, which it takes, until the other side is gone.
 * A load that is under way then ends. */
int worker_serve(int fd, struct error **err);

#endif
