/* Serves the adapter of descriptor RUNNER_FILE_FD, confined, at the socket RUNNER_CHANNEL_FD, until its other end is
 * closed. The service is trammel.adapter.v1.Placement. */
#ifndef TRAMMEL_HOST_RUNNER_SERVE_H
#define TRAMMEL_HOST_RUNNER_SERVE_H

#include <stdbool.h>

/* The program's exit status. `partly` as in confinement_enter(). */
int serve(bool partly);

#endif
